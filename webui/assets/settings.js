// The Settings tab: its search field, and the choices that are not applied yet. Those stay when another page applies
// its own, and only they are sent.

import { byId, setAttribute, setLabel } from "./dom.js";

export class Settings {
  names = [];
  known = null; // what the server has, in the order of `names`
  now = []; // what the fields show

  constructor() {
    document.addEventListener("input", (event) => event.target.id === "settings_search" && search(event.target.value));
  }

  // What the server has was read anew. Returns what the fields show from now on: the user's own choice where it is not
  // applied yet, else the server's.
  read(json, values) {
    const { names, values: fresh } = JSON.parse(json || '{"names": [], "values": []}');
    const merged = fresh.map((value, i) => (this.known && !same(values[i], this.known[i]) ? values[i] : value));
    this.names = names;
    this.known = fresh;
    this.changed(merged);
    return merged;
  }

  changed(values) {
    this.now = values;
    const open = new Set(this.open());
    for (const name of this.names) byId(`setting_${name}`)?.classList.toggle("sd-unsaved", open.has(name));
    setLabel(byId("settings_submit"), open.size ? `Apply (${open.size})` : "Apply");
    setAttribute(byId("settings_submit"), "data-unsaved", open.size || null);
  }

  open = () => this.names.filter((name, i) => this.known && !same(this.now[i], this.known[i]));

  unsaved() {
    return JSON.stringify(this.open());
  }
}

const same = (a, b) => a === b || (a ?? null) === (b ?? null);

function search(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  for (const section of byId("steady_settings").querySelectorAll(".sd-section")) {
    const heading = section.querySelector("h2")?.textContent || "";
    const settings = Array.from(section.querySelectorAll(".sd-setting"));
    let found = 0;
    for (const setting of settings.length ? settings : [section]) {
      const said = `${heading} ${setting.id} ${setting.textContent} ${needs(setting)}`.toLowerCase();
      const fits = words.every((word) => said.includes(word));
      if (setting !== section) setting.classList.toggle("sd-gone", !fits);
      found += fits ? 1 : 0;
    }
    section.classList.toggle("sd-gone", !found);
  }
}

// The badge is drawn by tabs.css; a search for its words finds it too.
const needs = (setting) => (/sd-needs-(engine|server)/.test(setting.className) ? "restart" : "");
