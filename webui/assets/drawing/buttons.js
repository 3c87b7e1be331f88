// The buttons that act, their keys, and the menu beside them.

import { byId, press, setAttribute, setLabel, setText, visible } from "../page/dom.js";
import { PressGuard } from "./press_guard.js";
import { chainOf, isMine, shownJob, shownProgress, unfinished } from "../model/model.js";
import { rememberJob } from "../page/reload.js";
import { ask, jobPath } from "../live/rest.js";
import { addWords, stopsAfter, stopWords } from "../model/words.js";

const ACTING = {
  txt2img_interrupt: "interrupt",
  txt2img_skip: "skip",
  txt2img_stop_after: "stop",
  txt2img_pause: "pause",
  txt2img_resume: "resume",
};
const PRESSES = { txt2img_enqueue: "txt2img_generate" };
const OWN_REQUESTS = ["pause", "resume"]; // the others go through Gradio's listeners to shared.state

const SENDING_MS = 3000; // for so long a second click on Generate is of the first one, when no answer has come
// Which button takes the place of one that went, the best first: so that the focus of the keyboard stays.
const SUCCESSORS = {
  txt2img_pause: ["txt2img_resume", "txt2img_generate"],
  txt2img_resume: ["txt2img_pause", "txt2img_interrupt", "txt2img_generate"],
};
const FIRST = ["txt2img_interrupt", "txt2img_resume", "txt2img_generate"];

// Which buttons there are follows from the job alone: data-job on the root is "mine", "paused" (and mine), "other" or
// "none" (controls.css).
export function situation(state) {
  const job = shownJob(state);
  if (!unfinished(job)) return "none";
  if (!isMine(state, job)) return "other";
  return job.status === "paused" ? "paused" : "mine";
}

// Does this owner's job on the stage wait for nothing but that the queue goes on?
const isHeld = (state) => state.paused && situation(state) === "mine" && shownJob(state).status === "queued";

function interruptLabel(state, job) {
  const words = stopWords(state, job);
  if (words === "Stopping …" || words === "Ending the engine …") return job.stop_requests === 2 ? "End the engine" : words;
  return stopsAfter(state, job) ? "Stop now" : job.status === "queued" && !job.started_at ? "Cancel" : "Interrupt";
}

// What a press of each button does now, "" for one that is not there: a change of it is a change under the hand.
export function meanings(state) {
  const job = shownJob(state);
  const now = situation(state);
  const mine = now === "mine";
  const label = mine ? interruptLabel(state, job) : "";
  const image = shownProgress(state)?.image ?? 0;
  return {
    txt2img_generate: mine ? "" : now === "paused" ? "draw another" : "draw",
    txt2img_interrupt: mine ? `${label === "Cancel" ? "Interrupt" : label} ${chainOf(state, job)[0].id}` : "",
    txt2img_skip: mine && !isHeld(state) ? `skip ${job.id} ${image}` : "",
    txt2img_queue_go_on: isHeld(state) ? "go on" : "",
    txt2img_enqueue: mine ? "add" : "",
    txt2img_pause: mine ? `pause ${job.id}` : "",
    txt2img_resume: now === "paused" ? `resume ${job.id}` : "",
    txt2img_menu: now === "none" ? now : `${now} ${chainOf(state, job)[0].id}`,
  };
}

function render(state) {
  const job = shownJob(state);
  const active = unfinished(job);
  const mine = active && isMine(state, job);
  document.documentElement.dataset.standing = state.standing;
  document.documentElement.dataset.job = situation(state);
  setAttribute(document.documentElement, "data-held", isHeld(state));
  const turn = mine ? addWords(state) : "";
  setAttribute(byId("txt2img_enqueue"), "data-when", turn || null);
  setAttribute(byId("txt2img_enqueue"), "aria-label", turn ? `Add to queue (${turn})` : "Add to queue");
  const words = active ? stopWords(state, job) : null;
  const stopping = words === "Stopping …" || words === "Ending the engine …";
  setLabel(byId("txt2img_interrupt"), active ? interruptLabel(state, job) : "Interrupt");
  setAttribute(byId("txt2img_interrupt"), "data-busy", stopping);
  setAttribute(byId("txt2img_pause"), "data-busy", words === "Pausing …");
  setAttribute(byId("txt2img_pause"), "aria-disabled", stopping || words === "Pausing …" ? "true" : null);
  setLabel(byId("txt2img_resume"), state.pressed?.kind === "resume" ? "Going on …" : "Resume");
  setAttribute(byId("txt2img_skip"), "title", "Alt+Enter");
  setLabel(byId("txt2img_skip"), words === "Skipping …" ? words : "Skip");
  setAttribute(byId("txt2img_skip"), "aria-disabled", job?.status === "queued" ? "true" : null);
  setAttribute(byId("txt2img_forever"), "aria-checked", String(Boolean(active && job.forever)));
  setText(byId("txt2img_forever"), active && !mine ? "Generate mine forever" : "Generate forever");
}

