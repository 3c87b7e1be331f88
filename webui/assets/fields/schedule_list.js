// Schedule types that do not go with the chosen sampler stand in the list, greyed and not to be chosen. Gradio's list has
// no such thing: it is made as it opens, and marked then.

import { byId, setAttribute } from "../page/dom.js";
import { labelOf, optionsOf } from "./dropdowns.js";

export class ScheduleList {
  // `possible()` returns the labels that go with the sampler; null while that is not known.
  constructor(possible) {
    this.possible = possible;
    new MutationObserver(() => this.mark()).observe(document.body, { childList: true, subtree: true });
    for (const event of ["mousedown", "pointerdown", "click"]) document.addEventListener(event, (one) => this.pressed(one), true);
    document.addEventListener("keydown", (event) => this.key(event), true);
  }

  // Of the schedule types alone: another list may be open too.
  get options() {
    const field = byId("txt2img_scheduler")?.querySelector("[role=combobox]");
    return field ? optionsOf(field) : [];
  }

  mark() {
    const possible = this.possible();
    for (const option of this.options) {
      const off = possible && !possible.includes(labelOf(option));
      setAttribute(option, "aria-disabled", off ? "true" : null);
      setAttribute(option, "title", off ? "Does not go with the chosen sampler" : null);
    }
  }

  pressed(event) {
    const option = event.target.closest?.('[role="option"]');
    if (option && this.options.includes(option) && this.isOff(option)) stop(event);
  }

  key(event) {
    if (event.key !== "Enter" || !event.target.closest?.("#txt2img_scheduler")) return;
    const active = this.options.find((option) => option.classList.contains("active"));
    if (active && this.isOff(active)) stop(event);
  }

  isOff(option) {
    return option.getAttribute("aria-disabled") === "true";
  }
}

function stop(event) {
  event.preventDefault();
  event.stopImmediatePropagation();
}
