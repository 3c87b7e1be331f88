// What the hints below a prompt are about is underlined in its text: a layer over the field, with the same text in the same
// places, of which nothing but the lines is to be seen (webui/tabs/drawing/prompts.py says where they belong).

import { make, whenThere } from "../page/dom.js";
import { layoutOf } from "./field.js";

const FIELDS = { hints: "prompt", negative_hints: "neg_prompt" };

export function wireMarks(tab) {
  for (const [hints, prompt] of Object.entries(FIELDS)) {
    whenThere(tab.id(hints)).then(() => new Marks(tab.part(hints), tab.part(prompt)?.querySelector("textarea")).wire());
  }
}

class Marks {
  layer = make("div", { class: "sd-marks", "aria-hidden": "true", hidden: true });

  // `hints` are told anew a moment after each change of the `field`.
  constructor(hints, field) {
    this.hints = hints;
    this.field = field;
  }

  wire() {
    if (!this.field) return;
    this.field.after(this.layer);
    new MutationObserver(() => this.show()).observe(this.hints, { childList: true, subtree: true, attributes: true });
    new ResizeObserver(() => this.place()).observe(this.field);
    this.field.addEventListener("input", () => this.hide());
    this.field.addEventListener("scroll", () => this.scroll());
    this.show();
  }

  hide() {
    this.layer.hidden = true;
  }

  show() {
    const { value } = this.field;
    const [length, places = ""] = (this.hints.querySelector("[data-marks]")?.dataset.marks || "").split(":");
    if (!places || Number(length) !== value.length) return this.hide(); // they are of another text
    const parts = [];
    let at = 0;
    for (const place of places.split(",")) {
      const [start, end] = place.split("-").map(Number);
      if (start < at) continue; // within the one before
      parts.push(value.slice(at, start), make("mark", {}, value.slice(start, end)));
      at = end;
    }
    this.layer.replaceChildren(...parts, `${value.slice(at)}\u200b`); // a line that ends the text is a line, too
    this.layer.hidden = false;
    this.place();
  }

  place() {
    const { field, layer } = this;
    if (layer.hidden) return;
    Object.assign(layer.style, layoutOf(field), { left: `${field.offsetLeft}px`, top: `${field.offsetTop}px`, height: `${field.offsetHeight}px` });
    layer.style.width = `${field.clientWidth + edges(field)}px`; // without a bar to scroll
    this.scroll();
  }

  scroll() {
    this.layer.scrollTop = this.field.scrollTop;
  }
}

function edges(field) {
  const { borderLeftWidth, borderRightWidth } = getComputedStyle(field);
  return parseFloat(borderLeftWidth) + parseFloat(borderRightWidth);
}
