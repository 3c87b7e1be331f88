// Hires fix (webui/tabs/drawing/rows/hires.py): its fields are closed until it is switched on or they are opened, and the
// size that it leads to stands beside the switch.

import { hiresSize } from "../model/hires.js";
import { Fold } from "./fold.js";

export class Hires extends Fold {
  constructor(tab) {
    super(tab, "hires");
  }

  get isOpen() {
    return this.opened ?? Boolean(this.values.enable_hr);
  }

  valuesAre(fields) {
    if (Boolean(fields.enable_hr) !== Boolean(this.values.enable_hr)) this.opened = null; // the switch opens and closes
    super.valuesAre(fields);
  }

  told() {
    return this.values.enable_hr ? this.words() : "";
  }

  words() {
    const { width, height } = this.values;
    const to = hiresSize(this.values);
    return to ? `from ${width} × ${height} to ${to.width} × ${to.height}` : "";
  }

  // What a second pass is asked for with, by the names of a request; null where this tab has no such fields.
  get request() {
    const own = Object.entries(this.values).filter(([name]) => name.startsWith("hr_") || name === "denoising_strength");
    return "enable_hr" in this.values ? Object.fromEntries(own) : null;
  }
}
