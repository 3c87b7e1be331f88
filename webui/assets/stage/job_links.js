// Beside the words on the job on the stage: the way to what somebody else draws, and the way back to one's own.

import { drawnElsewhere, ownInstead, unfinished } from "../model/model.js";
import { setAttribute, setText } from "../page/dom.js";

export function renderJobLinks({ part }, state) {
  const own = ownInstead(state);
  const waits = Object.values(state.jobs).some((job) => job.owner === state.owner && unfinished(job) && job.status !== "paused");
  const other = waits || own ? null : drawnElsewhere(state); // while an own job waits its line tells of the queue
  show(part("other"), other ? "See what another page draws" : "", other?.id);
  show(part("back"), own ? (unfinished(own) ? "Back to my job" : "Back to my picture") : "");
}

function show(button, words, job = null) {
  if (!button) return;
  setText(button, words);
  setAttribute(button, "hidden", words ? null : "");
  setAttribute(button, "data-job", job);
}

export function wireJobLinks(tab) {
  document.addEventListener("click", (/** @type {MouseEvent & EventOn<HTMLElement>} */ event) => {
    /** @type {HTMLElement | null} */
    const button = event.target.closest?.("button");
    const pressed = tab.partOf(button);
    if (!["other", "back"].includes(pressed)) return;
    const job = tab.state.jobs[button.dataset.job];
    if (pressed === "back") tab.page.dispatch({ type: "show-own" });
    else if (job) tab.page.dispatch({ type: "show", job });
    else return;
    tab.page.draw();
    const next = tab.part(pressed === "back" ? "other" : "back");
    if (event.detail === 0) (next.hidden ? tab.part("open") : next).focus({ preventScroll: true }); // by keyboard
  });
}
