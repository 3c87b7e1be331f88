// What the page knows. Everything here comes from the server; the one exception is `pressed`, the answer to a click
// before the server has heard of it. `reduce` is pure: (what was known, a message) -> what is known now.

import { choose } from "./job_on_stage.js";
import { isMine, unfinished } from "./jobs.js";

export * from "./job_on_stage.js";
export * from "./jobs.js";

const KEPT_JOBS = 400;

export function initial(owner) {
  return {
    owner,
    standing: "quiet",
    instance: null,
    server: null, // {pid, started_at} of that instance
    page: null,
    jobs: {},
    shown: null, // id of the job on the stage
    asked: null, // id of a job that the user chose to see, until a job of his own begins
    queue: [],
    queued: 0,
    ownPaused: 0, // how many jobs of this owner are paused, known from live/paused_jobs.js
    paused: false, // the queue: what runs goes on, nothing new begins
    forget: false, // the next snapshot counts alone: what was known is of another database, or too old
    progress: null,
    share: null, // {job, value}: how much of the job on the stage is done, 0 to 1
    preview: null,
    engine: null,
    supervisor: null,
    heartbeat: null, // of the running job, with `heard`: when it last moved, by this page's own clock in ms
    notices: [],
    rights: null, // who this is for the server, and why he may not do what not everybody may
    pressed: null, // {job, kind: "interrupt" | "skip" | "stop" | "pause" | "resume", image, again}
  };
}

// The progress of the job on the stage, or null.
export function shownProgress(state) {
  return state.progress && state.progress.job === state.shown ? state.progress : null;
}

// The preview that belongs on the stage: of this job, of an image that is not there yet.
export const shownPreview = (state) => previewOf(state, state.shown);

// The preview of a job's picture that is being drawn, of a paused job the one that was kept; or null.
export function previewOf(state, id) {
  const job = state.jobs[id];
  const kept = job?.preview ? { job: id, image: job.image_index ?? 0, step: null, data: job.preview } : null;
  const preview = state.preview?.job === id ? state.preview : kept;
  if (!preview || !unfinished(job)) return null;
  return job.outputs.some((output) => output.index === preview.image) ? null : preview;
}

export function reduce(state, message) {
  switch (message.type) {
    case "snapshot":
      return settle(state, fromSnapshot(state, message));
    case "event":
      return settle(state, fromEvent(state, message));
    case "reset":
      return { ...state, forget: true }; // its snapshot follows: until then nothing on the page changes
    case "progress":
      return settle(state, { ...state, progress: message.progress });
    case "preview":
      return { ...state, preview: message.preview };
    case "engine":
      return { ...state, engine: message.engine };
    case "supervisor":
      return { ...state, supervisor: message.supervisor };
    case "heartbeat":
      return { ...state, heartbeat: beat(state.heartbeat, message.heartbeat, message.now) };
    case "standing":
      return { ...state, standing: message.standing };
    case "answered": // our own submit: its event may be here already, and then knows more
      return state.jobs[message.job.id] ? state : settle(state, withJob({ ...state, asked: null }, message.job));
    case "show":
      return settle(state, { ...withJob(state, message.job), asked: message.job.id });
    case "earlier": // this owner's jobs of before the page was opened: what the page knows itself is newer
      return settle(state, { ...state, jobs: { ...byId(message.jobs), ...state.jobs } });
    case "show-own":
      return settle(state, { ...state, asked: null, shown: null });
    case "own-paused":
      return { ...state, ownPaused: message.count };
    case "pressed":
      return { ...state, pressed: message.pressed };
    default:
      return state; // a newer server may say more than this page understands
  }
}

const byId = (jobs) => Object.fromEntries(jobs.map((job) => [job.id, job]));

function fromSnapshot(state, message) {
  const before = state.forget ? {} : state.jobs;
  const asked = before[state.asked];
  const jobs = asked ? { [asked.id]: asked } : {};
  for (const job of [message.running, message.job]) if (job) jobs[job.id] = job;
  // What ended while this page looked stays, as do this owner's pictures of before.
  for (const kept of Object.values(before)) {
    const stays = kept.id === state.shown || isMine(state, kept);
    if (stays && !unfinished(kept) && !jobs[kept.id]) jobs[kept.id] = kept;
  }
  return {
    ...state,
    jobs,
    forget: false,
    shown: message.job ? message.job.id : state.shown,
    instance: message.instance,
    server: message.server || null,
    page: message.page,
    queue: message.queue || [],
    queued: message.queued,
    paused: Boolean(message.queue_paused),
    progress: message.progress,
    preview: message.preview,
    engine: message.engine,
    supervisor: message.supervisor,
    heartbeat: beat(state.heartbeat, message.heartbeat, message.now),
    notices: message.notices || [],
    rights: message.rights ?? null,
    pressed: null, // a click that the server has heard of stands in the job; one that got lost may be made again
  };
}

