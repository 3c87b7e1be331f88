// The Models tab: a page of cards after another, read from /sdapi/v1/models when something changed and it is in sight.

import { ask } from "../live/rest.js";
import { plural } from "../model/format.js";
import { byId, make, press, setAttribute, setText, visible } from "../page/dom.js";
import { ModelActions } from "./actions.js";
import { cardOf, markChosen } from "./cards.js";
import { Downloads } from "./downloads.js";

const PAGE = 60; // cards that are asked for at once
const MOST = 200; // that the server gives at once
const SEARCH_AFTER_MS = 200;
const AHEAD = "900px"; // so far before the end of the list the next page is asked for

export class Models {
  stale = true;
  reading = false;
  seen = false; // was the tab in sight at the last look?
  models = []; // those that are shown, in order
  total = 0;
  cards = new Map(); // id -> its element, so that a change of one model leaves the others alone
  query = { text: "", kind: "", family: "", sort: "name", descending: false };
  asked = 0; // the number of the newest question: an older answer is dropped

  constructor(page) {
    this.page = page;
    this.actions = new ModelActions(this);
    this.downloads = new Downloads(this);
    document.addEventListener("input", (/** @type {EventOn<HTMLInputElement>} */ event) => event.target.id === "steady_models_search" && this.search(event.target));
    document.addEventListener("change", (/** @type {EventOn<HTMLSelectElement>} */ event) => this.chose(event.target));
    this.end = new IntersectionObserver((found) => found.some((one) => one.isIntersecting) && this.more(), { rootMargin: AHEAD });
  }

  // Something may be another than what is shown.
  changed() {
    this.stale = true;
  }

  again() {
    this.changed();
    return this.render();
  }

  say(words) {
    setText(byId("steady_models_said"), words);
  }

  // A model that was downloaded is there: in this list and in that of the bar.
  arrived(words) {
    this.say(words);
    press("steady_reload_models");
    this.again();
  }

  find = (id) => this.models.find((one) => one.id === id);

  // --- what is asked for

  search(field) {
    clearTimeout(this.searching);
    this.searching = setTimeout(() => this.ask({ text: field.value.trim() }), SEARCH_AFTER_MS);
  }

  chose(list) {
    const part = { steady_models_kind: "kind", steady_models_family: "family" }[list.id];
    if (part) this.ask({ [part]: list.value });
    else if (list.id === "steady_models_sort") {
      const [sort, descending] = list.value.split(",");
      this.ask({ sort, descending: Boolean(descending) });
    }
  }

  // Another part of the list, from its beginning.
  ask(changes) {
    this.query = { ...this.query, ...changes };
    this.models = [];
    this.again();
  }

  async read(offset, limit) {
    const query = new URLSearchParams({ sort: this.query.sort, descending: String(this.query.descending), offset: String(offset), limit: String(limit) });
    for (const name of ["text", "kind", "family"]) if (this.query[name]) query.set(name, this.query[name]);
    return ask("GET", `/sdapi/v1/models?${query}`);
  }

  // --- what is to be seen

  async render() {
    const grid = byId("steady_models_grid");
    const now = visible(byId("steady_models"));
    const opened = now && !this.seen;
    this.seen = now;
    if (opened) {
      this.stale = true;
      this.downloads.read();
    }
    if (!now) return;
    markChosen(grid, this.page.checkpoints.chosen);
    if (!this.stale || this.reading || this.page.state.standing === "lost") return;
    this.reading = true;
    this.stale = false;
    const asked = ++this.asked;
    try {
      await this.readAll(Math.max(this.models.length, PAGE), asked);
      this.end.observe(byId("steady_models_end"));
    } catch (error) {
      this.actions.tell(String(error.message || error));
    } finally {
      this.reading = false;
    }
    if (this.stale) this.render();
  }

  // The list anew, as far as it is shown.
  async readAll(count, asked) {
    const models = [];
    let answer;
    do {
      answer = await this.read(models.length, Math.min(MOST, count - models.length));
      models.push(...answer.models);
    } while (models.length < Math.min(count, answer.total) && answer.models.length);
    if (asked === this.asked && !this.stale) this.show(models, answer);
  }

