// What the page says about a job. Pure functions of what is known.

import { imageCount, shownJob, shownPreview, shownProgress, unfinished } from "./model.js";

export function ordinal(n) {
  const tens = n % 100;
  if (tens >= 11 && tens <= 13) return `${n}th`;
  return `${n}${{ 1: "st", 2: "nd", 3: "rd" }[n % 10] || "th"}`;
}

export function duration(seconds) {
  if (seconds < 9.95) return `${Math.max(0.1, seconds).toFixed(1)} s`;
  if (seconds < 99.5) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 100 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

function timeLeft(seconds) {
  if (seconds === null || seconds === undefined) return null;
  if (seconds < 1) return "a moment left";
  if (seconds < 99.5) return `about ${Math.round(seconds)} s left`;
  return `about ${duration(seconds)} left`;
}

export function gigabytes(bytes) {
  const value = bytes / 2 ** 30;
  return value < 10 ? value.toFixed(1) : String(Math.round(value));
}

export function seconds(job) {
  return job.started_at && job.finished_at ? job.finished_at - job.started_at : null;
}

const plural = (n, one, many) => `${n} ${n === 1 ? one : many}`;

// {phase, details}: the phase changes seldom and is read aloud; the details change with each step.
export function phaseLine(state) {
  const job = shownJob(state);
  if (!job) return idle(state);
  if (!unfinished(job)) return ended(job);
  const engine = state.supervisor?.engine;
  if (engine?.status === "given_up") return { phase: "Waiting for the engine", details: ["it has stopped"] };
  if (engine?.status === "restarting") {
    return { phase: "The engine starts again", details: ["the job goes on where it was"] };
  }
  if (job.status === "queued") return waiting(state, job);
  if (job.status === "paused") return { phase: "Paused", details: [] };
  return running(state, job);
}

function idle(state) {
  const status = state.engine?.status;
  if (state.standing !== "open" && !state.instance) return { phase: "Connecting …", details: [] };
  if (!state.engine || status === "starting") return { phase: "The engine starts", details: ["you can write already"] };
  return { phase: "Ready", details: [] };
}

function waiting(state, job) {
  const place = state.queue.indexOf(job.id) + 1 || job.position || 1;
  const total = Math.max(state.queued, place);
  const starting = !state.engine || state.engine.status === "starting";
  if (starting) return { phase: "Queued", details: ["the engine starts"] };
  if (total === 1) return { phase: "Queued, next", details: [] };
  return { phase: `Queued, ${ordinal(place)} of ${total}`, details: [] };
}

function running(state, job) {
  const progress = shownProgress(state);
  const stopping = stopWords(state, job);
  if (!progress && (state.supervisor?.engine?.deaths || state.engine?.status === "starting")) {
    return { phase: "The engine starts again", details: ["the job goes on where it was"] };
  }
  if (!progress) return { phase: stopping || "Starting", details: [] };
  const details = [];
  if (progress.phase === "sample" && progress.steps) {
    details.push(`step ${Math.min(progress.step, progress.steps)} of ${progress.steps}`);
  }
  details.push(`${Math.floor((state.share?.job === job.id ? state.share.value : progress.progress) * 100)} %`);
  const left = timeLeft(progress.eta_seconds);
  if (left && !stopping) details.push(left);
  const after = stopsAfter(state, job) ? "stops after this image" : null;
  if (after) details.push(after);
  return { phase: stopping || phaseWords(progress, state), details };
}

function phaseWords(progress, state) {
  const which = progress.images > 1 ? ` image ${progress.image + 1} of ${progress.images}` : "";
  switch (progress.phase) {
    case "load":
      return `Loading ${state.engine?.checkpoint || "the model"} …`;
    case "encode":
      return "Reading the prompt";
    case "sample":
      return `Drawing${which}`;
    case "decode":
      return `Finishing${which}`;
    case "save":
      return `Saving${which}`;
    default:
      return "Working";
  }
}

// "Stopping …" is said at the click, before the server has heard of it.
export function stopWords(state, job) {
  const pressed = state.pressed?.job === job.id ? state.pressed : null;
  if (job.requested === "interrupt" || pressed?.kind === "interrupt") return "Stopping …";
  if (pressed?.kind === "skip") return "Skipping …";
  return null;
}

export function stopsAfter(state, job) {
  const pressed = state.pressed?.job === job.id ? state.pressed : null;
  return job.requested === "stop" || pressed?.kind === "stop";
}

export function ended(job) {
  const count = job.outputs.filter((output) => !output.partial).length;
  const total = imageCount(job);
  const took = seconds(job);
  const details = took === null ? [] : [duration(took)];
  switch (job.status) {
    case "done":
      if (count < total) return { phase: `Done: ${count} of ${total}`, details: [...details, "the rest was skipped"] };
      return { phase: `Done: ${plural(count, "picture", "pictures")}`, details };
    case "interrupted":
      if (!job.started_at) return { phase: "Taken out of the queue", details: [] };
      return { phase: `Interrupted after ${count} of ${total}`, details };
    case "quarantined":
      return { phase: "Set aside", details: ["it ended the engine twice"] };
    default:
      return { phase: "Failed", details };
  }
}

// The words on the picture itself.
export function noteWords(state, selected) {
  const job = shownJob(state);
  if (!job) return "";
  const other = job.owner !== state.owner && unfinished(job) ? "Another page's job · " : "";
  const preview = selected === null ? shownPreview(state) : null;
  if (preview) {
    const which = imageCount(job) > 1 ? ` · image ${preview.image + 1} of ${imageCount(job)}` : "";
    return `${other}Preview of step ${preview.step}${which}`;
  }
  return other.replace(" · ", "");
}
