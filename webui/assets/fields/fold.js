// Fields that few need: closed until they are opened by hand, and what is set in them stands on the button that does so.

import { setAttribute, setText } from "../page/dom.js";

export class Fold {
  opened = null; // by hand: true or false
  /** @type {Record<string, any>} */
  values = {};

  // Of the button `data-NAME` and the fields within `.sd-NAME`.
  constructor(tab, name) {
    this.tab = tab;
    this.name = name;
    document.addEventListener("click", (event) => this.clicked(event));
  }

  get isOpen() {
    return this.opened ?? false;
  }

  // What is set, such as "VAE soft, clip skip 2".
  words() {
    return "";
  }

  clicked(event) {
    if (!this.tab.find(event, "page", `button[data-${this.name}]`)) return;
    this.opened = !this.isOpen;
    this.render();
  }

  // A field of the page is pointed at: it has to be seen.
  show(field) {
    if (!field.closest(`.sd-${this.name}`)) return;
    this.opened = true;
    this.render();
  }

  valuesAre(fields) {
    this.values = fields;
    this.render();
  }

  render() {
    const page = this.tab.part("page");
    const button = page?.querySelector(`button[data-${this.name}]`);
    if (!button) return;
    setAttribute(page, `data-${this.name}`, this.isOpen ? "" : null);
    setAttribute(button, "aria-expanded", String(this.isOpen));
    setText(button.querySelector(".sd-parts-set"), this.told());
  }

  told() {
    return this.isOpen ? "" : this.words();
  }
}
