// What a prompt may go on with, in a list at its cursor: the arrow keys walk in it, Tab takes the first or the chosen one,
// Enter the chosen one, Esc closes it.

import { ask } from "../live/rest.js";
import { byId, make, setAttribute } from "../page/dom.js";
import { isReplacing, placeOf, replace } from "./field.js";
import { completed, typedAt } from "./text.js";

const WAIT_MS = 90; // so that not each letter of a fast hand is asked for
const LIST = "sd-suggestions";
const KINDS = { lora: "LoRA", embedding: "embedding", wildcard: "wildcard", style: "style", tag: "" };

export class Suggestions {
  shown = []; // what the list shows
  at = -1; // which of them is chosen
  asked = 0;
  timer = 0;
  /** @type {HTMLTextAreaElement | null} */
  field = null;

  // `tab` knows which fields are prompts, and the checkpoint; a style is not put into the text but chosen.
  constructor(tab) {
    this.tab = tab;
    document.addEventListener("input", (event) => this.typed(event));
    document.addEventListener("keydown", (event) => this.key(event), true);
    document.addEventListener("click", (event) => this.picked(event));
    document.addEventListener("focusout", (event) => event.target === this.field && this.close());
    document.addEventListener("selectionchange", () => this.field && typedAt(this.field.value, this.field.selectionStart) === null && this.close());
    addEventListener("resize", () => this.close());
  }

  typed(event) {
    const { target } = event;
    if (!(target instanceof HTMLTextAreaElement) || !this.tab.isPrompt(target) || isReplacing()) return;
    clearTimeout(this.timer);
    const typed = event.isComposing ? null : typedAt(target.value, target.selectionStart);
    if (!typed) this.close();
    else this.timer = setTimeout(() => this.suggest(target, typed), WAIT_MS);
  }

  async suggest(field, typed) {
    const number = ++this.asked;
    const query = new URLSearchParams({ text: typed.text, kind: typed.kind, fits: this.tab.page.checkpoints.chosen || "" });
    const answer = await ask("GET", `/sdapi/v1/prompt-suggestions?${query}`).catch(() => null); // nothing is lost without them
    if (number !== this.asked || document.activeElement !== field) return;
    if (!answer || answer.suggestions.length === 0) this.close();
    else this.show(field, typed, answer);
  }

  show(field, typed, { typed: end, suggestions }) {
    this.field = field;
    this.shown = suggestions;
    this.at = -1;
    this.from = typed.kind === "word" ? field.selectionStart - end.length : typed.from;
    const list = this.list();
    list.replaceChildren(...suggestions.map((one, i) => row(one, i)));
    const place = placeOf(field, this.from);
    list.hidden = false;
    list.style.left = `${Math.max(8, Math.min(place.left, innerWidth - list.offsetWidth - 8))}px`;
    const below = place.top + place.height + 4;
    const above = below + list.offsetHeight > innerHeight - 8 && place.top > list.offsetHeight;
    list.style.top = `${above ? place.top - list.offsetHeight - 4 : below}px`;
    setAttribute(field, "aria-autocomplete", "list");
    setAttribute(field, "aria-controls", LIST);
    setAttribute(field, "aria-expanded", "true");
  }

  list() {
    const there = byId(LIST);
    if (there) return there;
    const list = make("ul", { id: LIST, class: LIST, role: "listbox", "aria-label": "Suggestions", hidden: true });
    list.addEventListener("pointerdown", (event) => event.preventDefault()); // the prompt keeps the focus
    document.querySelector(".gradio-container").append(list);
    return list;
  }

  // The list is one for all tabs: the one whose prompt it belongs to takes what was picked.
  picked({ target }) {
    const item = this.isOpen && target instanceof Element && target.closest(`#${LIST} [data-at]`);
    if (item instanceof HTMLElement) this.take(Number(item.dataset.at));
  }

  get isOpen() {
    return this.field !== null && this.shown.length > 0;
  }

  key(event) {
    if (!this.isOpen || event.target !== this.field || event.isComposing) return;
    const { key } = event;
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey;
    if (!plain) return;
    if (key === "ArrowDown" || key === "ArrowUp") this.choose(this.at + (key === "ArrowDown" ? 1 : -1));
    else if (key === "Tab") this.take(Math.max(0, this.at));
    else if (key === "Enter" && this.at >= 0) this.take(this.at);
    else if (key === "Escape") this.close();
    else return;
    event.preventDefault();
    event.stopPropagation(); // Esc closes the list and not the job
  }

  choose(at) {
    const count = this.shown.length;
    this.at = (at + count + (this.at < 0 && at < -1 ? 1 : 0)) % count;
    Array.from(this.list().children).forEach((item, i) => {
      setAttribute(item, "aria-selected", String(i === this.at));
      if (i === this.at) item.scrollIntoView({ block: "nearest" });
    });
    setAttribute(this.field, "aria-activedescendant", `${LIST}_${this.at}`);
  }

  take(at) {
    const { field, from } = this;
    const one = this.shown[at];
    const change = completed(one, from, field.selectionStart, field.value);
    this.close();
    replace(field, change);
    if (one.kind === "style") this.tab.fields.styles.choose(one.label);
  }

  close() {
    clearTimeout(this.timer);
    this.asked += 1;
    if (!this.field) return;
    for (const name of ["aria-expanded", "aria-controls", "aria-activedescendant", "aria-autocomplete"]) this.field.removeAttribute(name);
    this.field = null;
    this.shown = [];
    const list = this.list();
    list.hidden = true;
    list.replaceChildren();
  }
}

function row({ kind, label, detail }, at) {
  const item = make("li", { id: `${LIST}_${at}`, role: "option", "aria-selected": "false", "data-at": at });
  item.append(make("span", { class: "sd-suggested" }, label), make("span", { class: "sd-suggested-detail" }, [KINDS[kind], detail].filter(Boolean).join(" · ")));
  return item;
}