  async more() {
    if (this.reading || this.stale || this.models.length >= this.total) return;
    this.reading = true;
    const { asked } = this;
    try {
      const answer = await this.read(this.models.length, PAGE);
      const known = new Set(this.models.map((one) => one.id));
      if (asked === this.asked && !this.stale) this.show([...this.models, ...answer.models.filter((one) => !known.has(one.id))], answer);
    } catch {
      /* asked again when the end of the list comes into sight again */
    } finally {
      this.reading = false;
    }
    if (this.stale) this.render();
    else this.lookAtTheEnd();
  }

  // An observer tells of a change alone: a list that is still too short to fill the window has none.
  lookAtTheEnd() {
    const end = byId("steady_models_end");
    this.end.unobserve(end);
    this.end.observe(end);
  }

  show(models, { total, kinds, families }) {
    this.models = models;
    this.total = total;
    const focused = /** @type {HTMLElement} */ (document.activeElement);
    fillGrid(byId("steady_models_grid"), models.map((model) => this.card(model)));
    if (focused.matches("[role=menuitem]") && focused.isConnected) focused.focus({ preventScroll: true });
    const shown = new Set(models.map((one) => one.id));
    for (const id of this.cards.keys()) if (!shown.has(id)) this.cards.delete(id);
    fillList(byId("steady_models_kind"), "All kinds", kinds, this.query.kind);
    fillList(byId("steady_models_family"), "All families", families, this.query.family);
    byId("steady_models_kind").hidden = kinds.length < 2 && !this.query.kind;
    setText(byId("steady_models_count"), plural(total, "model", "models"));
    const none = byId("steady_models_none");
    none.hidden = total > 0;
    setText(none, this.nothing());
    markChosen(byId("steady_models_grid"), this.page.checkpoints.chosen);
    this.actions.readTrash();
  }

  card(model) {
    const key = JSON.stringify(model);
    const kept = this.cards.get(model.id);
    if (kept?.dataset.key === key) return kept;
    const card = cardOf(model);
    card.dataset.key = key;
    // What is learned of a model, as its hash is after a while, closes no menu under the hand.
    const menu = kept?.querySelector("[role=menu]:not([hidden])");
    if (menu && kept.dataset.name === card.dataset.name) card.querySelector(".sd-menu-holder").replaceWith(menu.parentElement);
    this.cards.set(model.id, card);
    return card;
  }

  nothing() {
    const { text, kind, family } = this.query;
    if (text || kind || family) return "No model fits what is searched for.";
    return "There is no model yet: put one into models/Stable-diffusion.";
  }
}

// Only what differs is touched, so that a menu stays open and the focus where it is.
function fillGrid(grid, cards) {
  const focused = /** @type {HTMLElement | null} */ (grid.contains(document.activeElement) ? document.activeElement.closest("[data-model]") : null);
  const at = Array.from(grid.children).indexOf(focused);
  cards.forEach((card, i) => {
    if (grid.children[i] !== card) grid.insertBefore(card, grid.children[i] || null);
  });
  while (grid.children.length > cards.length) grid.lastChild.remove();
  if (!focused || grid.contains(document.activeElement)) return;
  const next = cards.find((one) => one.dataset.model === focused.dataset.model) || cards[Math.min(at, cards.length - 1)];
  const field = /** @type {HTMLElement} */ (next?.querySelector("[data-act=use], button") || byId("steady_models_search"));
  field.focus({ preventScroll: true });
}

function fillList(list, all, groups, chosen) {
  const options = [{ name: "", label: all }, ...groups.map(({ name, label, count }) => ({ name, label: `${label} (${count})` }))];
  if (chosen && !groups.some((one) => one.name === chosen)) options.push({ name: chosen, label: `${chosen} (0)` });
  const key = JSON.stringify(options);
  if (list.dataset.key !== key) {
    list.dataset.key = key;
    list.replaceChildren(...options.map(({ name, label }) => make("option", { value: name }, label)));
  }
  if (list.value !== chosen) list.value = chosen;
  setAttribute(list, "data-set", chosen ? "" : null);
}