function fromEvent(state, message) {
  const { queued, queue, queue_paused } = message;
  const next = { ...state, queued: queued ?? state.queued, queue: queue || state.queue, paused: queue_paused ?? state.paused };
  if (message.kind === "removed") {
    const jobs = { ...next.jobs };
    delete jobs[message.job_id];
    return { ...next, jobs };
  }
  if (message.kind === "image" && !message.job) return withOutput(next, message);
  if (!message.job) return next;
  if (isMine(state, message.job) && unfinished(message.job) && !state.jobs[message.job.id]) next.asked = null;
  return withJob(next, message.job);
}

// An image event carries the picture alone, so that a job of a thousand pictures costs no more than one of two. It may
// come twice.
function withOutput(state, { job_id, output, progress, image_index }) {
  const job = state.jobs[job_id];
  if (!job || !output) return state;
  const outputs = [...job.outputs.filter((one) => one.index !== output.index), output];
  outputs.sort((a, b) => a.index - b.index);
  const done = Math.max(job.progress || 0, progress || 0);
  return withJob(state, { ...job, outputs, progress: done, image_index: image_index ?? job.image_index });
}

// `now` is this page's clock: the engine's own starts elsewhere. A beat that says nothing new is as old as it was.
function beat(before, heartbeat, now) {
  if (!heartbeat) return null;
  if (before && before.job === heartbeat.job && before.at === heartbeat.at) return { ...heartbeat, heard: before.heard };
  return { ...heartbeat, heard: (now ?? 0) - (heartbeat.silent_seconds || 0) * 1000 };
}

// The heartbeat of a job that shows no sign of life, else null.
export function stalledBeat(state) {
  const { heartbeat } = state;
  return heartbeat?.stalled && state.jobs[heartbeat.job]?.status !== "paused" ? heartbeat : null;
}

function withJob(state, job) {
  const jobs = { ...state.jobs, [job.id]: job };
  const ids = Object.keys(jobs);
  for (const id of ids.slice(0, Math.max(0, ids.length - KEPT_JOBS))) {
    if (id !== state.shown && id !== state.asked && !unfinished(jobs[id])) delete jobs[id];
  }
  return { ...state, jobs };
}

// What follows from the rest: which job is on the stage, and whether a click still waits for its deed.
function settle(before, state) {
  const shown = choose(state);
  return { ...state, shown, share: shareDone(before, state, shown), pressed: stillPressed(state, shown) };
}

// Never falls within a job: the live progress ends a moment before the row says "done", and the row's own number is
// written now and then only. A job that had ended and waits again, for pictures that it lacks, begins anew.
function shareDone(before, state, shown) {
  const job = state.jobs[shown];
  if (!job) return null;
  const live = unfinished(job) && state.progress?.job === shown ? state.progress.progress : 0;
  const again = unfinished(job) && before.jobs[shown] && !unfinished(before.jobs[shown]);
  const known = before.share?.job === shown && !again ? before.share.value : 0;
  return { job: shown, value: job.status === "done" ? 1 : Math.max(known, live, job.progress || 0) };
}

function stillPressed(state, shown) {
  const pressed = state.pressed;
  if (!pressed) return null;
  const job = state.jobs[pressed.job];
  if (!unfinished(job) || pressed.job !== shown) return null;
  if (pressed.kind === "skip") {
    const passed = state.progress && state.progress.job === job.id && state.progress.image > pressed.image;
    return passed ? null : pressed;
  }
  if (pressed.kind === "resume") return job.status === "paused" ? pressed : null;
  if (pressed.kind === "pause") return job.status === "paused" || job.requested ? null : pressed;
  if (job.requested === "interrupt") return null; // the server says it from here on
  if (job.requested === "stop" && !pressed.again) return null;
  return pressed;
}
