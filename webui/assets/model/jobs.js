// What can be said of a job by itself, or of the jobs that are known.

import { isGrid, layoutOf } from "./grid.js";
import { UNFINISHED } from "./statuses.js";

const LONGEST_CHAIN = 1000;

export const unfinished = (job) => Boolean(job) && UNFINISHED.includes(job.status);
export const shownJob = (state) => (state.shown ? state.jobs[state.shown] || null : null);
export const isMine = (state, job) => Boolean(job) && job.owner === state.owner;
export const runningJob = (state) => Object.values(state.jobs).find((job) => job.status === "running") || null;

export function imageCount(job) {
  const request = { ...job.request, ...(job.resolved || {}) };
  if (job.kind === "interrogate") return 0;
  if (isGrid(job)) return layoutOf(job)?.count ?? Math.max(1, request.pictures || 0);
  // Extras makes one of each, and of a folder knows how many once it has begun.
  if (job.kind === "extras") return Math.max(1, request.pictures || request.images?.length || request.imageList?.length || 0);
  return Math.max(1, (request.n_iter || 1) * (request.batch_size || 1));
}

export function sizeOf(job) {
  const request = { ...job.request, ...(job.resolved || {}) };
  return { width: request.width || null, height: request.height || null };
}

// The job and those that it follows in a chain of `forever` jobs, as far as they are known, the first one first.
export function chainOf(state, job) {
  const chain = [];
  for (let one = job; one && chain.length < LONGEST_CHAIN; one = state.jobs[one.follows]) chain.push(one);
  return chain.reverse();
}
