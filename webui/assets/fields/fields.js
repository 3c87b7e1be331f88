// The fields of a tab: names that Gradio does not give, sizes and examples to choose, the checkpoint's own defaults.

import { byId, make, press, pressWhenThere, setAttribute } from "../page/dom.js";
import { read, write } from "../page/memory.js";
import { Describe } from "./describe.js";
import { Guidance } from "./guidance.js";
import { Hires } from "./hires.js";
import { Noise } from "./noise.js";
import { Parts } from "./parts.js";
import { Styles } from "../styles/styles.js";
import { Problems } from "./problems.js";
import { Sampling } from "./sampling.js";
import { Script } from "../script/script.js";
import { Upscaling } from "./upscaling.js";

const NAMES = {
  res_switch_btn: "Swap width and height",
  random_seed: "Random seed for each picture",
  pause: "Pause this job: it goes on later from where it was",
  reuse_seed: "Reuse the seed of the picture shown",
};
const LAST_MODEL = "steady.checkpoint"; // of the first tab that there was; each has its own now

export class Fields {
  size = null; // the chip that was pressed: {width, height}
  example = null;

  constructor(tab) {
    this.tab = tab;
    this.problems = new Problems(tab);
    this.sampling = new Sampling(tab);
    this.guidance = new Guidance(tab);
    this.parts = new Parts(tab);
    this.styles = new Styles(tab);
    this.noise = new Noise(tab);
    this.hires = new Hires(tab);
    this.script = new Script(tab);
    this.folds = [this.parts, this.noise, this.hires, this.script];
    this.upscaling = new Upscaling(tab);
    this.describe = new Describe(tab);
    document.addEventListener("click", (event) => this.clicked(event));
  }

  get checkpoints() {
    return this.tab.page.checkpoints;
  }

  // Where a field of the request stands, as the server's builder of the tab says it.
  homeOf(name) {
    if (["override_settings", "sd_model_checkpoint"].includes(name)) return byId("setting_sd_model_checkpoint");
    if (["script_name", "script_args"].includes(name?.split(".")[0])) return this.script.homeOf(name);
    return byId(this.ids[name === "sampler_index" ? "sampler_name" : name]);
  }

  get ids() {
    return JSON.parse(this.tab.section?.dataset.fields || "{}");
  }

  // Gradio's buttons have no name beyond the sign on them.
  nameButtons() {
    this.styles.nameButtons();
    for (const [part, name] of Object.entries(NAMES)) {
      setAttribute(this.tab.part(part), "aria-label", name);
      setAttribute(this.tab.part(part), "title", name);
    }
    for (const part of ["prompt", "neg_prompt"]) setAttribute(this.tab.part(part)?.querySelector("textarea"), "dir", "auto");
    setAttribute(this.tab.part("seed")?.querySelector("input"), "inputmode", "numeric");
  }

  // --- what suits the checkpoint

  // Which checkpoint the values in the fields were chosen for.
  get last() {
    return read(`steady.${this.tab.prefix}.checkpoint`) ?? read(LAST_MODEL);
  }

  set last(name) {
    write(`steady.${this.tab.prefix}.checkpoint`, name);
  }

  choseCheckpoint(name) {
    this.script.plan.changed();
    const last = this.last;
    if (last === null) this.last = name;
    else if (last !== name && this.checkpoints.facts[name]) pressWhenThere(this.tab.id("adopt_defaults"));
  }

  // Values that were the last model's defaults become the new one's; what the user chose himself stays.
  adoptDefaults(checkpoint, shown) {
    const before = this.checkpoints.facts[this.last];
    const after = this.checkpoints.facts[checkpoint];
    this.last = checkpoint;
    if (!after) return {};
    this.sampling.wanted = null;
    const values = Object.entries(shown).map(([name, value]) => [name, !before || value === before[name] ? after[name] : value]);
    return Object.fromEntries(values);
  }

  // What is in the fields now, and of which of them that was just `told`: the chips compare themselves with the size, and
  // guidance is told of by its scale.
  valuesAre(fields, told) {
    this.now = { width: fields.width, height: fields.height };
    this.renderSizes();
    this.guidance.valuesAre(fields);
    this.styles.valuesAre(fields);
    for (const fold of this.folds) fold.valuesAre(fields, told);
    this.upscaling.valuesAre(fields);
    this.describe.valuesAre(fields);
    this.tab.pictures.valuesAre(fields, told);
    this.tab.start.valuesAre(fields);
  }

  renderSizes() {
    const box = this.tab.part("sizes");
    if (!box) return;
    const own = this.tab.start.ownSize;
    const sizes = [...(own ? [own] : []), ...(this.checkpoints.model?.sizes || [])];
    const key = JSON.stringify([this.checkpoints.chosen, sizes, this.now]);
    if (box.dataset.key === key) return;
    box.dataset.key = key;
    box.replaceChildren(...sizes.map((size) => this.chip(size)));
  }

  chip({ label, width, height }) {
    const on = this.now?.width === width && this.now?.height === height;
    const name = { type: "button", class: "sd-chip", "data-size": `${width}x${height}`, title: `${width} × ${height}` };
    return make("button", { ...name, "aria-pressed": on ? "true" : "false" }, label);
  }

  clicked(event) {
    const button = this.tab.find(event, "page", "button");
    if (button?.dataset.size) {
      const [width, height] = button.dataset.size.split("x").map(Number);
      this.size = { width, height };
      press(this.tab.id("size_chip"));
    } else if (button?.dataset.example) {
      this.example = button.dataset.example;
      press(this.tab.id("example"));
      this.tab.promptField?.focus({ preventScroll: true }); // else a phone scrolls the stage away
    }
  }
}
