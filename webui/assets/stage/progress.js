// The bar with one segment a phase, and the line under it.

import { shownJob, shownProgress, unfinished } from "../model/model.js";
import { otherPausedWords, phaseLine } from "../model/words.js";
import { make, setAttribute, setText } from "../page/dom.js";

export function renderProgress({ part, promptField }, state) {
  renderBar(part("progress"), shownProgress(state), state.share?.value || 0, shownJob(state));
  const line = phaseLine(state, Boolean(promptField));
  renderLine(part("phase"), line);
  setText(part("phase_live"), line.phase);
  const paused = otherPausedWords(state);
  setText(part("paused_jobs"), paused);
  setAttribute(part("paused_jobs"), "hidden", paused ? null : "");
}

function renderBar(bar, progress, share, job) {
  if (!bar) return;
  setAttribute(bar, "aria-valuenow", Math.floor(share * 100));
  bar.dataset.state = !job ? "idle" : unfinished(job) ? job.status : "ended";
  if (bar.jobId !== job?.id) bar.segments = null;
  bar.jobId = job?.id;
  if (progress) bar.segments = progress.segments;
  const weights = bar.segments?.length ? bar.segments.map((segment) => segment.weight) : [1];
  while (bar.children.length < weights.length) bar.append(make("i"));
  while (bar.children.length > weights.length) bar.lastChild.remove();
  const total = weights.reduce((sum, weight) => sum + weight, 0) || 1;
  let start = 0;
  weights.forEach((weight, i) => {
    const piece = bar.children[i];
    const part = weight / total;
    const filled = part ? Math.min(1, Math.max(0, (share - start) / part)) : 1;
    piece.style.flex = `${weight} 1 0`;
    piece.style.setProperty("--filled", `${(filled * 100).toFixed(2)}%`);
    start += part;
  });
}

function renderLine(line, { phase, details }) {
  if (!line) return;
  while (line.children.length < details.length + 1) line.append(make("span"));
  while (line.children.length > details.length + 1) line.lastChild.remove();
  setText(line.children[0], phase);
  details.forEach((words, i) => setText(line.children[i + 1], words));
}
