// Which job is on the stage. Pure functions of what is known.

import { isMine, runningJob, unfinished } from "./jobs.js";

// This owner's job that is being drawn, else his next one in the queue, else his paused one if it is there already, else
// his last one, whoever draws meanwhile; only who has none sees what others draw. (While one of his jobs is drawn and
// another waits, the drawn one is worth looking at; a paused one comes back by itself only where nothing has taken its
// place.)
export function choose(state) {
  return state.jobs[state.asked] ? state.asked : chooseUnasked(state);
}

function chooseUnasked(state) {
  const own = Object.values(state.jobs).filter((job) => isMine(state, job));
  const active = own.filter(unfinished);
  const drawn = active.find((job) => job.status === "running");
  if (drawn) return drawn.id;
  const place = (job) => {
    const index = state.queue.indexOf(job.id);
    return index < 0 ? Infinity : index;
  };
  active.sort((a, b) => place(a) - place(b));
  const next = active.find((job) => job.status === "queued") || active.find((job) => job.id === state.shown);
  if (next) return next.id;
  const kept = own.find((job) => job.id === state.shown);
  if (kept) return kept.id;
  const last = own.filter((job) => !unfinished(job)).reduce((a, b) => (a && a.finished_at > b.finished_at ? a : b), null);
  const any = last || runningJob(state) || state.jobs[state.shown];
  return any ? any.id : null;
}

// Somebody else's job that is drawn while the stage shows another one, or null.
export function drawnElsewhere(state) {
  const running = runningJob(state);
  return running && !isMine(state, running) && running.id !== state.shown ? running : null;
}

// What the stage would show had the user not asked for another job: his own job or his last picture, or null.
export function ownInstead(state) {
  if (!state.asked || state.shown !== state.asked) return null;
  const job = state.jobs[chooseUnasked({ ...state, shown: null })];
  return job && isMine(state, job) && job.id !== state.shown ? job : null;
}
