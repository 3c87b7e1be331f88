// When the last of this browser's jobs has ended: a title that stays until the page is seen and, where this browser was
// asked for it, a sound and a notification. The choices are made in the Settings tab and kept in this browser alone.

import { short } from "../model/format.js";
import { titleOf } from "../model/job_words.js";
import { chainOf, isMine, unfinished } from "../model/model.js";
import { ended } from "../model/words.js";
import { byId, setAttribute, setText } from "../page/dom.js";
import { read, write } from "../page/memory.js";
import { thumbnail } from "../stage/sample.js";
import { play, wake } from "./chime.js";

const KEPT = "steady.when-done";
const TOLD = "steady.told"; // the job of which a tab of this browser has told: the others need not
const OFF = { sound: false, volume: 60, notification: false, always: false };

// The job of this owner with which all that he asked for has ended between these two moments, or null. What he stopped
// himself is no news, and one link of a chain no end.
export function justEnded(before, after) {
  const own = Object.values(after.jobs).filter((job) => isMine(after, job));
  if (own.some((job) => unfinished(job) && job.status !== "paused")) return null;
  const news = own.filter((job) => unfinished(before.jobs[job.id]) && !unfinished(job) && job.status !== "interrupted");
  return news.find((job) => !(job.forever && job.status === "done")) || null;
}

export class WhenDone {
  title = ""; // what the page's title says until the page is seen

  constructor(page) {
    this.page = page;
    this.choices = chosen();
    document.addEventListener("visibilitychange", () => document.hidden || this.seen());
    document.addEventListener("change", (/** @type {EventOn<HTMLInputElement>} */ event) => event.target.dataset?.done && this.changed(event.target));
    document.addEventListener("click", (/** @type {EventOn<HTMLElement>} */ event) => event.target.id === "steady_done_try" && this.hear());
    // A browser lets a page sound only after a hand or a key was on it.
    for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, () => this.choices.sound && wake());
  }

  look(before, after) {
    const job = justEnded(before, after);
    if (!job) return;
    const { phase } = ended(job, chainOf(after, job));
    const sign = job.status === "done" ? "✓" : "✗";
    if (document.hidden) this.title = [`${sign} ${phase}`, short(titleOf(job))].filter(Boolean).join(" – ");
    if (!document.hidden && !this.choices.always) return;
    if (read(TOLD) === job.id) return;
    write(TOLD, job.id);
    if (this.choices.sound) play(this.choices.volume / 100);
    if (this.choices.notification) this.notify(job, phase);
  }

  notify(job, phase) {
    const picture = job.outputs[0];
    try {
      const told = new Notification(phase, { body: titleOf(job), tag: job.id, icon: picture && thumbnail(picture) });
      told.onclick = () => {
        window.focus();
        told.close();
        this.page.showJob(job.id).catch((error) => this.page.problem(String(error.message || error)));
      };
    } catch {
      /* some phones show notifications of installed pages alone; `changed` has said so */
    }
  }

  seen() {
    this.title = "";
    this.page.render();
  }

  async changed(field) {
    const name = field.dataset.done;
    this.choices[name] = field.type === "checkbox" ? field.checked : Number(field.value);
    this.say("");
    if (name === "notification" && field.checked) await this.permit(field);
    write(KEPT, JSON.stringify(this.choices));
    if (["sound", "volume"].includes(name) && this.choices.sound) this.hear();
    this.render();
  }

  // The browser asks when the setting is switched on, and at no other moment.
  async permit(field) {
    const refusal = await whyNot();
    if (!refusal) return;
    field.checked = false;
    this.choices.notification = false;
    this.say(refusal);
  }

  hear() {
    wake();
    play(this.choices.volume / 100);
  }

  say(words) {
    setText(byId("steady_done_said"), words);
    setAttribute(byId("steady_done_said"), "hidden", words ? null : "");
  }

  render() {
    /** @type {NodeListOf<HTMLInputElement>} */
    const fields = document.querySelectorAll("#steady_when_done [data-done]");
    for (const field of fields) {
      const value = this.choices[field.dataset.done];
      if (field.type === "checkbox") field.checked = value;
      else field.value = value;
      field.style.setProperty("--range_progress", `${value}%`);
    }
    const silent = !this.choices.sound;
    /** @type {NodeListOf<HTMLInputElement>} */
    const ofSound = document.querySelectorAll("#steady_when_done [data-of=sound]");
    for (const one of ofSound) one.disabled = silent;
  }
}

function chosen() {
  try {
    return { ...OFF, ...JSON.parse(read(KEPT) || "{}") };
  } catch {
    return { ...OFF };
  }
}

// Why this browser shows no notification of this page, "" where it does.
async function whyNot() {
  if (!("Notification" in window)) {
    const secure = isSecureContext ? "" : ", since the page has neither https nor the address localhost";
    return `This browser shows no notifications here${secure}. The sound works all the same.`;
  }
  const answer = Notification.permission === "default" ? await Notification.requestPermission() : Notification.permission;
  return answer === "granted" ? "" : "This browser refuses notifications of this page: allow them in its settings for this site.";
}
