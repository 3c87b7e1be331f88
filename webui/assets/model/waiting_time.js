// When the turn of a job comes that is put into the queue now, from what the server tells of the one that is drawn. Pure
// functions of what is known.

import { imageCount, isMine, runningJob, sizeOf } from "./model.js";

const SHARE_TO_JUDGE_BY = 0.05; // of a job, before what is left of it tells how long others take

// {seconds, others}: how long that takes, null where it cannot be known, and how many jobs come before, beside the one
// that is drawn.
export function turnOfNext(state) {
  const before = comeBefore(state);
  const left = secondsLeft(state);
  const pace = secondsOfWork(state);
  const known = before.every((id) => state.jobs[id]) && left !== null && (pace !== null || !before.length);
  const seconds = known ? before.reduce((sum, id) => sum + pace * work(state.jobs[id]), left) : null;
  return { seconds, others: before.length };
}

// What is left of the job that is drawn; 0 where none is.
export function secondsLeft(state) {
  const running = runningJob(state);
  if (!running) return 0;
  return state.progress?.job === running.id ? (state.progress.eta_seconds ?? null) : null;
}

// Owners take turns: before this owner's next job come all that he has, and of each other one as many and one more.
function comeBefore(state) {
  const own = state.queue.filter((id) => isMine(state, state.jobs[id])).length;
  const turns = {};
  return state.queue.filter((id) => {
    const job = state.jobs[id];
    if (!job || isMine(state, job)) return true;
    turns[job.owner] = (turns[job.owner] || 0) + 1;
    return turns[job.owner] <= own + 1;
  });
}

function work(job) {
  const { width, height } = sizeOf(job);
  const steps = job.resolved?.steps || job.request.steps || 20;
  return imageCount(job) * steps * (width || 512) * (height || 512);
}

function secondsOfWork(state) {
  const running = runningJob(state);
  const { progress } = state;
  if (!running || progress?.job !== running.id || !(progress.progress > SHARE_TO_JUDGE_BY)) return null;
  const left = progress.eta_seconds ?? null;
  return left === null || progress.progress >= 1 ? null : left / (1 - progress.progress) / work(running);
}
