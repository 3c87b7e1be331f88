// The search field of the Settings tab: shows the settings that hold all its words.

import { byId } from "./dom.js";

export function wireSettings() {
  document.addEventListener("input", (event) => {
    if (event.target.id === "settings_search") search(event.target.value);
  });
}

function search(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  for (const section of byId("steady_settings").querySelectorAll(".sd-section")) {
    const heading = section.querySelector("h2")?.textContent || "";
    let found = 0;
    for (const setting of section.querySelectorAll(".sd-setting")) {
      const said = `${heading} ${setting.id} ${setting.textContent} ${needs(setting)}`.toLowerCase();
      const fits = words.every((word) => said.includes(word));
      setting.classList.toggle("sd-gone", !fits);
      found += fits ? 1 : 0;
    }
    section.classList.toggle("sd-gone", !found);
  }
}

// The badge is drawn by tabs.css; a search for its words finds it too.
const needs = (setting) => (setting.classList.contains("sd-needs-nothing") ? "" : "restart");
