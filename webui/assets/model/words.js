// What the page says about a job. Pure functions of what is known.

import { whichWords } from "./batch.js";
import { clock, duration, ordinal, plural } from "./format.js";
import { chainOf, imageCount, shownJob, shownProgress, stalledBeat, unfinished } from "./model.js";
import { secondsLeft, turnOfNext } from "./waiting_time.js";

export function seconds(job) {
  return job.started_at && job.finished_at ? job.finished_at - job.started_at : null;
}

export function pausedWords(job) {
  const since = job.paused_at ? `since ${clock(job.paused_at)}` : "Paused";
  return job.started_at ? `${since}, ${Math.floor((job.progress || 0) * 100)} % done` : `${since}, before it began`;
}

// {phase, details}: the phase changes seldom and is read aloud; the details change with each step. `writes`: is there
// anything to write where the line stands?
export function phaseLine(state, writes = true) {
  const job = shownJob(state);
  if (!job) return idle(state, writes);
  if (!unfinished(job)) return ended(job, chainOf(state, job));
  if (state.standing === "lost") return unheard(state, job); // all that is known of it is of before
  if (job.status === "paused") return pausedLine(state, job); // it needs no engine, so it tells of none
  const engine = state.supervisor?.engine;
  if (engine?.status === "given_up") return { phase: "Waiting for the engine", details: ["it has stopped"] };
  if (engine?.status === "restarting") return afterAnEnd(state, job);
  if (job.status === "queued") return waiting(state, job);
  return running(state, job);
}

function idle(state, writes) {
  const status = state.engine?.status;
  if (state.standing !== "open" && !state.instance) return { phase: "Connecting …", details: [] };
  if (state.standing === "lost") return { phase: "The server does not answer", details: writes ? ["you can write all the same"] : [] };
  if (!state.engine || status === "starting") return { phase: "The engine starts", details: writes ? ["you can write already"] : [] };
  return { phase: "Ready", details: state.paused ? ["the queue is paused"] : [] };
}

function unheard(state, job) {
  const share = state.share?.job === job.id ? state.share.value : job.progress || 0;
  const last = job.status === "queued" ? "when last heard of it waited" : `${Math.floor(share * 100)} % when last heard of`;
  return { phase: "The server does not answer", details: [last, "the job is kept"] };
}

function waiting(state, job) {
  const place = state.queue.indexOf(job.id) + 1 || job.position || 1;
  const total = Math.max(state.queued, place);
  const starting = !state.engine || state.engine.status === "starting";
  if (starting && job.started_at) return afterAnEnd(state, job);
  if (starting) return { phase: "Queued", details: ["the engine starts"] };
  const left = secondsLeft(state);
  const turn = place === 1 && left ? [inWords(left)] : [];
  const details = state.paused ? ["the queue is paused"] : turn;
  if (total === 1) return { phase: "Queued, next", details };
  return { phase: `Queued, ${ordinal(place)} of ${total}`, details };
}

// When the turn of a job comes that is put into the queue now.
export function addWords(state) {
  if (state.paused) return "queue paused"; // it stands in a narrow button
  const { seconds, others } = turnOfNext(state);
  if (seconds !== null) return inWords(seconds);
  return others ? `after ${plural(others, "other", "others")}` : "next";
}

const inWords = (seconds) => (seconds < 1 ? "in a moment" : `in about ${seconds < 99.5 ? `${Math.round(seconds)} s` : duration(seconds)}`);

function pausedLine(state, job) {
  if (state.pressed?.job === job.id && state.pressed.kind === "resume") return { phase: "Going on …", details: [] };
  const share = job.progress || 0;
  if (!job.started_at) return { phase: "Paused", details: ["before it began"] };
  return { phase: "Paused", details: [`${Math.floor(share * 100)} % done`, "it goes on from there"] };
}

// Of this owner's paused jobs those that are not on the stage: nothing else on the page tells of them.
export function otherPausedWords(state) {
  const job = shownJob(state);
  const shown = job?.status === "paused" && job.owner === state.owner ? 1 : 0;
  const others = state.ownPaused - shown;
  return others > 0 ? plural(others, shown ? "more paused job" : "paused job", shown ? "more paused jobs" : "paused jobs") : "";
}

function afterAnEnd(state, job) {
  const stopping = stopWords(state, job);
  if (stopping) return { phase: stopping, details: ["the engine starts again"] };
  return { phase: "The engine starts again", details: ["the job goes on after that"] };
}

function timeLeft(seconds) {
  if (seconds === null || seconds === undefined) return null;
  if (seconds < 1) return "a moment left";
  if (seconds < 99.5) return `about ${Math.round(seconds)} s left`;
  return `about ${duration(seconds)} left`;
}

