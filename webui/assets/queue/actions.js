// What the buttons of the Queue tab do. Each is one request to the REST API; the rows change when the stream says so.

import { ask, jobPath } from "../live/rest.js";
import { short } from "../model/format.js";
import { byId, setAttribute, setText } from "../page/dom.js";
import { openFolder, saveAll } from "../stage/job_folder.js";
import { removeJob } from "./past.js";

const ARMED_MS = 4000; // so long the second click on "Cancel all" counts
const TOLD_MS = 8000;

export class QueueActions {
  // `model` is the page; `queue` shows the lists and speaks.
  constructor(model, queue) {
    this.model = model;
    this.queue = queue;
    document.addEventListener("click", (event) => this.clicked(event));
  }

  clicked(event) {
    const button = event.target.closest?.("#steady_queue button");
    if (button?.dataset.act) this.act(button, button.dataset.act, button.dataset.of || button.closest("[data-job]").dataset.job);
    else if (button?.dataset.queue === "pause") this.pauseQueue();
    else if (button?.dataset.queue === "clear") this.clear(button);
    else if (button?.dataset.queue === "older") this.queue.older();
    else if (button?.dataset.queue === "filter") this.queue.past.choose(button);
    else if (button?.dataset.queue === "remove") this.removeAll();
  }

  async act(button, name, id) {
    if (name === "show") return this.done(() => this.model.showJob(id, Number(button.dataset.index ?? -1)));
    const path = jobPath(id);
    const doing = {
      front: () => ask("POST", `${path}/move`, { to: "front" }),
      priority: () => ask("POST", `${path}/priority`, { priority: Number(button.dataset.value) }),
      forever: () => ask("POST", `${path}/forever`, { on: button.getAttribute("aria-checked") !== "true" }),
      remove: () => this.remove(path),
      edit: () => this.edit(path),
      folder: () => openFolder(id),
      "save-all": () => saveAll(id),
      forget: () => removeJob(id, false, 0),
      delete: () => removeJob(id, true, Number(button.dataset.count)),
    };
    for (const kind of ["pause", "resume", "interrupt", "skip", "stop", "retry"]) doing[kind] = () => ask("POST", `${path}/${kind}`, {});
    if (button.hasAttribute("aria-busy")) return undefined; // once is enough; a disabled button would lose the focus
    const plain = button.getAttribute("role") === null;
    const words = plain ? { interrupt: "Stopping …", remove: "Cancelling …", pause: "Pausing …" }[name] : null;
    const before = button.textContent;
    if (words) setText(button, words);
    if (name !== "interrupt") setAttribute(button, "aria-busy", "true"); // a third interrupt means something else
    const done = await this.done(doing[name], SAID[name]?.(this.nameOf(id)));
    setAttribute(button, "aria-busy", null);
    if (words && !done) setText(button, before);
    return undefined;
  }

  // A job that began in the meantime is interrupted: that is what was meant.
  async remove(path) {
    try {
      return await ask("DELETE", `${path}?waiting=true`); // one that was drawn meanwhile stays
    } catch (error) {
      if (error.status !== 409) throw error; // 409: it is not in the queue any more
      return ask("POST", `${path}/interrupt`, {});
    }
  }

  // A job that waits goes on waiting: the edited one takes its place once it is sent.
  async edit(path) {
    this.model.edit(await ask("GET", path));
  }

  move(id, place) {
    return this.done(() => ask("POST", `${jobPath(id)}/move`, { to: place }));
  }

  pauseQueue() {
    const { paused } = this.model.state;
    return this.done(
      () => ask("POST", `/sdapi/v1/queue/${paused ? "resume" : "pause"}`, {}),
      paused ? "The queue goes on." : "The queue is paused.",
    );
  }

  // The first click asks, the second one does it, to those that waited at the first. The button says so; nothing covers
  // the page.
  clear(button) {
    clearTimeout(this.armed);
    const disarm = () => {
      this.armed = null;
      setText(button, "Cancel all");
    };
    if (!this.armed) {
      setText(button, `Cancel all ${byId("steady_queue_count").textContent}?`);
      this.queue.say("Press again to cancel all that waits.");
      this.armed = setTimeout(disarm, ARMED_MS);
      this.meant = this.queue.newest;
      return;
    }
    disarm();
    this.done(() => ask("POST", "/sdapi/v1/queue/interrupt-waiting", { forget: true, created_until: this.meant }), "What waited is cancelled.");
  }

  removeAll() {
    return this.done(async () => {
      const words = await this.queue.past.removeAll();
      if (words) this.queue.say(words);
    });
  }

  // Returns whether it was done. What was taken back at a question answers null.
  async done(what, words) {
    try {
      const answer = await what();
      if (answer === null) return false;
      if (answer?.accepted === false) this.tell(`Too late: the job is ${answer.was}.`);
      else if (words) this.queue.say(words);
      return answer?.accepted !== false;
    } catch (error) {
      this.tell(String(error.message || error));
      return false;
    } finally {
      this.queue.again();
    }
  }

  // A refusal is read aloud and stands in the head of the list for a while.
  tell(words) {
    const show = (told) => {
      this.queue.told = told;
      this.queue.renderHead(this.model.state);
    };
    this.queue.say(words);
    show(words);
    clearTimeout(this.telling);
    this.telling = setTimeout(() => show(""), TOLD_MS);
  }

  nameOf(id) {
    return short(this.queue.rows.get(id)?.querySelector(".sd-row-prompt")?.textContent || "The job");
  }
}

const SAID = {
  front: (name) => `${name} is the next.`,
  priority: (name) => `The priority of ${name} has changed.`,
  remove: (name) => `${name} is cancelled.`,
  pause: (name) => `${name} pauses.`,
  resume: (name) => `${name} goes on.`,
  forget: (name) => `${name} is removed from the list.`,
  delete: (name) => `${name} is deleted with its pictures.`,
  retry: (name) => `${name} waits to be tried again.`,
};
