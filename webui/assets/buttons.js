// The buttons that act, their keys, and the menu beside them.

import { byId, press, setAttribute, setLabel, visible } from "./dom.js";
import { isMine, shownJob, shownProgress, unfinished } from "./model.js";
import { stopsAfter, stopWords } from "./words.js";

const STOPPING = { txt2img_interrupt: "interrupt", txt2img_skip: "skip", txt2img_stop_after: "stop" };

// Which buttons there are follows from the job alone: data-job on the root is "mine", "other" or "none" (style.css).
export function renderButtons(state) {
  const job = shownJob(state);
  const active = unfinished(job);
  const mine = active && isMine(state, job);
  document.documentElement.dataset.standing = state.standing;
  document.documentElement.dataset.job = mine ? "mine" : active ? "other" : "none";
  const words = active ? stopWords(state, job) : null;
  const after = active && stopsAfter(state, job);
  const queued = job?.status === "queued";
  const label = words === "Stopping …" ? words : after ? "Stop now" : queued ? "Cancel" : "Interrupt";
  setLabel(byId("txt2img_interrupt"), label);
  setAttribute(byId("txt2img_interrupt"), "data-busy", words === "Stopping …");
  setLabel(byId("txt2img_skip"), words === "Skipping …" ? words : "Skip");
  setAttribute(byId("txt2img_skip"), "aria-disabled", queued ? "true" : null);
}

export class Buttons {
  // `model.state` is what is known; `model.dispatch(message)` tells it of a click; `model.problem(words)` shows words.
  constructor(model) {
    this.model = model;
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
    if (button && STOPPING[button.id]) this.pressed(STOPPING[button.id], event);
    this.menuClicked(target, button);
  }

  pressed(kind, event) {
    const job = shownJob(this.model.state);
    if (!unfinished(job) || (kind === "skip" && job.status === "queued")) {
      event.stopPropagation();
      return;
    }
    const before = this.model.state.pressed;
    const again = Boolean(job.requested) || (before?.job === job.id && before.kind !== "skip");
    const image = shownProgress(this.model.state)?.image ?? -1;
    this.model.dispatch({ type: "pressed", pressed: { job: job.id, kind, image, again } });
  }

  menuClicked(target, button) {
    const menu = byId("txt2img_menu");
    if (!menu) return;
    if (button?.id === "txt2img_more") {
      this.openMenu(menu.hidden);
    } else if (button?.dataset.press && menu.contains(button)) {
      this.openMenu(false);
      press(button.dataset.press);
    } else if (!menu.hidden && !menu.contains(target)) {
      this.openMenu(false);
    }
  }

  openMenu(open) {
    const menu = byId("txt2img_menu");
    menu.hidden = !open;
    setAttribute(byId("txt2img_more"), "aria-expanded", String(open));
    if (open) this.items(menu)[0]?.focus();
    else if (menu.contains(document.activeElement)) byId("txt2img_more").focus();
  }

  items = (menu) => Array.from(menu.querySelectorAll("[role=menuitem]")).filter(visible);

  key(event) {
    if (event.defaultPrevented || event.isComposing) return;
    const menu = byId("txt2img_menu");
    if (menu && !menu.hidden && this.menuKey(event, menu)) return;
    if (document.querySelector("dialog[open]") || !visible(byId("txt2img_page"))) return;
    const mine = document.documentElement.dataset.job === "mine";
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.repeat) {
      event.preventDefault();
      press("txt2img_generate");
    } else if (event.key === "Enter" && event.altKey && mine && !event.repeat) {
      event.preventDefault();
      press("txt2img_skip");
    } else if (event.key === "Escape" && mine && !event.repeat && !listIsOpen()) {
      press("txt2img_interrupt");
    }
  }

  menuKey(event, menu) {
    const items = this.items(menu);
    const at = items.indexOf(document.activeElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") this.openMenu(false);
    else if (step) items[(at + step + items.length) % items.length]?.focus();
    else return false;
    event.preventDefault();
    return true;
  }
}

// Esc in an open list closes the list, not the job.
const listIsOpen = () => Boolean(document.querySelector('[role=combobox][aria-expanded="true"]'));