function running(state, job) {
  const progress = shownProgress(state);
  const stopping = stopWords(state, job);
  if (!progress && (state.supervisor?.engine?.deaths || state.engine?.status === "starting")) return afterAnEnd(state, job);
  if (!progress) return { phase: stopping || "Starting", details: [] };
  const details = [];
  if (progress.phase === "sample" && progress.steps) {
    details.push(`step ${Math.min(progress.step, progress.steps)} of ${progress.steps}`);
  }
  details.push(`${Math.floor((state.share?.job === job.id ? state.share.value : progress.progress) * 100)} %`);
  const left = timeLeft(progress.eta_seconds);
  if (left && !stopping) details.push(left);
  const stalled = stalledBeat(state);
  if (stalled?.job === job.id) details.push(stallWords(stalled, performance.now()));
  if (beganAnew(job)) details.push("begun anew");
  if (job.stop_requests === 2) details.push("asked twice: a third time ends the engine");
  if (stopsAfter(state, job)) details.push("stops after this image");
  else if (job.forever && !stopping) details.push("then again");
  return { phase: stopping || phaseWords(progress, state), details };
}

// Was its first picture begun again after the engine's end, since no snapshot was there to go on from?
function beganAnew(job) {
  const last = (job.notes || []).findLast((note) => ["continued", "restarted"].includes(note.kind));
  return last?.kind === "restarted" && !job.outputs.length;
}

// Of a job whose pictures are enlarged between two passes the first pass goes without saying.
const PASSES = ["", ", second pass", ", third pass"];

function phaseWords(progress, state) {
  const which = progress.images > 1 ? ` image ${progress.image + 1} of ${progress.images}` : "";
  const ofBatch = whichWords(shownJob(state), progress.image);
  switch (progress.phase) {
    case "load":
      return `Loading ${state.engine?.checkpoint || "the model"} …`;
    case "encode":
      return "Reading the prompt";
    case "sample":
      return `Drawing ${ofBatch}`.trim() + (PASSES[progress.pass || 0] ?? "");
    case "prepare":
      return `Reading the picture${ofBatch && ` for ${ofBatch}`}`;
    case "upscale":
      return `Enlarging ${ofBatch}`.trim();
    case "decode":
      return `Finishing${which}`;
    case "save":
      return `Saving${which}`;
    default:
      return "Working";
  }
}

// What is said when the engine's step takes far longer than such steps do. `now` is this page's clock in ms.
export function stallWords(heartbeat, now) {
  const silent = heartbeat.heard ? ` for ${duration((now - heartbeat.heard) / 1000)}` : "";
  const usual = heartbeat.expected_seconds ? `, usually ${duration(heartbeat.expected_seconds)}` : "";
  return `no sign of life${silent}${usual}`;
}

// "Stopping …" is said at the click, before the server has heard of it.
export function stopWords(state, job) {
  const pressed = state.pressed?.job === job.id ? state.pressed : null;
  if (job.requested === "interrupt" || pressed?.kind === "interrupt") {
    return job.stop_requests >= 3 ? "Ending the engine …" : "Stopping …";
  }
  if (job.requested === "pause" || pressed?.kind === "pause") return "Pausing …";
  if (pressed?.kind === "skip") return "Skipping …";
  return null;
}

export function stopsAfter(state, job) {
  const pressed = state.pressed?.job === job.id ? state.pressed : null;
  return job.requested === "stop" || pressed?.kind === "stop";
}

const ofChain = (count, chain) => (chain[0].follows ? "more than " : "") + plural(count, "picture", "pictures");

// `chain` are the jobs that it ends, where each began the next by itself.
export function ended(job, chain = [job]) {
  const outputs = chain.flatMap((one) => one.outputs);
  const partial = outputs.filter((output) => output.partial).length;
  const count = outputs.length - partial;
  const total = imageCount(job) * chain.length;
  const took = seconds(job) === null ? null : chain.reduce((sum, one) => sum + (seconds(one) || 0), 0);
  const parts = partial ? [plural(partial, "partial picture", "partial pictures")] : [];
  const details = took === null ? parts : [...parts, duration(took)];
  switch (job.status) {
    case "done":
      if (job.kind === "interrogate") return { phase: "Described", details };
      if (count < total) return { phase: `Done: ${count} of ${total}`, details: [...details, partial === total - count ? "the rest was stopped" : "the rest was skipped"] };
      return { phase: `Done: ${ofChain(count, chain)}`, details };
    case "interrupted":
      if (!job.started_at && !job.follows) return { phase: "Taken out of the queue", details: [] };
      if (partial && !count) return { phase: "Interrupted", details };
      if (job.follows) return { phase: count ? `Interrupted after ${ofChain(count, chain)}` : "Interrupted", details };
      return { phase: `Interrupted after ${count} of ${total}`, details };
    case "quarantined":
      return { phase: "Set aside", details: ["it ended the engine twice", "the queue goes on"] };
    default:
      return { phase: "Failed", details };
  }
}

// The words on the picture itself.
export function noteWords(state, preview) {
  const job = shownJob(state);
  if (!job) return "";
  if (job.owner !== state.owner && unfinished(job)) return "Another page's job";
  if (preview) {
    const less = shownProgress(state)?.preview?.reason ? "coarse" : "";
    const what = preview.step === null ? "Last preview" : `Preview of step ${preview.step}`;
    return [what, whichWords(job, preview.image), less].filter(Boolean).join(" · ");
  }
  return "";
}
