// Sampler and schedule type: not every pair goes together.

import { make, setText } from "../page/dom.js";

const ANY_SCHEDULE = "Automatic"; // goes with every sampler

export class Sampling {
  wanted = null; // the schedule type that comes back with the next sampler that it goes with

  constructor(tab) {
    this.tab = tab;
  }

  // The component of the schedule type.
  get home() {
    return this.tab.part("scheduler");
  }

  // The schedule types that go with the sampler in the field; null while that is not known.
  get possible() {
    /** @type {HTMLInputElement | null} */
    const sampler = this.tab.part("sampling")?.querySelector("[role=combobox]");
    return this.tab.page.checkpoints.schedules[sampler?.value] || null;
  }

  fitSchedule(sampler, schedule) {
    const possible = this.tab.page.checkpoints.schedules[sampler];
    const wanted = this.wanted && schedule === ANY_SCHEDULE ? this.wanted : schedule;
    const fits = !possible || possible.includes(wanted);
    this.wanted = fits ? null : wanted;
    this.note(fits ? "" : `${wanted} does not go with ${sampler}: ${ANY_SCHEDULE} is chosen.`);
    return fits ? wanted : ANY_SCHEDULE;
  }

  // A schedule type was chosen by hand, or came with settings from outside.
  choseSchedule(schedule) {
    if (schedule === ANY_SCHEDULE && this.wanted) return;
    this.wanted = null;
    this.note("");
  }

  note(words) {
    const { home } = this;
    const note = home?.querySelector(".sd-said") || make("p", { class: "sd-said", role: "status" });
    if (home && !note.isConnected) home.append(note);
    setText(note, words);
  }
}
