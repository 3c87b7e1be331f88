// The Settings tab: its search field, what is wrong with a field, and the choices that are not applied yet. Those stay
// when another page applies its own, and only they are sent.

import { followSetting } from "../header/colours.js";
import { plural } from "../model/format.js";
import { byId, make, setAttribute, setLabel, setText } from "../page/dom.js";
import { touched } from "../page/touched.js";

const RESTARTS = "#settings_restart_gradio, #settings_restart_engine";
const SENDING = `#settings_submit, ${RESTARTS}`;
const UNSENT = "The server does not answer, so nothing was sent. Your choices stay here: apply them when it is back.";

export class Settings {
  standing = "quiet";
  known = null; // what the server has, by the setting's name
  now = null; // what the fields show
  restarted = false; // was a restart asked for, and nothing applied since?

  constructor() {
    document.addEventListener("input", (event) => this.edited(event.target), true);
    document.addEventListener("click", (event) => this.clicked(event), true);
  }

  // What the server has was read anew. Returns what the fields show from now on: the user's own choice where it is not
  // applied yet, else the server's. Before the first time what was chosen is what somebody was at.
  read(fresh, shown) {
    const chosen = (name) => (this.known ? !same(shown[name], this.known[name]) : touched(byId(`setting_${name}`)));
    const kept = Object.keys(this.known || fresh).filter(chosen);
    const merged = { ...fresh, ...Object.fromEntries(kept.map((name) => [name, shown[name]])) };
    this.known = fresh;
    followSetting(fresh.theme);
    this.changed(merged);
    return merged;
  }

  changed(shown) {
    for (const name of Object.keys(this.now || {})) if (!same(shown[name], this.now[name])) mend(byId(`setting_${name}`));
    this.now = shown;
    const open = new Set(this.open());
    for (const name of Object.keys(this.known || {})) byId(`setting_${name}`)?.classList.toggle("sd-unsaved", open.has(name));
    setLabel(byId("settings_submit"), open.size ? `Apply (${open.size})` : "Apply");
    setAttribute(byId("settings_submit"), "data-unsaved", open.size || null);
    this.sayUnapplied();
  }

  // A restart takes what was applied. What was not stays in the fields, and it is said that it did not go along.
  sayUnapplied() {
    const count = this.restarted ? this.open().length : 0;
    const words = `${plural(count, "choice is", "choices are")} not applied, so the restart goes without ${count === 1 ? "it" : "them"}.`;
    say("settings_unapplied", count ? words : "", "quiet");
  }

  open = () => Object.keys(this.known || {}).filter((name) => !same(this.now[name], this.known[name]));

  unsaved() {
    return JSON.stringify(this.open());
  }

  edited(target) {
    if (target.id === "settings_search") {
      forget();
      return search(target.value);
    }
    const setting = target.closest?.(".sd-setting");
    if (setting) mend(setting);
    if (setting) forget();
    return undefined;
  }

  // What was answered is of the moment before the next deed, and of this visit of the tab.
  clicked(event) {
    if (event.target.closest?.("[role=tab], #settings_submit")) {
      forget();
      this.restarted = false;
    } else if (event.target.closest?.(RESTARTS)) this.restarted = true;
    this.sayUnapplied();
    if (!event.target.closest?.(SENDING) || !["reconnecting", "lost"].includes(this.standing)) return;
    event.stopPropagation();
    event.preventDefault();
    say("settings_unsent", UNSENT, "problem");
  }

  // How the connection stands: what is pressed while the server is gone says so, until it is back.
  stands(standing) {
    if (standing !== this.standing && standing === "open") say("settings_unsent", "", "problem");
    this.standing = standing;
  }

  // The server has answered Apply: what is wrong stands at its field, the first one in sight.
  answered(html) {
    const answer = make("template");
    answer.innerHTML = html || "";
    const faults = Object.entries(JSON.parse(answer.content.firstElementChild?.dataset.faults || "{}"));
    for (const setting of document.querySelectorAll(".sd-setting")) mend(setting);
    for (const [name, words] of faults) blame(byId(`setting_${name}`), words);
    const first = faults.length ? byId(`setting_${faults[0][0]}`) : null;
    if (!first) return;
    if (first.classList.contains("sd-gone")) clearSearch();
    /** @type {HTMLElement} */ (first.querySelector("input, textarea"))?.focus({ preventScroll: true });
    first.scrollIntoView({ block: "center" });
  }
}

const same = (a, b) => a === b || (a ?? null) === (b ?? null);

// A line below what the server answers; "" takes it away.
function say(id, words, tone) {
  const box = byId("settings_result");
  let line = byId(id);
  if (!line && box && words) line = box.appendChild(make("p", { id, class: "sd-answer", "data-tone": tone, role: tone === "problem" ? "alert" : "status" }));
  setText(line, words);
  setAttribute(line, "hidden", words ? null : "");
}

function forget() {
  /** @type {HTMLElement | null} */
  const line = byId("settings_result")?.querySelector(".sd-answer");
  if (line) line.hidden = true;
}

function blame(setting, words) {
  if (!setting) return;
  mend(setting);
  const problem = make("p", { class: "sd-problem", role: "alert", id: `${setting.id}_problem` }, words);
  setting.append(problem);
  setting.classList.add("sd-wrong");
  for (const input of setting.querySelectorAll("input, textarea")) {
    setAttribute(input, "aria-invalid", "true");
    setAttribute(input, "aria-describedby", problem.id);
  }
}

function mend(setting) {
  const problem = setting?.querySelector(".sd-problem");
  if (!problem) return;
  problem.remove();
  setting.classList.remove("sd-wrong");
  for (const input of setting.querySelectorAll("[aria-invalid]")) {
    setAttribute(input, "aria-invalid", null);
    setAttribute(input, "aria-describedby", null);
  }
}

function clearSearch() {
  const field = /** @type {HTMLInputElement} */ (byId("settings_search"));
  field.value = "";
  search("");
}

function search(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  let all = 0;
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
    all += found;
  }
  const none = byId("settings_none");
  none.hidden = all > 0;
  setText(none, all ? "" : `No setting holds “${text.trim()}”.`);
}

// The badge is drawn by settings.css; a search for its words finds it too.
const needs = (setting) => (/sd-needs-(engine|server)/.test(setting.className) ? "restart" : "");
