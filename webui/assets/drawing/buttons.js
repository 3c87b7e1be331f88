// The buttons that act, their keys, and the menu beside them.

import { ask, jobPath } from "../live/rest.js";
import { isMine, shownJob, shownProgress, unfinished } from "../model/model.js";
import { addWords, stopWords } from "../model/words.js";
import { press, setAttribute, setLabel, setText, visible } from "../page/dom.js";
import { PressGuard, SETTLES_MS } from "./press_guard.js";
import { interruptLabel, meanings } from "./situation.js";

const ACTING = { interrupt: "interrupt", skip: "skip", stop_after: "stop", pause: "pause", resume: "resume" };
const OWN_REQUESTS = ["pause", "resume"]; // the others go through Gradio's listeners to shared.state
const SENDING_MS = 3000; // for so long a second click on Generate is of the first one, when no answer has come
// Which button takes the place of one that went, the best first: so that the focus of the keyboard stays.
const SUCCESSORS = { pause: ["resume", "generate"], resume: ["pause", "interrupt", "generate"] };
const FIRST = ["interrupt", "resume", "generate"];

export class Buttons {
  constructor(tab) {
    this.tab = tab;
    this.sent = null; // {stop, at}: a job that was asked for and of which nothing was heard yet; Esc may want it stopped
    this.skippedAt = -Infinity; // when Skip was pressed: the second half of a double click takes no further picture
    this.guard = new PressGuard();
    this.picture = false; // is one on its way to the server, from which a job is to start?
    this.byPointer = false; // was the last press one of a mouse or a finger?
    // In the capturing phase: the answer is on the page before Gradio has sent the click anywhere.
    document.addEventListener("click", (event) => this.clicked(event), true);
    document.addEventListener("keydown", (event) => this.key(event));
  }

  press(part) {
    press(this.tab.id(part));
  }

  render(state) {
    const focused = this.tab.part("actions")?.contains(document.activeElement) ? document.activeElement : null;
    this.renderLabels(state);
    const now = performance.now();
    for (const [part, meaning] of Object.entries(meanings(state))) this.guard.means(part, meaning, now);
    this.renderFresh(now);
    if (focused && !visible(focused) && !this.byPointer) this.focusAfter(this.tab.partOf(focused));
  }

  renderLabels(state) {
    const { part } = this.tab;
    const job = shownJob(state);
    const active = unfinished(job);
    const mine = active && isMine(state, job);
    const turn = mine ? (this.picture ? "sending the picture" : addWords(state)) : "";
    setLabel(part("generate"), this.picture ? "Sending the picture …" : "Generate");
    setAttribute(part("generate"), "data-busy", this.picture);
    setAttribute(part("enqueue"), "data-when", turn || null);
    setAttribute(part("enqueue"), "aria-label", turn ? `Add to queue (${turn})` : "Add to queue");
    const words = active ? stopWords(state, job) : null;
    const stopping = words === "Stopping …" || words === "Ending the engine …";
    setLabel(part("interrupt"), active ? interruptLabel(state, job) : "Interrupt");
    setAttribute(part("interrupt"), "data-busy", stopping);
    setAttribute(part("pause"), "data-busy", words === "Pausing …");
    setAttribute(part("pause"), "aria-disabled", stopping || words === "Pausing …" ? "true" : null);
    setLabel(part("resume"), state.pressed?.kind === "resume" ? "Going on …" : "Resume");
    setAttribute(part("skip"), "title", "Alt+Enter");
    setLabel(part("skip"), words === "Skipping …" ? words : "Skip");
    setAttribute(part("skip"), "aria-disabled", job?.status === "queued" ? "true" : null);
    setAttribute(part("forever"), "aria-checked", String(Boolean(active && job.forever)));
    setText(part("forever"), active && !mine ? "Generate mine forever" : "Generate forever");
  }

  // What is fresh takes no pointer either (fields.css), so that it does not look as if it did.
  renderFresh(now) {
    const { names, last } = this.guard.fresh(now);
    for (const name of this.guard.known.keys()) setAttribute(this.tab.part(name), "data-fresh", names.includes(name));
    clearTimeout(this.settling);
    if (names.length) this.settling = setTimeout(() => this.renderFresh(performance.now()), last + 1);
  }

  focusAfter(part) {
    const next = [...(SUCCESSORS[part] || []), ...FIRST].map(this.tab.part).find(visible);
    next?.focus({ preventScroll: true });
  }

