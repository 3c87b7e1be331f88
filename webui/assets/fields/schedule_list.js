// Schedule types that do not go with the chosen sampler stand in the list, greyed and not to be chosen. Gradio's list has
// no such thing: it is made as it opens, and marked then.

import { setAttribute } from "../page/dom.js";
import { labelOf, optionsOf } from "./dropdowns.js";

export class ScheduleList {
  // `samplings()` returns those of all tabs. It must listen before Dropdowns does: what cannot be chosen is no choice.
  constructor(samplings) {
    this.samplings = samplings;
    new MutationObserver(() => this.mark()).observe(document.body, { childList: true, subtree: true });
    for (const event of ["mousedown", "pointerdown", "click"]) document.addEventListener(event, (one) => this.pressed(one), true);
    document.addEventListener("keydown", (event) => this.key(event), true);
  }

  mark() {
    for (const sampling of this.samplings()) {
      const possible = sampling.possible;
      for (const option of optionsIn(sampling.home)) {
        const off = possible && !possible.includes(labelOf(option));
        setAttribute(option, "aria-disabled", off ? "true" : null);
        setAttribute(option, "title", off ? "Does not go with the chosen sampler" : null);
      }
    }
  }

  pressed(event) {
    const option = event.target.closest?.('[role="option"]');
    const ours = option && this.samplings().some((one) => optionsIn(one.home).includes(option));
    if (ours && isOff(option)) stop(event);
  }

  key(event) {
    const home = event.key === "Enter" && this.samplings().find((one) => one.home?.contains(event.target))?.home;
    const active = home && optionsIn(home).find((option) => option.classList.contains("active"));
    if (active && isOff(active)) stop(event);
  }
}

// Of the schedule types alone: another list may be open too.
function optionsIn(home) {
  const field = home?.querySelector("[role=combobox]");
  return field ? optionsOf(field) : [];
}

const isOff = (option) => option.getAttribute("aria-disabled") === "true";

function stop(event) {
  event.preventDefault();
  event.stopImmediatePropagation();
}
