// What can be done with the job on the stage, and what its buttons say.

import { chainOf, isMine, shownJob, shownProgress, unfinished } from "../model/model.js";
import { stopsAfter, stopWords } from "../model/words.js";
import { setAttribute } from "../page/dom.js";
import { rememberJob } from "../page/reload.js";

// Which buttons there are follows from the job alone: data-job on the root is "mine", "paused" (and mine), "other" or
// "none" (fields.css).
export function situation(state) {
  const job = shownJob(state);
  if (!unfinished(job)) return "none";
  if (!isMine(state, job)) return "other";
  return job.status === "paused" ? "paused" : "mine";
}

// Does this owner's job on the stage wait for nothing but that the queue goes on?
const isHeld = (state) => state.paused && situation(state) === "mine" && shownJob(state).status === "queued";

export function renderSituation(state) {
  document.documentElement.dataset.standing = state.standing;
  document.documentElement.dataset.job = situation(state);
  setAttribute(document.documentElement, "data-held", isHeld(state));
  rememberJob();
}

export function interruptLabel(state, job) {
  const words = stopWords(state, job);
  if (words === "Stopping …" || words === "Ending the engine …") return job.stop_requests === 2 ? "End the engine" : words;
  return stopsAfter(state, job) ? "Stop now" : job.status === "queued" && !job.started_at ? "Cancel" : "Interrupt";
}

// What a press of each button does now, "" for one that is not there: a change of it is a change under the hand.
export function meanings(state) {
  const job = shownJob(state);
  const now = situation(state);
  const mine = now === "mine";
  const label = mine ? interruptLabel(state, job) : "";
  const image = shownProgress(state)?.image ?? 0;
  return {
    generate: mine ? "" : now === "paused" ? "draw another" : "draw",
    interrupt: mine ? `${label === "Cancel" ? "Interrupt" : label} ${chainOf(state, job)[0].id}` : "",
    skip: mine && !isHeld(state) ? `skip ${job.id} ${image}` : "",
    queue_go_on: isHeld(state) ? "go on" : "",
    enqueue: mine ? "add" : "",
    pause: mine ? `pause ${job.id}` : "",
    resume: now === "paused" ? `resume ${job.id}` : "",
    menu: now === "none" ? now : `${now} ${chainOf(state, job)[0].id}`,
  };
}
