// What may be done with a picture that comes to the page from elsewhere, or from another part of it.

import { openTab } from "../header/header.js";
import { visible, whenThere } from "./dom.js";

// The tab that starts from pictures.
const STARTS = "img2img";

const tabNamed = (prefix) => document.querySelector(`[role=tab][data-tab-id="${prefix}"]`);

export class PictureWays {
  constructor(page) {
    this.page = page;
  }

  // Of files that are dropped on the page: see page/picture_drop.js.
  get list() {
    const { inSight } = this;
    const takers = [...new Set([inSight?.takesPictures && inSight.prefix, STARTS])].filter((prefix) => prefix && tabNamed(prefix));
    const works = takers.map((prefix) => ({
      title: `Open in ${tabNamed(prefix).textContent.trim()}`,
      words: "and work on it",
      usual: prefix === inSight?.prefix && inSight.takesPictures,
      take: (files) => this.open(prefix, files),
    }));
    const settings = { title: "Take its settings", words: "into the fields", take: (files) => this.settings.takeover.picture(files[0]) };
    const { pngInfo } = this.page;
    const says = { title: "Show what it says", words: "in PNG Info", usual: pngInfo.inSight, take: (files) => pngInfo.read(files[0]) };
    return [...works, { ...settings, usual: ![...works, says].some((one) => one.usual) }, says];
  }

  get inSight() {
    const { current } = this.page;
    return current && visible(current.part("page")) ? current : null;
  }

  // The tab into whose fields settings go: the last one in sight that has a prompt.
  get settings() {
    const tabs = [this.page.current, ...this.page.drawings.values()];
    return tabs.find((tab) => tab?.promptField) || tabs[0];
  }

  // Has the page a tab that starts from pictures?
  get canStart() {
    return Boolean(tabNamed(STARTS));
  }

  start(files) {
    return this.open(STARTS, files);
  }

  async open(prefix, files) {
    openTab(prefix);
    const tab = this.page.drawing(prefix);
    await whenThere(tab.id("stage"));
    tab.takePictures(files);
  }

  // A picture of this page goes to a tab, with its prompt and seed: an output of a job. `mode` is the sub-tab or field there.
  async send(prefix, mode, output) {
    openTab(prefix);
    const tab = this.page.drawing(prefix);
    await whenThere(tab.id("stage"));
    await tab.receive(mode, output);
  }

  // Something was pasted into the page: a picture goes where the tab in sight wants it.
  pasted(event) {
    if (this.page.pngInfo.pasted(event)) return undefined;
    const file = Array.from(event.clipboardData?.files || []).find((one) => one.type.startsWith("image/"));
    const text = event.clipboardData?.getData("text/plain");
    const { inSight } = this;
    const elsewhere = event.target.matches?.("input, textarea, [contenteditable]") && !inSight?.isPrompt(event.target);
    if (!file || text || !inSight?.takesPictures || elsewhere || document.querySelector("dialog[open]")) return this.page.current?.takeover.pasted(event);
    event.preventDefault();
    event.stopPropagation();
    return inSight.takePictures([file]);
  }
}
