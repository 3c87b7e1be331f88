// Before and after: the picture that another was made from lies over it, as far as a handle says. The handle is dragged,
// or moved by the arrow keys. Where the sizes differ the picture before is scaled.

import { make, setAttribute } from "../page/dom.js";

export class Compare {
  share = 50; // per cent of what is seen that shows the picture before

  constructor() {
    this.image = make("img", { class: "sd-before", alt: "The picture before", draggable: "false" });
    this.range = make("input", { type: "range", min: 0, max: 100, step: 1, value: 50, "aria-label": "Before and after" });
    this.line = make("i", { class: "sd-compare-line" });
    this.hand = make("i", { class: "sd-compare-hand" });
    const tag = (name, words) => make("span", { class: `sd-compare-tag sd-compare-${name}`, "aria-hidden": "true" }, words);
    this.element = make("div", { class: "sd-compare" }, this.line, tag("before", "Before"), tag("after", "After"), this.range, this.hand);
    this.range.addEventListener("input", () => this.moved());
    this.hand.addEventListener("pointerdown", (event) => this.take(event));
    this.hand.addEventListener("pointermove", (event) => this.drag(event));
    this.moved();
  }

  take(event) {
    event.preventDefault(); // of a press that would begin to select or to drag the picture
    event.stopPropagation();
    this.hand.setPointerCapture(event.pointerId);
    this.range.focus({ preventScroll: true });
  }

  drag(event) {
    if (!this.hand.hasPointerCapture(event.pointerId)) return;
    const { left, width } = this.element.getBoundingClientRect();
    this.range.value = String(((event.clientX - left) / width) * 100);
    this.moved();
  }

  // Shows what `before` (model/before.js) names, at `url`.
  show({ fit, frame }, url) {
    if (this.image.getAttribute("src") !== url) this.image.src = url;
    const { left, top, width, height } = frame || { left: 0, top: 0, width: 1, height: 1 };
    const part = { left, top, width, height };
    for (const [side, share] of Object.entries(part)) this.image.style.setProperty(`--${side}`, String(share));
    this.image.style.objectFit = frame ? "fill" : fit;
    this.frame = part;
    this.moved();
  }

  // `seen` is which part of the picture's width is in sight, in shares of it.
  see(seen) {
    this.seen = seen;
    this.moved();
  }

  moved() {
    const { from, to } = this.seen || { from: 0, to: 1 };
    this.share = Number(this.range.value);
    setAttribute(this.range, "aria-valuetext", `${this.share} % before`);
    const at = from + ((to - from) * this.share) / 100; // in shares of the picture
    const { left, width } = this.frame || { left: 0, width: 1 };
    const inside = Math.min(1, Math.max(0, (at - left) / width));
    this.image.style.clipPath = `inset(0 ${((1 - inside) * 100).toFixed(2)}% 0 0)`;
    this.element.style.setProperty("--at", `${this.share}%`);
  }
}
