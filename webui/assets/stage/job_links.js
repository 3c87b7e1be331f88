// Beside the words on the job on the stage: the way to what somebody else draws, and the way back to one's own.

import { byId, setAttribute, setText } from "../page/dom.js";
import { drawnElsewhere, ownInstead, unfinished } from "../model/model.js";

export function renderJobLinks(state) {
  const own = ownInstead(state);
  const waits = Object.values(state.jobs).some((job) => job.owner === state.owner && unfinished(job) && job.status !== "paused");
  const other = waits || own ? null : drawnElsewhere(state); // while an own job waits its line tells of the queue
  show(byId("txt2img_other"), other ? "See what another page draws" : "", other?.id);
  show(byId("txt2img_back"), own ? (unfinished(own) ? "Back to my job" : "Back to my picture") : "");
}

function show(button, words, job = null) {
  if (!button) return;
  setText(button, words);
  setAttribute(button, "hidden", words ? null : "");
  setAttribute(button, "data-job", job);
}

export function wireJobLinks(model) {
  document.addEventListener("click", (/** @type {MouseEvent & EventOn<HTMLElement>} */ event) => {
    /** @type {HTMLElement | null} */
    const button = event.target.closest?.("#txt2img_other, #txt2img_back");
    if (!button) return;
    const job = model.state.jobs[button.dataset.job];
    if (button.id === "txt2img_back") model.dispatch({ type: "show-own" });
    else if (job) model.dispatch({ type: "show", job });
    else return;
    model.draw();
    const next = byId(button.id === "txt2img_back" ? "txt2img_other" : "txt2img_back");
    if (event.detail === 0) (next.hidden ? byId("txt2img_open") : next).focus({ preventScroll: true }); // by keyboard
  });
}
