// What is wrong with a field is said beside it; what is wrong with none, under the buttons, for a while.

import { byId, make, scrolling } from "../page/dom.js";

const TOLD_MS = 12000; // so long something stands that is wrong with no field

export class Problems {
  constructor(tab) {
    this.tab = tab;
    document.addEventListener("input", (event) => this.edited(event.target), true);
    document.addEventListener("click", (event) => this.check(event), true);
  }

  // A number field shows what is no number and tells nobody: without this the model's own default would be drawn.
  check(event) {
    const button = ["generate", "generate_forever"].includes(this.tab.partOf(event.target.closest?.("button")));
    /** @type {NodeListOf<HTMLInputElement>} */
    const numbers = this.tab.part("page")?.querySelectorAll("input[type=number]") || [];
    const wrong = button && Array.from(numbers).find((one) => one.validity.badInput);
    if (!wrong) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const [field] = Object.entries(this.tab.fields.ids).find(([, id]) => wrong.closest(`#${id}`)) || [null];
    this.tell("This is no number: use digits alone.", field);
  }

  tell(message, field) {
    this.clear();
    const place = this.tab.fields.homeOf(field);
    const home = place || this.tab.part("actions");
    const words = make("p", { class: "sd-problem", role: "alert", id: `${home.id}_problem` }, message);
    if (place) {
      for (const fold of this.tab.fields.folds) fold.show(place);
      home.append(words);
      home.classList.add("sd-wrong");
      for (const input of home.querySelectorAll("input, textarea")) {
        input.setAttribute("aria-invalid", "true");
        input.setAttribute("aria-describedby", words.id);
      }
      const first = /** @type {HTMLElement} */ (home.querySelector("textarea, input[type=number], input"));
      first?.focus({ preventScroll: true });
      home.scrollIntoView({ block: "nearest", behavior: scrolling() });
    } else {
      home.after(words);
      setTimeout(() => words.remove(), TOLD_MS);
    }
  }

  // Of this tab and of the bar alone: each tab that draws has its own.
  clear() {
    const parts = [this.tab.part("page"), byId("steady_bar")].filter(Boolean);
    for (const part of parts) for (const words of part.querySelectorAll(".sd-problem[id]")) words.remove();
    for (const home of parts.flatMap((part) => Array.from(part.querySelectorAll(".sd-wrong")))) {
      home.classList.remove("sd-wrong");
      for (const input of home.querySelectorAll("[aria-invalid]")) {
        input.removeAttribute("aria-invalid");
        input.removeAttribute("aria-describedby");
      }
    }
  }

  edited(target) {
    if (target?.closest?.(".sd-wrong")) this.clear();
  }
}
