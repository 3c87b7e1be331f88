// This browser's jobs, one after the other: a job for ever and jobs that follow each other grow one strip of pictures.
// Pure functions of what is known.

import { isGrid, picturesOfGrid } from "./grid.js";
import { imageCount, isMine, shownJob, unfinished } from "./model.js";

export const PLACES_SHOWN = 64;

// The places of the strip, the newest last: {job, index, output}, `output` null where there is none (yet), else with the
// id of its `job`. The job on the stage has a place for each picture; of those before it the pictures stand there. A grid
// is one thing, with one place: `index` null.
export function placesOf(state) {
  const job = shownJob(state);
  if (!job) return [];
  const earlier = before(state, job).flatMap((one) => (isGrid(one) ? (one.outputs.length ? [gridPlace(one)] : []) : one.outputs.map((output) => placeOf(one, output.index, output))));
  if (isGrid(job)) return [...earlier.slice(1 - PLACES_SHOWN), gridPlace(job)];
  const stopped = job.follows && job.status === "interrupted" && !job.outputs.length; // the last link of a chain
  const total = stopped ? 0 : Math.min(imageCount(job), Math.max(PLACES_SHOWN, job.outputs.length));
  const own = Array.from({ length: total }, (_, index) => {
    return placeOf(job, index, job.outputs.find((one) => one.index === index));
  });
  const room = Math.max(0, PLACES_SHOWN - total);
  return [...(room ? earlier.slice(-room) : []), ...own];
}

const placeOf = (job, index, output) => ({ job, index, output: output ? { ...output, job: job.id } : null });

const gridPlace = (job) => ({ job, index: null, output: null });

// The pictures of the strip that are there; those of grids as one reads them.
export const picturesOf = (state) => placesOf(state).flatMap(({ job, index, output }) => (index === null ? picturesOfGrid(job) : output || []));

// The jobs of this browser that ended before `job` did.
function before(state, job) {
  if (!isMine(state, job)) return [];
  const others = Object.values(state.jobs).filter((one) => one.id !== job.id && isMine(state, one) && !unfinished(one));
  const end = unfinished(job) ? Infinity : job.finished_at;
  return others.filter((one) => one.finished_at <= end).sort((a, b) => a.finished_at - b.finished_at);
}
