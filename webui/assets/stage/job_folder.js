// Where the pictures of the job on the stage are: the folder, where this browser is on the same machine, and all at once.

import { ask, jobPath } from "../live/rest.js";
import { isOfOne } from "../model/again.js";
import { make } from "../page/dom.js";

export const zipOf = (id) => `${jobPath(id)}/images/all.zip`;

// A download without leaving the page.
export function saveAll(id) {
  const link = make("a", { href: zipOf(id), download: "" });
  document.body.append(link);
  link.click();
  link.remove();
}

export const openFolder = (id) => ask("POST", `${jobPath(id)}/open-folder`, {});

export class JobFolder {
  known = new Map(); // job id -> its folder, null where it is not told to this browser

  constructor(tab) {
    this.tab = tab;
    document.addEventListener("click", (/** @type {EventOn<HTMLElement>} */ event) => {
      /** @type {HTMLElement | null} */
      const button = tab.find(event, "folder", "[data-folder]");
      const id = button?.dataset.folder;
      if (id) openFolder(id).catch((error) => tab.problem(String(error.message || error)));
    });
  }

  render(job) {
    const line = this.tab.part("folder");
    const count = job?.outputs.length || 0;
    if (!line) return;
    if (count && !this.known.has(job.id)) this.read(job);
    const folder = this.known.get(job?.id) || null;
    const key = JSON.stringify([job?.id, count > 1 && count, folder]);
    if (line.dataset.key === key) return;
    line.dataset.key = key;
    line.hidden = !count || (!folder && count < 2);
    const parts = folder ? [make("code", { title: "Where the pictures of this job are" }, folder)] : [];
    const buttons = make("span", { class: "sd-folder-buttons" });
    if (folder) buttons.append(make("button", { type: "button", class: "sd-text", "data-folder": job.id }, "Open folder"));
    if (count > 1 && isOfOne(job)) buttons.append(make("a", { class: "sd-text", href: `${jobPath(job.id)}/sheet.png`, target: "_blank", rel: "noopener", title: "All of them in one picture" }, "Grid"));
    if (count > 1) buttons.append(make("a", { class: "sd-text", href: zipOf(job.id), download: "" }, `Save all ${count}`));
    line.replaceChildren(...parts, buttons);
  }

  async read(job) {
    this.known.set(job.id, null);
    const { folder } = await ask("GET", jobPath(job.id)).catch(() => ({}));
    this.known.set(job.id, folder || null); // shown with the next message
    if (this.known.size > 200) this.known.delete(this.known.keys().next().value);
    this.render(job);
  }
}