export class Buttons {
  // `model.state` is what is known; `model.dispatch(message)` tells it of a click; `model.problem(words)` shows words.
  constructor(model) {
    this.model = model;
    this.sent = null; // {stop, at}: a job that was asked for and of which nothing was heard yet; Esc may want it stopped
    this.changed = new PressGuard();
    this.byPointer = false; // was the last press one of a mouse or a finger?
    // In the capturing phase: the answer is on the page before Gradio has sent the click anywhere.
    document.addEventListener("click", (event) => this.clicked(event), true);
    document.addEventListener("keydown", (event) => this.key(event));
  }

  render(state) {
    const focused = byId("txt2img_actions")?.contains(document.activeElement) ? document.activeElement : null;
    render(state);
    rememberJob();
    const now = performance.now();
    for (const [name, meaning] of Object.entries(meanings(state))) this.changed.means(name, meaning, now);
    this.renderFresh(now);
    if (focused && !visible(focused) && !this.byPointer) this.focusAfter(focused.id);
  }

  // What is fresh takes no pointer either (controls.css), so that it does not look as if it did.
  renderFresh(now) {
    const { names, last } = this.changed.fresh(now);
    for (const name of this.changed.known.keys()) setAttribute(byId(name), "data-fresh", names.includes(name));
    clearTimeout(this.settling);
    if (names.length) this.settling = setTimeout(() => this.renderFresh(performance.now()), last + 1);
  }

  focusAfter(id) {
    const next = [...(SUCCESSORS[id] || []), ...FIRST].map(byId).find(visible);
    next?.focus({ preventScroll: true });
  }

  // Was this press meant for what stood there a moment ago? What scripts and keys press names what it means by itself.
  isLate(button, event) {
    if (!event.isTrusted || !button?.closest("#txt2img_actions")) return false;
    const again = button.id === "txt2img_generate" && this.sent && event.timeStamp - this.sent.at < SENDING_MS;
    const name = button.closest("#txt2img_menu") ? "txt2img_menu" : button.id;
    return Boolean(again) || this.changed.isFresh(name, event.timeStamp);
  }

  clicked(event) {
    const target = event.target instanceof Element ? event.target : null;
    const button = target?.closest("button");
    if (event.isTrusted) this.byPointer = event.detail > 0;
    if (this.isLate(button, event)) {
      event.stopPropagation();
      event.preventDefault();
      return;
    }
    if (button?.id === "txt2img_generate" && ["reconnecting", "lost"].includes(this.model.state.standing)) {
      event.stopPropagation();
      event.preventDefault();
      this.model.problem("The server does not answer, so nothing was sent. Your prompt is kept; try again when it is back.");
      return;
    }
    if (["txt2img_generate", "txt2img_generate_forever"].includes(button?.id)) this.sent = { stop: false, at: event.timeStamp };
    if (button && ACTING[button.id]) this.pressed(ACTING[button.id], event);
    else if (button?.id === "txt2img_forever") this.forever();
    else if (button?.id === "txt2img_queue_go_on") this.ask("/sdapi/v1/queue/resume", {});
    else if (button?.id in PRESSES) press(PRESSES[button.id]);
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
    // A key that is held down presses what has the focus again and again, and by then another button may have it.
    if (event.repeat && event.key === "Enter" && event.target.closest?.("#txt2img_actions")) event.preventDefault();
    if (document.querySelector("dialog[open]") || !visible(byId("txt2img_page"))) return;
    const mine = document.documentElement.dataset.job === "mine";
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.repeat) {
      event.preventDefault();
      press("txt2img_generate");
    } else if (event.key === "Enter" && event.altKey && mine && !event.repeat) {
      event.preventDefault();
      press("txt2img_skip");
    } else if (event.key === "Escape" && !event.repeat && !listIsOpen()) {
      if (mine && !this.changed.hasTurned("txt2img_interrupt", event.timeStamp)) press("txt2img_interrupt");
      else if (mine) event.preventDefault();
      else if (this.sent) this.sent.stop = true;
    }
  }
}

// Esc in an open list closes the list, not the job.
const listIsOpen = () => Boolean(document.querySelector('[role=combobox][aria-expanded="true"]'));
