// What was drawn before: which of it the Queue tab shows, and how it goes, one by one or all that is shown.

import { ask, jobPath } from "../live/rest.js";
import { FAILED, TERMINAL } from "../model/statuses.js";
import { confirmed } from "../page/confirm.js";
import { byId, setAttribute, setText } from "../page/dom.js";

const SEARCH_AFTER_MS = 250;
const GROUPS = { all: TERMINAL.join(), done: "done", stopped: "interrupted", failed: FAILED.join() };

export class QueuePast {
  text = ""; // searched for in the prompts
  group = "all";
  mine = false;
  shown = null; // {filtered, total, which}: what the list holds, and the query of just that

  // `owner()` is whose browser this is; `changed()` reads the list anew.
  constructor(owner, changed) {
    this.owner = owner;
    this.changed = changed;
    document.addEventListener("input", (/** @type {EventOn<HTMLInputElement>} */ event) => event.target.id === "steady_queue_search" && this.search(event.target));
  }

  get filtered() {
    return Boolean(this.text || this.mine || this.group !== "all");
  }

  query() {
    const query = new URLSearchParams({ status: GROUPS[this.group] });
    if (this.text) query.set("text", this.text);
    if (this.mine) query.set("owner", this.owner());
    return query;
  }

  search(field) {
    clearTimeout(this.searching);
    // What is found stands under the field: in sight, however long the list of those that wait is.
    if (field.value) byId("steady_queue_before").scrollIntoView({ block: "start" });
    this.searching = setTimeout(() => {
      this.text = field.value.trim();
      this.changed();
    }, SEARCH_AFTER_MS);
  }

  choose(button) {
    if (button.dataset.group) this.group = button.dataset.group;
    else this.mine = !this.mine;
    this.changed();
  }

  // `query` is what was asked for, `jobs` the rows: of `total` that there are.
  render(query, jobs, total) {
    const { filtered } = this;
    const until = jobs.length ? `&finished_until=${Math.max(...jobs.map((job) => job.finished_at))}` : "";
    this.shown = { filtered, total, which: `${query}${until}` };
    /** @type {NodeListOf<HTMLElement>} */
    const chips = byId("steady_queue_filter").querySelectorAll("[data-group]");
    for (const chip of chips) {
      setAttribute(chip, "aria-pressed", String(chip.dataset.group === this.group));
    }
    setAttribute(byId("steady_queue_mine"), "aria-pressed", String(this.mine));
    const remove = byId("steady_queue_remove");
    remove.hidden = !total;
    setText(remove, total === 1 ? "Remove this one" : filtered ? `Remove these ${total}` : `Remove all ${total}`);
    setText(byId("steady_queue_no_past"), this.nothing());
  }

  nothing() {
    if (this.text) return `No prompt holds “${this.text}”${this.mine || this.group !== "all" ? ", of those that are shown" : ""}.`;
    return this.filtered ? "None of this kind." : "Nothing yet: what you draw is listed here.";
  }

  // All that fit the filter, also those beyond the rows that are shown, but none that ended since: nobody has seen its
  // pictures. Returns what is said of it, null: it was not wanted.
  async removeAll() {
    const { filtered, total, which } = this.shown;
    const these = total === 1 ? "this job" : `${filtered ? "these" : "all"} ${total} jobs`;
    const sure = await confirmed({
      title: `Remove ${these} from the list?`,
      words: `${total === 1 ? "Its prompt" : "Their prompts"} and settings are forgotten. Saved pictures stay in their folder.`,
      tick: "Delete the saved pictures too",
      action: "Remove",
    });
    if (!sure) return null;
    let removed = 0;
    for (;;) {
      const { jobs: gone, left } = await ask("DELETE", `/sdapi/v1/jobs?${which}&files=${sure.ticked}`);
      removed += gone;
      if (!left || !gone) return `${removed === 1 ? "1 job is" : `${removed} jobs are`} removed.`;
    }
  }
}

// One job. With its pictures only after a question.
export async function removeJob(id, files, count) {
  const pictures = count === 1 ? "its picture" : `its ${count} pictures`;
  const words = "This cannot be undone.";
  if (files && !(await confirmed({ title: `Delete this job and ${pictures}?`, words, action: "Delete" }))) return null;
  return ask("DELETE", `${jobPath(id)}?files=${files}`);
}
