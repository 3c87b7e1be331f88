// The sub-tabs: what is done with the picture that a tab starts from (webui/tabs/drawing/start_modes.py).

import { setAttribute } from "../page/dom.js";

export class Modes {
  chosen = "img2img";

  // `chose(name)` is told when somebody has chosen another one.
  constructor(tab, chose) {
    this.tab = tab;
    this.chose = chose;
    document.addEventListener("click", (event) => this.clicked(event));
    document.addEventListener("keydown", (event) => this.key(event));
  }

  get tabs() {
    return /** @type {HTMLElement[]} */ (Array.from(this.tab.part("starting")?.querySelectorAll("[role=tab]") || []));
  }

  // The names of those that there are.
  get names() {
    return this.tabs.map((one) => one.dataset.mode);
  }

  // The editor's mode in the chosen one, "" where there is no editor.
  get tools() {
    return this.tabs.find((one) => one.dataset.mode === this.chosen)?.dataset.tools ?? "";
  }

  get masked() {
    return this.tools.startsWith("mask");
  }

  get panel() {
    return this.tab.part("starting")?.querySelector(`.sd-mode[data-mode="${this.chosen}"]`);
  }

  clicked(event) {
    const tab = this.tab.find(event, "starting", "[role=tab]");
    if (tab) this.choose(tab.dataset.mode);
  }

  choose(name) {
    if (name === this.chosen || !this.names.includes(name)) return;
    this.chosen = name;
    this.render();
    this.chose(name);
  }

  // The arrow keys walk from sub-tab to sub-tab, and open them.
  key(event) {
    const tab = this.tab.find(event, "starting", "[role=tab]");
    if (!tab || event.altKey || event.ctrlKey || event.metaKey) return;
    const tabs = this.tabs;
    const at = tabs.indexOf(tab);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = tabs[(to + tabs.length) % tabs.length];
    next.focus();
    this.choose(next.dataset.mode);
  }

  render() {
    if (!this.tabs.length) return;
    if (!this.names.includes(this.chosen)) this.chosen = this.names[0]; // what was remembered is of another version
    for (const tab of this.tabs) {
      const on = tab.dataset.mode === this.chosen;
      setAttribute(tab, "aria-selected", String(on));
      setAttribute(tab, "tabindex", on ? "0" : "-1");
      document.getElementById(tab.getAttribute("aria-controls"))?.toggleAttribute("hidden", !on);
    }
    const page = this.tab.part("page");
    setAttribute(page, "data-start", this.chosen);
    setAttribute(page, "data-masked", this.masked);
  }
}
