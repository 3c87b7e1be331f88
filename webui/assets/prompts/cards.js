// LoRAs and embeddings beside the prompt (webui/tabs/drawing/prompts.py): a click on a card puts it in at the cursor, one
// more takes it out.

import { ask } from "../live/rest.js";
import { make, scrolling, setAttribute } from "../page/dom.js";
import { replace } from "./field.js";
import { callOf, toggled } from "./text.js";

const MOST = 60;
const WAIT_MS = 150;

export class Cards {
  isOpen = false;
  text = "";
  models = [];
  asked = 0;
  timer = 0;
  place = null; // of the cursor, when the prompt was left

  constructor(tab) {
    this.tab = tab;
    document.addEventListener("click", (event) => this.clicked(event));
    document.addEventListener("input", (event) => this.typed(event));
    // In the capturing phase: Esc in the drawer closes it, and stops no job.
    document.addEventListener("keydown", (event) => this.key(event), true);
    document.addEventListener("focusout", ({ target }) => {
      if (target && target === tab.promptField) this.place = tab.promptField.selectionStart;
    });
  }

  get drawer() {
    return this.tab.part("cards");
  }

  get button() {
    return this.tab.part("page")?.querySelector("button[data-cards]");
  }

  clicked(event) {
    if (this.tab.find(event, "page", "button[data-cards]")) this.toggle();
    const card = this.tab.find(event, "cards", "[data-call]");
    if (card) this.put(this.models[Number(card.dataset.call)]);
  }

  key(event) {
    if (event.key !== "Escape" || !this.isOpen || event.isComposing) return;
    if (!this.drawer.contains(event.target) && event.target !== this.button) return;
    event.preventDefault();
    event.stopPropagation();
    this.toggle();
    this.button.focus({ preventScroll: true });
  }

  toggle() {
    this.isOpen = !this.isOpen;
    setAttribute(this.button, "aria-expanded", String(this.isOpen));
    this.drawer.hidden = !this.isOpen;
    if (!this.isOpen) return;
    if (!this.drawer.firstChild) this.build();
    this.load().then(() => this.drawer.scrollIntoView({ block: "nearest", behavior: scrolling() }));
    this.drawer.querySelector("input").focus({ preventScroll: true });
  }

  build() {
    const search = make("input", { type: "search", class: "sd-field", placeholder: "Search LoRAs and embeddings", "aria-label": "Search LoRAs and embeddings" });
    search.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => {
        this.text = search.value;
        this.load();
      }, WAIT_MS);
    });
    this.drawer.append(search, make("ul", { class: "sd-cards-grid" }), make("p", { class: "sd-help", role: "status" }));
  }

  // Those that go with the model, LoRAs first.
  async load() {
    const number = ++this.asked;
    const told = this.drawer.querySelector("p");
    try {
      const shared = { text: this.text, fits: this.tab.page.checkpoints.chosen || "", limit: String(MOST) };
      const [loras, embeddings] = await Promise.all(["lora", "embedding"].map((kind) => ask("GET", `/sdapi/v1/models?${new URLSearchParams({ ...shared, kind })}`)));
      if (number !== this.asked) return;
      this.models = [...loras.models, ...embeddings.models].filter((one) => one.problem === null);
      const more = loras.total + embeddings.total - loras.models.length - embeddings.models.length;
      told.textContent = this.models.length === 0 ? `None ${this.text ? "is called so" : "goes with this model"}.` : more > 0 ? `${more} more: search for them.` : "";
      this.show();
    } catch (error) {
      told.textContent = String(error.message || error);
    }
  }

  show() {
    const grid = this.drawer.querySelector("ul");
    grid.replaceChildren(...this.models.map((model, at) => make("li", {}, cardOf(model, at))));
    this.mark();
  }

  typed({ target }) {
    if (this.isOpen && target === this.tab.promptField) this.mark();
  }

  mark() {
    const text = this.tab.promptField?.value || "";
    for (const button of this.drawer.querySelectorAll("[data-call]")) setAttribute(button, "aria-pressed", String(callOf(this.models[Number(button.dataset.call)], text) !== null));
  }

  put(model) {
    const field = this.tab.promptField;
    const place = Math.min(this.place ?? field.value.length, field.value.length);
    replace(field, toggled(model, field.value, place));
    this.place = field.selectionStart;
    this.mark();
  }
}

function cardOf({ kind, kind_label: label, call, preview, insert, family_label: family }, at) {
  const picture = make("span", { class: "sd-cards-picture", "aria-hidden": "true" }, preview ? "" : call.slice(0, 1).toUpperCase());
  if (preview) picture.append(make("img", { src: preview, alt: "", loading: "lazy", draggable: "false" }));
  const words = make("span", { class: "sd-cards-words" }, make("b", {}, call), make("span", {}, [label, kind === "lora" ? insert.slice(insert.indexOf(">") + 1).trim() : family].filter(Boolean).join(" · ")));
  return make("button", { type: "button", "data-call": at, "aria-pressed": "false", title: insert }, picture, words);
}
