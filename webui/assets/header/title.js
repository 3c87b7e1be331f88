// The page's title: how far the job on the stage is, or what ended unseen.

import { shownJob, unfinished } from "../model/model.js";

const TITLE = "Steady Diffusion";

export function renderTitle(state, facts, told) {
  const job = shownJob(state);
  const shows = unfinished(job) && job.status === "running" && facts.show_progress_in_title !== false;
  const words = shows ? `[${Math.floor((state.share?.value || 0) * 100)} %] ${TITLE}` : told || TITLE;
  if (document.title !== words) document.title = words;
}
