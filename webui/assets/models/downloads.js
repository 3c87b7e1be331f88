// Downloads from the Hugging Face Hub, in the Models tab: allowed, asked for, watched, paused, cancelled.

import { ask } from "../live/rest.js";
import { byId, setAttribute, setText } from "../page/dom.js";
import { downloadRow, renderRow } from "./download_rows.js";

const DOWNLOADS = "/sdapi/v1/downloads";
const LOOKS_AGAIN_MS = 700; // while something comes
const ACTIVE = ["waiting", "running"];

export class Downloads {
  known = null; // what the server told last
  rows = new Map(); // id -> its element
  speeds = new Map(); // id -> what tells how fast it comes
  timer = null;
  asked = 0; // the number of the newest question: an older answer is dropped
  opened = false; // is the form for another one open?

  constructor(models) {
    this.models = models;
    document.addEventListener("click", (event) => this.clicked(event));
    document.addEventListener("submit", (event) => this.submitted(event));
  }

  // The tab has come into sight, or something was done.
  async read() {
    const { rights } = this.models.page.state;
    if (!rights || rights.guest) return;
    clearTimeout(this.timer);
    this.asked += 1;
    const { asked } = this;
    let told;
    try {
      told = await ask("GET", DOWNLOADS);
    } catch {
      told = this.known; // asked again below
    }
    if (asked !== this.asked || !told) return;
    const before = this.known;
    this.known = told;
    this.render();
    this.tellArrivals(before);
    const active = told.downloads.some((one) => ACTIVE.includes(one.status));
    if (active && this.models.seen) this.timer = setTimeout(() => this.read(), LOOKS_AGAIN_MS);
  }

  tellArrivals(before) {
    if (!before) return;
    const was = new Map(before.downloads.map((one) => [one.id, one.status]));
    for (const one of this.known.downloads) {
      if (!was.has(one.id) || was.get(one.id) === one.status) continue;
      if (one.status === "done") this.models.arrived(`${one.name} has arrived.`);
      else if (one.status === "failed") this.models.say(`${one.name}: ${one.message}`);
    }
  }

  // --- what is to be seen

  render() {
    const { known } = this;
    const button = byId("steady_downloads_open");
    if (!button) return;
    button.hidden = false;
    setAttribute(button, "aria-expanded", String(this.opened));
    byId("steady_downloads_ask").hidden = !this.opened;
    byId("steady_downloads_form").hidden = !known.allowed;
    byId("steady_downloads_off").hidden = known.allowed;
    setText(byId("steady_downloads_from"), `From ${known.hub.split("//").pop()} into ${known.folder}. Weights as safetensors or GGUF alone come, no pickles and no code.`);
    setText(byId("steady_downloads_token_words"), known.token ? "A token is kept here and told to nobody." : "Gated and private models want one of yours.");
    byId("steady_downloads_forget").hidden = !known.token;
    this.renderList();
  }

  renderList() {
    const list = byId("steady_downloads_list");
    const rows = this.known.downloads.map((one) => {
      const key = JSON.stringify([one.status, one.name, one.message, one.choices, one.path]);
      let row = this.rows.get(one.id);
      if (row?.dataset.key !== key) {
        const old = row;
        row = downloadRow(one);
        row.dataset.key = key;
        this.rows.set(one.id, row);
        if (old?.isConnected) replaceKeepingFocus(old, row);
      }
      renderRow(row, one, this.speedOf(one));
      return row;
    });
    rows.forEach((row, i) => {
      if (list.children[i] !== row) list.insertBefore(row, list.children[i] || null);
    });
    while (list.children.length > rows.length) list.lastChild.remove();
    byId("steady_downloads").hidden = !this.opened && !rows.length;
  }

  // Bytes a second over the last looks; 0: not known yet.
  speedOf({ id, status, done_bytes: done }) {
    const now = performance.now();
    const seen = (status === "running" && this.speeds.get(id)) || [];
    seen.push([now, done]);
    while (seen.length > 2 && now - seen[0][0] > 8000) seen.shift();
    this.speeds.set(id, seen);
    const [since, had] = seen[0];
    return now - since > 1000 && done > had ? ((done - had) / (now - since)) * 1000 : 0;
  }

  // --- what people do

  clicked(event) {
    const button = event.target.closest?.("#steady_models [data-download]");
    if (!button) return;
    const id = button.closest("[data-id]")?.dataset.id;
    const path = `${DOWNLOADS}/${id}`;
    const doing = {
      open: () => this.toggle(),
      allow: () => this.allow(true),
      forbid: () => this.allow(false),
      forget: () => this.do(() => ask("POST", `${DOWNLOADS}/token`, { token: "" }), "The token is forgotten."),
      pause: () => this.do(() => ask("POST", `${path}/pause`, {})),
      resume: () => this.do(() => ask("POST", `${path}/resume`, {})),
      remove: () => this.do(() => ask("DELETE", path)),
      choose: () => this.choose(id, button.dataset.path),
    };
    doing[button.dataset.download]?.();
  }

  toggle() {
    this.opened = !this.opened;
    this.render();
    if (this.opened) /** @type {HTMLElement} */ (byId(this.known.allowed ? "steady_downloads_address" : "steady_downloads_allow")).focus();
  }

  async allow(on) {
    if (await this.do(() => ask("POST", "/sdapi/v1/options", { hub_downloads: on }))) byId(on ? "steady_downloads_address" : "steady_downloads_open").focus();
  }

  submitted(event) {
    if (event.target.id === "steady_downloads_form") {
      event.preventDefault();
      this.add(byId("steady_downloads_address"));
    } else if (event.target.id === "steady_downloads_token_form") {
      event.preventDefault();
      const field = /** @type {HTMLInputElement} */ (byId("steady_downloads_token"));
      this.keepToken(field);
    }
  }

  async keepToken(field) {
    if (await this.do(() => ask("POST", `${DOWNLOADS}/token`, { token: field.value }), "The token is kept.")) field.value = "";
  }

  async add(field) {
    const address = field.value.trim();
    if (!address) return field.focus();
    const half = /** @type {HTMLInputElement} */ (byId("steady_downloads_half")).checked;
    const begun = await this.do(() => ask("POST", DOWNLOADS, { address, half }), `${address} is asked for.`);
    if (begun) field.value = "";
    return field.focus();
  }

  // One of several files of a repository: a download of its own, and the question is answered.
  choose(id, path) {
    const { repo, revision } = this.known.downloads.find((one) => one.id === id);
    const encoded = path.split("/").map(encodeURIComponent).join("/");
    const address = `${this.known.hub}/${repo}/blob/${encodeURIComponent(revision || "main")}/${encoded}`;
    return this.do(async () => {
      await ask("POST", DOWNLOADS, { address, half: false });
      await ask("DELETE", `${DOWNLOADS}/${id}`);
    });
  }

  // Returns whether it was done.
  async do(deed, words = "") {
    try {
      await deed();
      this.models.actions.tell("");
      if (words) this.models.say(words);
      return true;
    } catch (error) {
      this.models.actions.tell(String(error.message || error));
      return false;
    } finally {
      await this.read();
    }
  }
}

function replaceKeepingFocus(old, row) {
  const had = old.contains(document.activeElement);
  old.replaceWith(row);
  if (had) row.querySelector("button")?.focus({ preventScroll: true });
}
