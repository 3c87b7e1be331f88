// Several of a list, in the order in which they were chosen: what is chosen stands there as tokens, the list opens below.

import { make, setAttribute } from "../page/dom.js";

const MOST_LISTED = 300; // of a long list, until it is searched
const SEARCHED_FROM = 12;

export class Choices {
  open = false;
  search = "";

  // `changed(names)` is told what is chosen; `id` is of the home at which is told what is wrong.
  constructor(id, label, changed) {
    this.label = label;
    this.changed = changed;
    this.names = [];
    this.options = null; // null: not known yet
    this.tokens = make("div", { class: "sd-choices-chosen" });
    this.list = make("div", { class: "sd-choices-list", role: "group", "aria-label": `${label}: choose`, id: `${id}_list`, hidden: true });
    this.element = make("div", { class: "sd-arg sd-choices", id }, this.tokens, this.list);
    this.element.addEventListener("click", (event) => this.clicked(event));
    this.element.addEventListener("change", (event) => this.ticked(event));
    this.element.addEventListener("input", (event) => this.searched(event));
    this.element.addEventListener("keydown", (event) => this.key(event));
  }

  show(names, options) {
    const same = options === this.options && names.join("\n") === this.names.join("\n") && this.tokens.firstElementChild;
    this.names = names;
    this.options = options;
    if (!same) this.render();
  }

  choose(names) {
    this.names = names;
    this.render();
    this.changed(names);
  }

  render() {
    const focused = this.tokens.contains(document.activeElement);
    const chosen = this.names.map((name) =>
      make("span", { class: "sd-token" }, make("span", {}, name), make("button", { type: "button", "data-without": name, "aria-label": `Leave ${name} out` }, "×")),
    );
    const words = this.open ? "Close the list" : this.names.length ? "Change …" : "Choose …";
    const button = make("button", { type: "button", class: "sd-choices-open", "aria-expanded": this.open, "aria-controls": this.list.id, "aria-label": `${this.label}: ${words}` }, words);
    this.tokens.replaceChildren(...chosen, button);
    if (focused) button.focus({ preventScroll: true });
    setAttribute(this.list, "hidden", this.open ? null : "");
    this.renderList();
  }

  renderList() {
    if (!this.open) return this.list.replaceChildren();
    const options = this.options || [];
    const found = options.filter((name) => name.toLowerCase().includes(this.search.toLowerCase()));
    const rows = found.slice(0, MOST_LISTED).map((name) =>
      make("label", {}, make("input", { type: "checkbox", value: name, checked: this.names.includes(name) }), make("span", {}, name)),
    );
    if (found.length > MOST_LISTED) rows.push(make("p", { class: "sd-none" }, `And ${found.length - MOST_LISTED} more: search for them.`));
    if (!found.length) rows.push(make("p", { class: "sd-none" }, this.options ? "None." : "Reading …"));
    const rest = make("div", { class: "sd-choices-rows" }, ...rows);
    const field = /** @type {HTMLElement | null} */ (this.list.querySelector("input[type=search]"));
    if (options.length < SEARCHED_FROM) return this.list.replaceChildren(rest);
    if (!field) return this.list.replaceChildren(make("input", { type: "search", placeholder: "Search", "aria-label": `Search ${this.label}` }), rest);
    return field.nextElementSibling.replaceWith(rest);
  }

  clicked(event) {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.without !== undefined) return this.choose(this.names.filter((name) => name !== button.dataset.without));
    this.open = !this.open;
    this.search = "";
    return this.render();
  }

  ticked(event) {
    const { type, value, checked } = event.target;
    if (type !== "checkbox") return;
    event.stopPropagation();
    const { scrollTop } = this.list;
    const rest = this.names.filter((name) => name !== value);
    this.choose(checked ? [...rest, value] : rest);
    this.list.scrollTop = scrollTop;
    /** @type {HTMLElement | null} */ (this.list.querySelector(`input[value="${CSS.escape(value)}"]`))?.focus({ preventScroll: true });
  }

  searched(event) {
    event.stopPropagation();
    if (event.target.type !== "search") return;
    this.search = event.target.value;
    this.renderList();
  }

  // Esc closes the list, not the job.
  key(event) {
    if (event.key !== "Escape" || !this.open) return;
    event.preventDefault();
    event.stopPropagation();
    this.open = false;
    this.render();
    /** @type {HTMLElement} */ (this.tokens.lastElementChild).focus({ preventScroll: true });
  }
}
