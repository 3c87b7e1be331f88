// The picture in full size: a dialog that Esc closes and the arrow keys leaf through.

import { make, setText } from "./dom.js";

export class Viewer {
  constructor() {
    this.image = make("img", { alt: "" });
    this.words = make("p", {});
    this.dialog = make("dialog", { class: "sd-viewer", "aria-label": "Picture in full size" });
    const close = make("button", { type: "button", class: "sd-viewer-close", "aria-label": "Close" }, "×");
    this.dialog.append(this.image, this.words, close);
    this.dialog.addEventListener("click", (event) => event.target === this.words || this.dialog.close());
    this.dialog.addEventListener("keydown", (event) => this.key(event));
    document.body.append(this.dialog);
  }

  // `outputs` to leaf through, `at` the place of the first one shown.
  open(outputs, at) {
    this.outputs = outputs;
    this.go(at);
    if (!this.dialog.open) this.dialog.showModal();
  }

  go(at) {
    this.at = (at + this.outputs.length) % this.outputs.length;
    const output = this.outputs[this.at];
    this.image.src = output.url;
    const place = this.outputs.length > 1 ? `${this.at + 1} of ${this.outputs.length} · ` : "";
    setText(this.words, `${place}${output.width} × ${output.height} · seed ${output.seed}`);
  }

  key(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) this.go(this.at + step);
    if (event.key === "Escape") event.stopPropagation();
  }
}
