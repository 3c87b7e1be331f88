// A cell of the grid on the stage: its pictures, or how it stands.

import { missingIn } from "../model/grid.js";
import { make, setAttribute, setText } from "../page/dom.js";
import { thumbnail } from "./sample.js";

const THUMBNAIL = 256; // px that the server's small pictures have at most

const MARKS = { partial: "partial", missing: "not drawn" };

export class GridCell {
  // `words` say where it stands; they are on it where it is `captioned`, else legends say so.
  constructor(cell, words, captioned = false) {
    this.cell = cell;
    this.words = words;
    this.images = Array.from({ length: cell.count }, (_, i) => make("img", { alt: "", "data-index": cell.first + i, draggable: "true" }));
    this.over = make("img", { alt: "", class: "sd-cell-preview" }); // of all pictures of the cell at once
    this.mark = make("span", { class: "sd-cell-mark" });
    this.draw = make("button", { type: "button", class: "sd-small sd-cell-draw", "data-redraw": cell.number, tabindex: -1, hidden: true }, "Draw");
    const side = Math.ceil(Math.sqrt(cell.count));
    const pictures = make("div", { class: "sd-cell-pictures", style: `--side:${side}` }, ...this.images, this.over);
    this.element = make("div", { class: "sd-cell", role: "gridcell", tabindex: -1, "data-cell": cell.number, "data-state": "awaited", title: captioned ? words : null }, pictures, this.mark, this.draw);
    if (captioned) this.element.append(make("span", { class: "sd-cell-words" }, words));
  }

  // `preview` is of what is drawn in this cell now, with the first and the last index of its batch; `ended`: the job has;
  // `width` is that of the cell on the screen, in its own pixels. Of a thousand cells most stay as they are.
  show({ kind, outputs, preview, ended, chosen, width }) {
    const { element, cell } = this;
    const own = chosen && chosen.index >= cell.first && chosen.index < cell.first + cell.count ? chosen.url : "";
    const sharp = width / Math.ceil(Math.sqrt(cell.count)) > THUMBNAIL * 1.1; // else small pictures are enough
    const key = [kind, ended, own, Boolean(chosen), sharp, preview?.data, ...outputs.map((one) => `${one.url} ${one.partial}`)].join();
    if (key === this.key) return;
    this.key = key;
    setAttribute(element, "data-state", kind);
    const whole = preview && preview.first <= cell.first && preview.last >= cell.first + cell.count - 1;
    this.put(this.over, whole ? preview.data : "");
    for (const image of this.images) {
      const index = Number(image.dataset.index);
      const output = outputs.find((one) => one.index === index);
      const drawn = preview && !whole && preview.first === index ? preview.data : "";
      this.put(image, output ? addressOf(output, sharp) : drawn);
      setAttribute(image, "data-chosen", output && own === output.url ? "" : null);
    }
    const missing = missingIn(cell, outputs);
    const redraws = ended && missing.length > 0;
    setText(this.mark, MARKS[kind] || "");
    this.draw.hidden = !redraws;
    setAttribute(this.draw, "aria-label", redraws ? `Draw ${this.words || "this one"}` : null);
    setAttribute(element, "aria-selected", chosen ? String(Boolean(own)) : null);
    setAttribute(element, "aria-label", [this.words, SAID[kind], redraws ? "press Enter to draw it" : ""].filter(Boolean).join(", ") || null);
  }

  // What was there stays until the new one is decoded: nothing blinks.
  async put(image, source) {
    if ((image.dataset.wanted || "") === source) return;
    image.dataset.wanted = source;
    if (!source) return void image.removeAttribute("src");
    if (!source.startsWith("data:")) {
      const next = new Image();
      next.src = source;
      await next.decode().catch(() => {});
      if (image.dataset.wanted !== source) return;
    }
    image.src = source;
  }
}

// A partial picture gives way to a whole one under the same address: it is asked for under another one.
const addressOf = (output, sharp) => (sharp ? output.url : thumbnail(output)) + (output.partial ? "?partial" : "");

const SAID = { there: "drawn", partial: "partial: stopped before it was done", drawn: "being drawn", awaited: "awaited", missing: "not drawn" };
