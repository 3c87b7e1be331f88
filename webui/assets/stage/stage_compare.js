// The button that compares the picture on the stage with what it was made from.

import { pictureUrl } from "../live/inputs.js";
import { beforeOf } from "../model/before.js";
import { setAttribute } from "../page/dom.js";
import { Compare } from "./compare.js";

export class StageCompare {
  on = false;

  constructor(tab) {
    this.tab = tab;
    this.compare = new Compare();
    this.compare.element.prepend(this.compare.image);
    document.addEventListener("click", (event) => this.clicked(event));
  }

  clicked(event) {
    if (!this.tab.find(event, "stage", "[data-compare]")) return;
    this.on = !this.on;
    this.render(this.tab.state, this.tab.staged);
    if (this.on && event.detail === 0) this.compare.range.focus({ preventScroll: true }); // by keyboard
  }

  // `output` is the finished picture on the stage, null where there is none.
  render(state, output) {
    const button = this.tab.part("compare");
    if (!button) return;
    const before = output ? beforeOf(state.jobs[output.job ?? state.shown], output) : null;
    setAttribute(button, "hidden", before ? null : "");
    setAttribute(button, "aria-pressed", String(Boolean(before && this.on)));
    const box = this.tab.part("comparing");
    const shown = Boolean(before && this.on);
    if (shown) this.compare.show(before, pictureUrl(before.source));
    if (shown && !this.compare.element.isConnected) box.append(this.compare.element);
    setAttribute(box, "hidden", shown ? null : "");
  }
}
