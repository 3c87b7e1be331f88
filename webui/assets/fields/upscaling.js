// The fields of Extras (webui/tabs/extras.py): which of them are there follows from what is chosen above them, and the
// size that a picture comes to have stands under them.

import { TO, upscaledSize } from "../model/upscaling.js";
import { setAttribute, setText } from "../page/dom.js";
import { SINGLE } from "./pictures.js";

const PLACES = { [SINGLE]: "single", Several: "several", Folder: "folder" };

export class Upscaling {
  /** @type {Record<string, any>} */
  values = {};

  constructor(tab) {
    this.tab = tab;
  }

  valuesAre(fields) {
    this.values = fields;
    this.render();
  }

  render() {
    const { values } = this;
    if (!("upscaling_resize" in values)) return;
    const page = this.tab.part("page");
    setAttribute(page, "data-source", PLACES[values.source] || "single");
    setAttribute(page, "data-scale", values.resize_mode === TO ? "to" : "by");
    setText(this.tab.part("becomes"), this.words());
  }

  words() {
    const { size } = this.tab.pictures;
    const to = size && PLACES[this.values.source] === "single" && this.values.image ? upscaledSize(size, this.values) : null;
    return to ? `${size.width} × ${size.height} becomes ${to.width} × ${to.height}` : "";
  }
}
