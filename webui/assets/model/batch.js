// Pictures of a job that are drawn at the same time. Pure functions of what is known.

import { cellOf, layoutOf } from "./grid.js";
import { imageCount, shownJob, shownPreview, shownProgress } from "./model.js";

// The first and the last index of the pictures that are drawn together with `image`.
export function batchAt(job, image) {
  const asked = { ...job.request, ...(job.resolved || {}) }.batch_size;
  const size = Math.max(1, job.economy?.batch_size || asked || 1); // fewer at a time after memory ran out
  const layout = layoutOf(job); // each cell of a grid is drawn by itself
  const cell = layout && cellOf(layout, image);
  const [from, to] = cell ? [cell.first, cell.first + cell.count] : [0, imageCount(job)];
  const first = image - ((image - from) % size);
  return { first, last: Math.min(first + size, to) - 1 };
}

// "image 2 of 6", "images 1–4 of 16"; "" of a job of one picture.
export function whichWords(job, image) {
  const { first, last } = batchAt(job, image);
  const total = imageCount(job);
  if (total < 2) return "";
  return first === last ? `image ${image + 1} of ${total}` : `images ${first + 1}–${last + 1} of ${total}`;
}

// What is drawn now of the job on the stage: {job, first, last}, or null. Pictures before it that are not there were skipped.
export function drawnNow(state) {
  const job = shownJob(state);
  const image = shownPreview(state)?.image ?? shownProgress(state)?.image;
  if (!job || image === undefined || image === null) return null;
  return { job: job.id, ...batchAt(job, image) };
}

// Where a picture of the batch lies in the preview, which is a grid of all: {column, row, columns, rows}, or null
// where the preview is of one picture. After the last step it may be a finished one.
export function partOf({ first, last }, index, preview, progress) {
  const count = last - first + 1;
  if (count < 2 || preview.image !== first || (progress?.steps && preview.step >= progress.steps)) return null;
  const columns = Math.ceil(Math.sqrt(count)); // as modules/engine/previews/methods.py lays them out
  const rows = Math.ceil(count / columns);
  const place = index - first;
  return { column: place % columns, row: Math.floor(place / columns), columns, rows };
}
