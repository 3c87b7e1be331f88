// Hires fix (webui/tabs/drawing/rows/hires.py): its fields are closed until it is switched on or they are opened, and the
// size that it leads to stands beside the switch.

import { hiresSize } from "../model/hires.js";
import { setAttribute, setText } from "../page/dom.js";

export class Hires {
  opened = null; // by hand: true or false
  /** @type {Record<string, any>} */
  values = {};

  constructor(tab) {
    this.tab = tab;
    document.addEventListener("click", (event) => this.clicked(event));
  }

  get isOpen() {
    return this.opened ?? Boolean(this.values.enable_hr);
  }

  clicked(event) {
    if (!this.tab.find(event, "page", "button[data-hires]")) return;
    this.opened = !this.isOpen;
    this.render();
  }

  // A field of the page is pointed at: it has to be seen.
  show(field) {
    if (!field.closest(".sd-hires")) return;
    this.opened = true;
    this.render();
  }

  valuesAre(fields) {
    if (Boolean(fields.enable_hr) !== Boolean(this.values.enable_hr)) this.opened = null; // the switch opens and closes
    this.values = fields;
    this.render();
  }

  render() {
    const button = this.tab.part("page")?.querySelector("button[data-hires]");
    if (!button) return;
    setAttribute(this.tab.part("page"), "data-hires", this.isOpen ? "" : null);
    setAttribute(button, "aria-expanded", String(this.isOpen));
    setText(this.tab.part("hr_finalres"), this.values.enable_hr ? this.words() : "");
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
