// The Queue tab: rows of jobs, read from /sdapi/v1/jobs when something changed and the tab is in sight.

import { byId, make, setText, visible } from "./dom.js";
import { imageCount, sizeOf } from "./model.js";
import { thumbnail } from "./stage.js";
import { duration, ended, ordinal, phaseLine, seconds } from "./words.js";

const THUMBNAILS_SHOWN = 6;

export class Queue {
  stale = true;
  reading = false;
  rows = new Map(); // job id -> its element, so that a change of one job leaves the others alone

  constructor(model) {
    this.model = model;
    document.addEventListener("click", (event) => this.clicked(event));
  }

  changed() {
    this.stale = true;
  }

  async render(state) {
    if (!visible(byId("steady_queue"))) return;
    this.renderRunning(state);
    if (!this.stale || this.reading || state.standing !== "open") return;
    this.reading = true;
    this.stale = false;
    try {
      await this.read();
    } catch {
      this.stale = true; // asked again at the next message
    } finally {
      this.reading = false;
    }
    if (this.stale) setTimeout(() => this.render(this.model.state), 300);
  }

  async read() {
    const past = this.model.facts.queue_history_shown ?? 50;
    const [waiting, running, all] = await Promise.all([
      jobs("status=queued&limit=200"),
      jobs("status=running&limit=16"),
      jobs(`limit=${Math.min(1000, past + 200)}`),
    ]);
    this.running = running.jobs;
    const places = waiting.jobs.sort((a, b) => (a.position ?? 0) - (b.position ?? 0));
    const before = all.jobs.filter((job) => !["queued", "running"].includes(job.status)).slice(0, past);
    setText(byId("steady_queue_count"), waiting.total ? String(waiting.total) : "");
    this.fill("steady_queue_waiting", "steady_queue_no_waiting", places, waitingRow);
    this.fill("steady_queue_past", "steady_queue_no_past", before, pastRow);
    const known = new Set([...places, ...before].map((job) => job.id));
    for (const id of this.rows.keys()) if (!known.has(id)) this.rows.delete(id);
    this.renderRunning(this.model.state);
  }

  fill(id, emptyId, list, makeRow) {
    const rows = list.map((job) => {
      const key = JSON.stringify([job.status, job.position, job.outputs.length, job.error]);
      const kept = this.rows.get(job.id);
      if (kept?.dataset.key === key) return kept;
      const row = makeRow(job);
      row.dataset.key = key;
      row.dataset.job = job.id;
      this.rows.set(job.id, row);
      return row;
    });
    const box = byId(id);
    if (rows.length !== box.children.length || rows.some((row, i) => row !== box.children[i])) box.replaceChildren(...rows);
    byId(emptyId).hidden = rows.length > 0;
  }

  // The running job changes with each step: it is drawn from the stream, not read.
  renderRunning(state) {
    const box = byId("steady_queue_running");
    const running = Object.values(state.jobs).filter((job) => job.status === "running");
    for (const job of this.running || []) {
      const known = state.jobs[job.id];
      if (!known) running.push(job);
    }
    const key = JSON.stringify(running.map((job) => [job.id, job.outputs.length, job.requested]));
    if (box.dataset.key !== key) {
      box.dataset.key = key;
      box.replaceChildren(...running.map(runningRow));
      if (!running.length) box.append(make("p", { class: "sd-none" }, "Nothing is being drawn."));
    }
    for (const row of box.querySelectorAll("[data-job]")) {
      const mine = state.progress?.job === row.dataset.job ? state.progress : null;
      const line = phaseLine({ ...state, shown: row.dataset.job, pressed: null });
      setText(row.querySelector(".sd-row-state"), [line.phase, ...line.details].join(" · "));
      row.querySelector(".sd-row-bar").style.setProperty("--filled", `${((mine?.progress || 0) * 100).toFixed(1)}%`);
    }
  }

  async clicked(event) {
    const button = event.target.closest?.("#steady_queue button[data-act]");
    if (!button) return;
    const id = button.closest("[data-job]").dataset.job;
    if (button.dataset.act === "show") {
      this.model.showJob(id, Number(button.dataset.index ?? -1));
      return;
    }
    button.disabled = true;
    setText(button, "Stopping …");
    const path = `/sdapi/v1/jobs/${encodeURIComponent(id)}`;
    const queued = button.dataset.act === "remove";
    try {
      const answer = await fetch(queued ? path : `${path}/interrupt`, { method: queued ? "DELETE" : "POST" });
      // It began in the meantime: then what was meant is to interrupt it.
      if (queued && !answer.ok && answer.status !== 404) await fetch(`${path}/interrupt`, { method: "POST" });
    } catch {
      button.disabled = false;
      setText(button, "Cancel");
    }
    this.stale = true;
    this.render(this.model.state);
  }
}

async function jobs(query) {
  const answer = await fetch(`/sdapi/v1/jobs?${query}`, { cache: "no-store" });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

const prompt = (job) => make("span", { class: "sd-row-prompt" }, job.request.prompt || "(no prompt)");
const kind = (job) => {
  const { width, height } = sizeOf(job);
  const n = imageCount(job);
  const parts = [n === 1 ? "1 picture" : `${n} pictures`, width && height ? `${width} × ${height}` : null];
  return parts.filter(Boolean).join(" · ");
};
const act = (name, words) => make("button", { type: "button", "data-act": name, class: "sd-small" }, words);

function runningRow(job) {
  const words = make("div", { class: "sd-row-words" }, prompt(job), make("span", { class: "sd-row-state" }));
  const bar = make("div", { class: "sd-row-bar" });
  const stop = act("interrupt", job.requested === "interrupt" ? "Stopping …" : "Interrupt");
  stop.classList.add("sd-stop");
  return make("div", { class: "sd-row", "data-job": job.id }, pictures(job), words, stop, bar);
}

function waitingRow(job) {
  const place = make("span", { class: "sd-row-place" }, job.position === 1 ? "next" : ordinal(job.position || 1));
  const words = make("div", { class: "sd-row-words" }, prompt(job), make("span", {}, kind(job)));
  return make("li", { class: "sd-row" }, place, words, act("remove", "Cancel"));
}

function pastRow(job) {
  const { phase } = ended(job);
  const took = seconds(job);
  const at = job.finished_at ? new Date(job.finished_at * 1000) : null;
  const today = at && at.toDateString() === new Date().toDateString();
  const clock = at?.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const when = at ? (today ? clock : `${at.toLocaleDateString()} ${clock}`) : "";
  const line = [phase, took === null ? null : duration(took), when, job.error ? String(job.error) : null];
  const state = make("span", { class: "sd-row-state", "data-status": job.status }, line.filter(Boolean).join(" · "));
  const row = make("li", { class: "sd-row" }, pictures(job), make("div", { class: "sd-row-words" }, prompt(job), state));
  if (job.outputs.length) row.append(act("show", "Show"));
  return row;
}

function pictures(job) {
  const box = make("span", { class: "sd-row-pictures" });
  for (const output of job.outputs.slice(0, THUMBNAILS_SHOWN)) {
    const image = make("img", { src: thumbnail(output), alt: "", loading: "lazy" });
    const name = `Show picture ${output.index + 1}`;
    box.append(make("button", { type: "button", "data-act": "show", "data-index": output.index, "aria-label": name }, image));
  }
  const more = job.outputs.length - THUMBNAILS_SHOWN;
  if (more > 0) box.append(make("span", { class: "sd-row-more" }, `+${more}`));
  return box;
}
