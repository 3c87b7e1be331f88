// Who did what and when: read from /sdapi/v1/audit when the list is opened, older rows on demand.

import { ask } from "../live/rest.js";
import { clock } from "../model/format.js";
import { byId, make } from "../page/dom.js";
import { readOwner } from "../page/memory.js";
import { MOMENTS } from "./restarts.js";

const PAGE = 30;
const WORDS = {
  submit: "queued a job",
  skip: "skipped a picture",
  interrupt: "interrupted",
  stop: "stopped after the picture",
  pause: "paused",
  resume: "resumed",
  retry: "tried again",
  remove: "took out of the queue",
  forever: "switched for ever",
  "pause-queue": "paused the queue",
  "resume-queue": "let the queue go on",
  "interrupt-waiting": "cancelled what waits",
  settings: "changed settings",
  restart: "restarted the server",
  "restart-engine": "restarted the engine",
  "cancel-restart": "took a restart back",
  move: "moved in the queue",
  priority: "changed the priority",
};
// What a deed says beyond its name, in words.
const DETAILS = {
  changed: (names) => names.map(labelOf).join(", "),
  to: (place) => (typeof place === "number" ? `to place ${place}` : `to the ${place}`),
  on: (on) => (on ? "on" : "off"),
  count: (n) => `${n} ${n === 1 ? "job" : "jobs"}`,
  owner: (owner) => owner && `of ${short(owner)}`,
  was: (status) => `it was ${status}`,
  priority: (value) => String(value),
};

export class Audit {
  last = null; // number of the oldest row shown
  reading = false;

  constructor() {
    document.addEventListener("toggle", (/** @type {EventOn<HTMLDetailsElement>} */ event) => event.target.id === "steady_audit" && event.target.open && this.read(true), true);
    document.addEventListener("click", (/** @type {EventOn<HTMLElement>} */ event) => {
      if (event.target.closest?.("#steady_audit_more")) this.read(false);
      else if (event.target.closest?.("#steady_audit_again")) this.read(true);
    });
  }

  async read(anew) {
    if (this.reading) return; // the same rows would come twice
    this.reading = true;
    const body = byId("steady_audit_rows");
    const before = anew || this.last === null ? "" : `&before=${this.last}`;
    try {
      const answer = await ask("GET", `/sdapi/v1/audit?limit=${PAGE}${before}`);
      const list = answer.audit || answer.rows || answer;
      if (anew) body.replaceChildren();
      body.append(...list.map(row));
      this.last = list.length ? list[list.length - 1].number : this.last;
      byId("steady_audit_more").hidden = list.length < PAGE;
      byId("steady_audit_none").hidden = body.children.length > 0;
    } catch (error) {
      body.replaceChildren(make("tr", {}, make("td", { colspan: 3 }, String(error.message || error))));
    } finally {
      this.reading = false;
    }
  }
}

function row({ at, owner, address, action, job_id: job, detail }) {
  const who = owner === readOwner() ? "this browser" : owner ? short(owner) : "";
  const from = address && address !== owner ? address : "";
  const cells = [clock(at), [who, from].filter(Boolean).join(" · ") || "unknown", deed(action, job, detail)];
  return make("tr", {}, ...cells.map((words) => make("td", {}, words)));
}

export function deed(action, job, detail) {
  const ending = Object.keys(MOMENTS).find((one) => action.endsWith(one));
  const name = ending ? action.slice(0, -ending.length) : action;
  const told = ending ? `${WORDS[name] || name} ${MOMENTS[ending]}` : WORDS[name] || name;
  const more = Object.entries(detail || {}).map(([key, value]) => (DETAILS[key] ? DETAILS[key](value) : `${key}: ${said(value)}`));
  return [told, job ? `job ${short(job)}` : null, ...more].filter(Boolean).join(" · ");
}

// A setting by the name that the page gives it.
function labelOf(name) {
  const label = byId(`setting_${name}`)?.querySelector('[data-testid="block-info"], .label-text')?.textContent.trim();
  return label || { sd_model_checkpoint: "Checkpoint" }[name] || name;
}

const short = (id) => (/^[0-9a-f]{16,}$/.test(id) ? id.slice(0, 6) : id);
const said = (value) => (Array.isArray(value) ? value.join(", ") : typeof value === "object" ? JSON.stringify(value) : String(value));
