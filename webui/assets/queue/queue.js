// The Queue tab: rows of jobs, read from /sdapi/v1/jobs when something changed and the tab is in sight.

import { ask } from "../live/rest.js";
import { kindOf } from "../model/job_words.js";
import { JOBS_LISTED, QUEUED_TOLD } from "../model/limits.js";
import { previewOf } from "../model/model.js";
import { phaseLine } from "../model/words.js";
import { byId, make, setAttribute, setText, visible } from "../page/dom.js";
import { QueueActions } from "./actions.js";
import { QueuePast } from "./past.js";
import { number, Reorder } from "./reorder.js";
import { pastRow, pausedRow, runningRow, waitingRow } from "./rows.js";

const REST_MS = 300; // between two readings of the lists

export class Queue {
  stale = true;
  reading = false;
  asked = 0; // grows with what is done and asked here: a list that was asked for before is out of date
  wasRead = false;
  newest = null; // when the last of those that wait came, if all of them are shown
  told = ""; // why the server refused what was asked last
  pages = 1; // of the past, as many rows each as the setting says
  rows = new Map(); // job id -> its element, so that a change of one job leaves the others alone

  constructor(model) {
    this.model = model;
    this.past = new QueuePast(
      () => model.state.owner,
      () => this.anew(),
    );
    this.actions = new QueueActions(model, this);
    const list = () => byId("steady_queue_waiting");
    this.reorder = new Reorder(list, (row, place) => this.actions.move(row.dataset.job, place), (words) => this.say(words));
  }

  changed() {
    this.stale = true;
  }

  again() {
    this.asked += 1;
    this.stale = true;
    this.render(this.model.state);
  }

  say(words) {
    setText(byId("steady_queue_said"), words);
  }

  // Another part of the past is asked for.
  anew() {
    this.pages = 1;
    this.again();
  }

  older() {
    this.pages += 1;
    this.again();
  }

  async render(state) {
    if (!visible(byId("steady_queue"))) return;
    this.renderRunning(state);
    this.renderHead(state);
    if (state.standing === "lost" && !this.wasRead) this.sayNothingKnown();
    if (!this.stale || this.reading || state.standing !== "open") return;
    this.reading = true;
    this.stale = false;
    const { asked } = this;
    try {
      await this.read();
    } catch {
      this.stale = true; // asked again at the next message
    } finally {
      this.reading = false;
    }
    if (this.stale) setTimeout(() => this.render(this.model.state), asked === this.asked ? REST_MS : 0);
  }

  async read() {
    const page = this.model.facts.queue_history_shown ?? 50;
    const shown = Math.min(JOBS_LISTED, page * this.pages);
    const { asked } = this;
    const query = this.past.query();
    const [waiting, running, paused, past] = await Promise.all([
      jobs(`status=queued&limit=${QUEUED_TOLD}`),
      jobs("status=running&limit=16"),
      jobs("status=paused&limit=100"),
      jobs(`${query}&limit=${shown}`),
    ]);
    if (this.reorder.busy || asked !== this.asked) {
      this.stale = true; // what the hand holds stays where it is; read again when it is put down
      return;
    }
    this.wasRead = true;
    this.running = running.jobs;
    const places = waiting.jobs.sort((a, b) => (a.position ?? 0) - (b.position ?? 0));
    this.fill("steady_queue_waiting", places, waitingRow);
    this.fill("steady_queue_paused", paused.jobs, pausedRow);
    this.fill("steady_queue_past", past.jobs, pastRow);
    this.waiting = waiting.total;
    // Of those that wait beyond the rows some may be newer.
    this.newest = places.length && places.length === waiting.total ? Math.max(...places.map((job) => job.created_at)) : null;
    setText(byId("steady_queue_no_waiting"), "Nothing waits.");
    byId("steady_queue_no_waiting").hidden = places.length > 0;
    byId("steady_queue_paused_part").hidden = !paused.jobs.length;
    byId("steady_queue_no_past").hidden = past.jobs.length > 0;
    this.past.render(query, past.jobs, past.total);
    setText(byId("steady_queue_found"), past.total ? String(past.total) : "");
    byId("steady_queue_older").hidden = past.total <= past.jobs.length || shown >= JOBS_LISTED || !page;
    const known = new Set([...places, ...paused.jobs, ...past.jobs].map((job) => job.id));
    for (const id of this.rows.keys()) if (!known.has(id)) this.rows.delete(id);
    this.renderRunning(this.model.state);
    this.renderHead(this.model.state);
  }

