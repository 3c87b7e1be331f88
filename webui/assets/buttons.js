// The buttons that act, their keys, and the menu beside them.

import { byId, press, setAttribute, setLabel, setText, visible } from "./dom.js";
import { isMine, shownJob, shownProgress, unfinished } from "./model.js";
import { ask, jobPath } from "./rest.js";
import { stopsAfter, stopWords } from "./words.js";

const ACTING = {
  txt2img_interrupt: "interrupt",
  txt2img_skip: "skip",
  txt2img_stop_after: "stop",
  txt2img_pause: "pause",
  txt2img_resume: "resume",
};
const OWN_REQUESTS = ["pause", "resume"]; // the others go through Gradio's listeners to shared.state

// Which buttons there are follows from the job alone: data-job on the root is "mine", "paused" (and mine), "other" or
// "none" (controls.css).
export function renderButtons(state) {
  const job = shownJob(state);
  const active = unfinished(job);
  const mine = active && isMine(state, job);
  document.documentElement.dataset.standing = state.standing;
  document.documentElement.dataset.job = mine ? (job.status === "paused" ? "paused" : "mine") : active ? "other" : "none";
  const words = active ? stopWords(state, job) : null;
  const after = active && stopsAfter(state, job);
  const queued = job?.status === "queued";
  const stopping = words === "Stopping …" || words === "Ending the engine …";
  const third = stopping && job.stop_requests === 2 ? "End the engine" : words;
  const label = stopping ? third : after ? "Stop now" : queued ? "Cancel" : "Interrupt";
  setLabel(byId("txt2img_interrupt"), label);
  setAttribute(byId("txt2img_interrupt"), "data-busy", stopping);
  setAttribute(byId("txt2img_pause"), "data-busy", words === "Pausing …");
  setAttribute(byId("txt2img_pause"), "aria-disabled", stopping || words === "Pausing …" ? "true" : null);
  setLabel(byId("txt2img_resume"), state.pressed?.kind === "resume" ? "Going on …" : "Resume");
  setLabel(byId("txt2img_skip"), words === "Skipping …" ? words : "Skip");
  setAttribute(byId("txt2img_skip"), "aria-disabled", queued ? "true" : null);
  setAttribute(byId("txt2img_forever"), "aria-checked", String(Boolean(active && job.forever)));
  setText(byId("txt2img_forever"), active && !mine ? "Generate mine forever" : "Generate forever");
}

export class Buttons {
  // `model.state` is what is known; `model.dispatch(message)` tells it of a click; `model.problem(words)` shows words.
  constructor(model) {
    this.model = model;
    this.sent = null; // {stop}: a job that was asked for and of which nothing was heard yet; Esc may want it stopped
    // In the capturing phase: the answer is on the page before Gradio has sent the click anywhere.
    document.addEventListener("click", (event) => this.clicked(event), true);
    document.addEventListener("keydown", (event) => this.key(event));
  }

  clicked(event) {
    const target = event.target instanceof Element ? event.target : null;
    const button = target?.closest("button");
    if (button?.id === "txt2img_generate" && ["reconnecting", "lost"].includes(this.model.state.standing)) {
      event.stopPropagation();
      event.preventDefault();
      this.model.problem("The server does not answer, so nothing was sent. Your prompt is kept; try again when it is back.");
      return;
    }
    if (["txt2img_generate", "txt2img_generate_forever"].includes(button?.id)) this.sent = { stop: false };
    if (button && ACTING[button.id]) this.pressed(ACTING[button.id], event);
    else if (button?.id === "txt2img_forever") this.forever();
    else if (button?.dataset.press && byId("txt2img_menu")?.contains(button)) press(button.dataset.press);
  }

  pressed(kind, event) {
    const job = shownJob(this.model.state);
    const runs = job?.status === "running";
    const idle = (kind === "skip" && !runs) || (kind === "resume" && job?.status !== "paused");
    if (!unfinished(job) || idle || (kind === "pause" && job.requested === "interrupt")) {
      event.stopPropagation();
      return;
    }
    const before = this.model.state.pressed;
    const stops = (one) => one === "interrupt" || one === "stop";
    const again = stops(job.requested) || (before?.job === job.id && stops(before.kind));
    const image = shownProgress(this.model.state)?.image ?? -1;
    this.model.dispatch({ type: "pressed", pressed: { job: job.id, kind, image, again } });
    if (OWN_REQUESTS.includes(kind)) this.ask(`${jobPath(job.id)}/${kind}`, {});
  }

  // The server has answered Generate: with a job, or with null and why. What Esc asked for in between is done now.
  answered(job) {
    const stop = this.sent?.stop;
    this.sent = null;
    if (!job || !stop || job.requested) return;
    if (shownJob(this.model.state)?.id === job.id) press("txt2img_interrupt");
    else this.ask("/sdapi/v1/interrupt", { task_id: job.id });
  }

  // Of a job that is on its way it is a switch; where none is, it begins one.
  forever() {
    const job = shownJob(this.model.state);
    if (isMine(this.model.state, job) && unfinished(job)) this.ask(`${jobPath(job.id)}/forever`, { on: !job.forever });
    else press("txt2img_generate_forever");
  }

  async ask(path, body) {
    try {
      await ask("POST", path, body);
    } catch (error) {
      this.model.dispatch({ type: "pressed", pressed: null });
      this.model.problem(String(error.message || error));
    }
  }

  key(event) {
    if (event.defaultPrevented || event.isComposing) return;
    if (document.querySelector("dialog[open]") || !visible(byId("txt2img_page"))) return;
    const mine = document.documentElement.dataset.job === "mine";
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.repeat) {
      event.preventDefault();
      press("txt2img_generate");
    } else if (event.key === "Enter" && event.altKey && mine && !event.repeat) {
      event.preventDefault();
      press("txt2img_skip");
    } else if (event.key === "Escape" && !event.repeat && !listIsOpen()) {
      if (mine) press("txt2img_interrupt");
      else if (this.sent) this.sent.stop = true;
    }
  }
}

// Esc in an open list closes the list, not the job.
const listIsOpen = () => Boolean(document.querySelector('[role=combobox][aria-expanded="true"]'));
