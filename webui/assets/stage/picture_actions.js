// What can be done with the picture on the stage or in the viewer: buttons with `data-do`, there and here.

import { ask, jobPath } from "../live/rest.js";
import { isDrawn, isOfOne, secondPassOf, variationsOf } from "../model/again.js";
import { beforeOf } from "../model/before.js";
import { picturesOfGrid } from "../model/grid.js";
import { picturesOf } from "../model/strip_places.js";
import { copyText } from "../page/clipboard.js";
import { press, setAttribute, setText } from "../page/dom.js";
import { randomId } from "../page/memory.js";
import { Viewer } from "./viewer.js";

const SAID_MS = 1200;
// What only a picture that was drawn from words can be asked for.
const OF_DRAWN = ["hires", "variations", "onward", "reuse-seed"];
// What begins with all that its job was asked for.
const OF_ONE = ["hires", "variations"];
const HIRES_TAB = "txt2img"; // has the fields of the second pass

export class PictureActions {
  // `tab` knows what the strip holds (`state`) and the output on the stage (`staged`), and selects one by its address.
  constructor(tab) {
    this.tab = tab;
    this.seedWanted = null; // of a picture in another tab's hands
    this.viewer = new Viewer({
      walked: (output) => this.walkedTo(output),
      actions: () => tab.part("send"),
      changed: (output, foot) => this.offer(foot, this.jobOf(output)),
      beforeOf: (output) => beforeOf(this.jobOf(output), output),
    });
    document.addEventListener("click", (event) => this.clicked(event));
  }

  // The picture that they are about: the one in the viewer, else the one on the stage.
  get output() {
    return this.viewer.output || this.tab.staged;
  }

  jobOf = (output) => this.tab.state.jobs[output?.job ?? this.tab.state.shown] || null;

  // As text: a number of a browser ends at 2^53. Null where there is no picture.
  get seed() {
    const { output } = this;
    return output ? (/(?:^|, )Seed: (\d+)/m.exec(output.infotext || "")?.[1] ?? String(output.seed)) : null;
  }

  // The seed that the field is to show now.
  takeSeed() {
    const seed = this.seedWanted ?? this.seed;
    this.seedWanted = null;
    return seed;
  }

  clicked(event) {
    const inViewer = this.viewer.dialog.contains(event.target) && event.target.closest?.(".sd-viewer-actions [data-do]");
    const button = inViewer || this.tab.find(event, "send", "[data-do]");
    if (this.tab.find(event, "open", "button")) this.enlarge();
    else if (button && this.output) this.act(button, button.dataset.do);
  }

  act(button, name) {
    const deeds = {
      img2img: () => this.send("img2img", "img2img"),
      inpaint: () => this.send("img2img", "inpaint"),
      extras: () => this.send("extras"),
      hires: () => this.queue(secondPassOf(this.jobOf(this.output), this.output, this.hires, this.seed)),
      variations: () => this.queue(variationsOf(this.jobOf(this.output), this.output, this.seed)),
      onward: () => this.reuse().then((tab) => tab.promptField?.focus()),
      "reuse-all": () => this.reuse(),
      "reuse-seed": () => this.reuseSeed(button),
      save: () => this.save(button),
      copy: () => this.copy(button),
    };
    Promise.resolve(deeds[name]?.()).catch((error) => this.tab.problem(String(error.message || error)));
  }

  render(state) {
    const grid = this.grid;
    this.viewer.update(grid ? picturesOfGrid(grid) : picturesOf(state));
    const box = this.tab.part("send");
    if (box) this.offer(box, this.jobOf(this.tab.staged));
  }

  // What makes no sense for the picture is not there.
  offer(box, job) {
    const all = !job || isDrawn(job);
    const key = !all ? "made" : !job || isOfOne(job) ? "drawn" : "grid";
    if (box.dataset.offers === key) return;
    box.dataset.offers = key;
    for (const button of box.querySelectorAll("[data-do]")) {
      const { do: deed } = button.dataset;
      if (OF_DRAWN.includes(deed)) setAttribute(button, "hidden", all && (key === "drawn" || !OF_ONE.includes(deed)) ? null : "");
    }
  }

  get hires() {
    return this.tab.page.drawing(HIRES_TAB).fields.hires.request || {};
  }

  // The job whose grid is on the stage, whose pictures alone are walked then; null for none.
  get grid() {
    return this.tab.stage.gridJob(this.tab.state);
  }

  enlarge() {
    const staged = this.tab.staged;
    if (!staged) return;
    const pictures = this.grid ? picturesOfGrid(this.grid) : picturesOf(this.tab.state);
    const failed = (error) => this.tab.problem(String(error.message || error));
    this.viewer.open(pictures, pictures.findIndex((one) => one.url === staged.url)).catch(failed);
  }

  // The viewer closes: the picture that one had walked to is on the stage.
  walkedTo(output) {
    if (picturesOf(this.tab.state).some((one) => one.url === output?.url)) this.tab.select(output.url);
  }

  async send(prefix, mode = "") {
    const { output } = this;
    await this.viewer.close();
    this.tab.page.sendTo(prefix, mode, { url: output.url, job: this.jobOf(output)?.id, index: output.index });
  }

  // Another job that this picture leads to; it comes on the stage as one that Generate asked for.
  async queue({ kind, request }) {
    await this.viewer.close();
    const id = randomId();
    await ask("POST", "/sdapi/v1/jobs", { id, kind, request });
    this.tab.page.dispatch({ type: "answered", job: await ask("GET", jobPath(id)) });
  }

  // Into the fields of the tab that draws such pictures, whose `Takeover` tells what came of it, so the viewer makes way.
  async reuse() {
    const { output } = this;
    const job = this.jobOf(output);
    const tab = job ? this.tab.page.tabOf(job) : this.tab;
    await this.viewer.close();
    tab.takeover.take({ kind: "reuse", job: job?.id ?? this.tab.state.shown, index: output.index }, "this picture");
    return tab;
  }

  reuseSeed(button) {
    const tab = this.tab.part("reuse_seed") ? this.tab : this.tab.page.tabOf(this.jobOf(this.output));
    tab.picture.seedWanted = this.seed;
    press(tab.id("reuse_seed"));
    sayFor(button, "Taken over");
  }

  async save(button) {
    const { output } = this;
    const { new: isNew } = await ask("POST", `${jobPath(this.jobOf(output)?.id ?? this.tab.state.shown)}/images/${output.index}/save`, {});
    sayFor(button, isNew ? "Saved" : "Saved already");
  }

  async copy(button) {
    await copyText(this.output?.infotext || "", button.closest(".sd-menu-holder") || undefined);
    sayFor(button, "Copied");
  }
}

// What a button did, said on it for a moment; of one in a menu, which has closed by then, on the button of that.
function sayFor(pressed, words) {
  const button = pressed.closest(".sd-menu-holder")?.querySelector("[aria-haspopup]") || pressed;
  button.dataset.words ||= button.textContent;
  setText(button, words);
  setTimeout(() => setText(button, button.dataset.words), SAID_MS);
}