  // The server is gone before anything was read: an empty list would be a false word.
  sayNothingKnown() {
    for (const id of ["steady_queue_no_waiting", "steady_queue_no_past"]) {
      setText(byId(id), "The server does not answer: the list comes when it is back.");
      byId(id).hidden = false;
    }
  }

  // Only what differs is touched, and the focus stays: in its row, or where that is gone, in the one in its place.
  fill(id, list, makeRow) {
    const box = byId(id);
    const focused = box.contains(document.activeElement) ? /** @type {HTMLButtonElement} */ (document.activeElement) : null;
    const at = Array.from(box.children).indexOf(focused?.closest("[data-job]"));
    const rows = list.map((job) => this.row(job, makeRow));
    rows.forEach((row, i) => {
      if (box.children[i] !== row) box.insertBefore(row, box.children[i] || null);
      setAttribute(row.querySelector('.sd-wide[data-act="front"]'), "disabled", i ? null : "");
    });
    while (box.children.length > rows.length) box.lastChild.remove();
    number(rows);
    if (!focused || (document.activeElement === focused && !focused.disabled)) return;
    const { job } = /** @type {HTMLElement} */ (focused.closest("[data-job]")).dataset;
    const row = rows.find((one) => one.dataset.job === job) || rows[Math.min(at, rows.length - 1)];
    const same = focused.dataset.act ? row?.querySelector(`button.sd-small[data-act="${focused.dataset.act}"]:enabled`) : null;
    const next = same || row?.querySelector(focused.matches(".sd-dots") ? ".sd-dots" : "button:enabled") || byId("steady_queue_pause");
    next.focus({ preventScroll: true });
  }

  row(job, makeRow) {
    const { status, priority, forever, outputs, error, notes, paused_at: since } = job;
    const key = JSON.stringify([status, priority, forever, outputs.length, error, notes?.length, since]);
    const kept = this.rows.get(job.id);
    if (kept?.dataset.key === key) return kept;
    const row = makeRow(job, this.model.state);
    row.dataset.key = key;
    this.rows.set(job.id, row);
    return row;
  }

  renderHead(state) {
    const waiting = this.waiting ?? state.queued;
    setText(byId("steady_queue_count"), waiting ? String(waiting) : "");
    const button = byId("steady_queue_pause");
    setText(button, state.paused ? "Go on" : "Pause the queue");
    button.classList.toggle("sd-go", state.paused);
    const more = waiting > QUEUED_TOLD ? `The next ${QUEUED_TOLD} are shown.` : "";
    const lost = !["open", "quiet"].includes(state.standing) && "The server does not answer: this is how it was.";
    const words = byId("steady_queue_words");
    setText(words, this.told || lost || (state.paused ? "Paused: what runs goes on, nothing new begins." : more));
    setAttribute(words, "data-tone", this.told ? "bad" : null);
    setAttribute(byId("steady_queue_clear"), "disabled", waiting ? null : "");
  }

  // The running job changes with each step: it is drawn from the stream, not read.
  renderRunning(state) {
    const box = byId("steady_queue_running");
    const running = Object.values(state.jobs).filter((job) => job.status === "running");
    for (const job of this.running || []) if (!state.jobs[job.id]) running.push(job);
    const key = state.instance + JSON.stringify(running.map((job) => [job.id, job.outputs.length, job.requested, job.stop_requests, job.forever]));
    if (box.dataset.key !== key && !box.querySelector(".sd-menu:not([hidden])")) {
      box.dataset.key = key;
      box.replaceChildren(...running.map((job) => runningRow(job, state)));
      const nothing = state.instance ? "Nothing is being drawn." : "Connecting …";
      if (!running.length) box.append(make("p", { class: "sd-none" }, nothing));
    }
    /** @type {NodeListOf<HTMLElement>} */
    const drawnRows = box.querySelectorAll("[data-job]");
    for (const row of drawnRows) {
      const mine = state.progress?.job === row.dataset.job ? state.progress : null;
      const line = phaseLine({ ...state, shown: row.dataset.job, pressed: null });
      setText(row.querySelector(".sd-row-state"), [kindOf(running.find((one) => one.id === row.dataset.job)), line.phase, ...line.details].filter(Boolean).join(" · ").replace(/ %/g, "\u00a0%"));
      const preview = previewOf(state, row.dataset.job);
      if (preview) setAttribute(row.querySelector("[data-drawn] img"), "src", preview.data);
      /** @type {HTMLElement} */ (row.querySelector(".sd-row-bar")).style.setProperty("--filled", `${((mine?.progress || 0) * 100).toFixed(1)}%`);
    }
  }
}

const jobs = (query) => ask("GET", `/sdapi/v1/jobs?${query}`);
