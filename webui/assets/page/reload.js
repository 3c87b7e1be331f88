// What a page shows between a reload and the first news: what it knew before, or nothing, but nothing that is not so.
// theme.py puts `data-job` in place before anything is painted.

import { write } from "./memory.js";

const JOB = "steady.job"; // of this tab alone
const NOT_COUNTED = "0 / 75"; // what the counters are built with (webui/tabs/drawing/prompts.py)

export const knows = (state) => state.instance !== null;

let remembered;

// Which buttons there are, for the next reload.
export function rememberJob() {
  const { job } = document.documentElement.dataset;
  if (job && job !== remembered) write(JOB, job, () => sessionStorage);
  remembered = job;
}

let typed = false; // in any tab

// Nothing was typed before: then nothing is what there is to count.
export function countsAre(fields) {
  const prompts = Object.entries(fields).filter(([name]) => /^(negative_)?prompt$/.test(name));
  if (!prompts.length) return;
  typed ||= prompts.some(([, value]) => String(value).trim());
  if (typed) delete document.documentElement.dataset.counted;
  else document.documentElement.dataset.counted = "yes";
}

// The counters show nothing until the words in the fields were counted.
export function lookForCounts() {
  const root = document.documentElement;
  if (root.dataset.counted) return;
  const counts = Array.from(document.querySelectorAll(".sd-tokens"), (one) => one.textContent.trim());
  if (counts.some((count) => count !== NOT_COUNTED)) root.dataset.counted = "yes";
}
