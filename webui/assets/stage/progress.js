// The bar with one segment a phase, the line under it, and the page's title.

import { byId, make, setAttribute, setText } from "../page/dom.js";
import { shownJob, shownProgress, unfinished } from "../model/model.js";
import { otherPausedWords, phaseLine } from "../model/words.js";

const TITLE = "Steady Diffusion";

export function renderProgress(state, facts) {
  const job = shownJob(state);
  const progress = shownProgress(state);
  const share = state.share?.value || 0;
  renderBar(byId("txt2img_progress"), progress, share, job);
  const line = phaseLine(state);
  renderLine(byId("txt2img_phase"), line);
  setText(byId("txt2img_phase_live"), line.phase);
  const paused = otherPausedWords(state);
  setText(byId("txt2img_paused_jobs"), paused);
  setAttribute(byId("txt2img_paused_jobs"), "hidden", paused ? null : "");
  const title = unfinished(job) && job.status === "running" && facts.show_progress_in_title !== false;
  const words = title ? `[${Math.floor(share * 100)} %] ${TITLE}` : facts.told || TITLE; // `told`: what ended unseen
  if (document.title !== words) document.title = words;
}

function renderBar(bar, progress, share, job) {
  if (!bar) return;
  setAttribute(bar, "aria-valuenow", Math.floor(share * 100));
  bar.dataset.state = !job ? "idle" : unfinished(job) ? job.status : "ended";
  if (progress) bar.segments = progress.segments;
  const segments = (job && bar.jobId === job.id) || progress ? bar.segments : null;
  bar.jobId = job?.id;
  const weights = segments?.length ? segments.map((segment) => segment.weight) : [1];
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
