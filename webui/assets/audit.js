// Who did what and when: read from /sdapi/v1/audit when the list is opened, older rows on demand.

import { byId, make } from "./dom.js";
import { readOwner } from "./memory.js";
import { ask } from "./rest.js";
import { clock } from "./words.js";

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
};

export class Audit {
  last = null; // number of the oldest row shown

  constructor() {
    document.addEventListener("toggle", (event) => event.target.id === "steady_audit" && event.target.open && this.read(true), true);
    document.addEventListener("click", (event) => {
      if (event.target.closest?.("#steady_audit_more")) this.read(false);
      else if (event.target.closest?.("#steady_audit_again")) this.read(true);
    });
  }

  async read(anew) {
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
    }
  }
}

function row({ at, owner, address, action, job_id: job, detail }) {
  const who = owner === readOwner() ? "this browser" : owner ? short(owner) : "";
  const from = address && address !== owner ? address : "";
  const more = detail && Object.keys(detail).length ? Object.entries(detail).map(([name, value]) => `${name}: ${said(value)}`) : [];
  const what = [WORDS[action] || action, job ? `job ${short(job)}` : null, ...more].filter(Boolean).join(" · ");
  const cells = [clock(at), [who, from].filter(Boolean).join(" · ") || "unknown", what];
  return make("tr", {}, ...cells.map((words) => make("td", {}, words)));
}

const short = (id) => (/^[0-9a-f]{16,}$/.test(id) ? id.slice(0, 6) : id);
const said = (value) => (Array.isArray(value) ? value.join(", ") : typeof value === "object" ? JSON.stringify(value) : String(value));