  // Was this press meant for what stood there a moment ago? What scripts and keys press names what it means by itself.
  isLate(button, event) {
    if (!event.isTrusted || !button || !this.tab.part("actions")?.contains(button)) return false;
    const part = this.tab.part("menu")?.contains(button) ? "menu" : this.tab.partOf(button);
    const again = part === "generate" && this.sent && event.timeStamp - this.sent.at < SENDING_MS;
    const twice = part === "skip" && event.timeStamp - this.skippedAt < SETTLES_MS;
    return Boolean(again) || twice || this.guard.isFresh(part, event.timeStamp);
  }

  clicked(event) {
    const target = event.target instanceof Element ? event.target : null;
    const button = target?.closest("button");
    const part = this.tab.partOf(button);
    if (event.isTrusted) this.byPointer = event.detail > 0;
    if (this.isLate(button, event)) {
      event.stopPropagation();
      event.preventDefault();
      return;
    }
    if (part === "generate" && ["reconnecting", "lost"].includes(this.tab.state.standing)) {
      event.stopPropagation();
      event.preventDefault();
      this.tab.problem("The server does not answer, so nothing was sent. Your prompt is kept; try again when it is back.");
      return;
    }
    if (["generate", "generate_forever"].includes(part)) {
      if (this.picture) {
        event.stopPropagation(); // the picture of the job before is on its way: that click counts
        event.preventDefault();
        return;
      }
      this.sent = { stop: false, at: event.timeStamp };
      this.guard.forget("interrupt");
    }
    if (ACTING[part]) this.pressed(ACTING[part], event);
    else if (part === "forever") this.forever();
    else if (part === "queue_go_on") this.ask("/sdapi/v1/queue/resume", {});
    else if (part === "enqueue") this.press("generate");
    else if (button?.dataset.press && this.tab.part("menu")?.contains(button)) press(button.dataset.press);
  }

  pressed(kind, event) {
    const job = shownJob(this.tab.state);
    const runs = job?.status === "running";
    const idle = (kind === "skip" && !runs) || (kind === "resume" && job?.status !== "paused");
    if (!unfinished(job) || idle || (kind === "pause" && job.requested === "interrupt")) {
      event.stopPropagation();
      return;
    }
    if (kind === "skip") this.skippedAt = event.timeStamp;
    const before = this.tab.state.pressed;
    const stops = (one) => one === "interrupt" || one === "stop";
    const again = stops(job.requested) || (before?.job === job.id && stops(before.kind));
    const image = shownProgress(this.tab.state)?.image ?? -1;
    this.tab.page.dispatch({ type: "pressed", pressed: { job: job.id, kind, image, again } });
    if (OWN_REQUESTS.includes(kind)) this.ask(`${jobPath(job.id)}/${kind}`, {});
  }

  // A picture goes to the server, or has come there, before the job can be asked for.
  sending(on) {
    this.picture = on;
    if (this.sent) this.sent.at = performance.now();
    this.renderLabels(this.tab.state);
  }

  // The server has answered Generate: with a job, or with null and why. What Esc asked for in between is done now.
  answered(job) {
    const stop = this.sent?.stop;
    this.sent = null;
    if (!job || !stop || job.requested) return;
    if (shownJob(this.tab.state)?.id === job.id) this.press("interrupt");
    else this.ask("/sdapi/v1/interrupt", { task_id: job.id });
  }

  // Of a job that is on its way it is a switch; where none is, it begins one.
  forever() {
    const job = shownJob(this.tab.state);
    if (isMine(this.tab.state, job) && unfinished(job)) this.ask(`${jobPath(job.id)}/forever`, { on: !job.forever });
    else this.press("generate_forever");
  }

  async ask(path, body) {
    try {
      await ask("POST", path, body);
    } catch (error) {
      this.tab.page.dispatch({ type: "pressed", pressed: null });
      this.tab.problem(String(error.message || error));
    }
  }

  key(event) {
    if (event.defaultPrevented || event.isComposing) return;
    // A key that is held down presses what has the focus again and again, and by then another button may have it.
    if (event.repeat && event.key === "Enter" && this.tab.part("actions")?.contains(event.target)) event.preventDefault();
    if (document.querySelector("dialog[open]") || !visible(this.tab.part("page"))) return;
    const mine = document.documentElement.dataset.job === "mine";
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.repeat) {
      event.preventDefault();
      this.press("generate");
    } else if (event.key === "Enter" && event.altKey && mine && !event.repeat) {
      event.preventDefault();
      this.press("skip");
    } else if (event.key === "Escape" && !event.repeat && !listIsOpen()) {
      if (mine && !this.guard.hasTurned("interrupt", event.timeStamp)) this.press("interrupt");
      else if (mine) event.preventDefault();
      else if (this.sent) this.sent.stop = true;
    }
  }
}

// Esc in an open list closes the list, not the job.
const listIsOpen = () => Boolean(document.querySelector('[role=combobox][aria-expanded="true"]'));
