// Guidance and shift: what they are with the chosen model, which of them it has, and whether its negative prompt counts
// (webui/guidance_words.py).

import { make, setAttribute, setText } from "../page/dom.js";

const OF_FAMILIES = ["distilled", "image_cfg", "reads", "shift"]; // fields that not every model has
const PARTS = { cfg: "cfg_scale", distilled: "distilled_cfg_scale", image_cfg: "image_cfg_scale", reads: "as_condition", shift: "shift" };

export class Guidance {
  values = {}; // what is in the fields

  constructor(tab) {
    this.tab = tab;
  }

  valuesAre(fields) {
    this.values = fields;
    this.render();
  }

  render() {
    const words = this.tab.page.checkpoints.guidance;
    if (!words) return;
    for (const name of OF_FAMILIES) setAttribute(this.tab.part("page"), `data-${name}`, words[name] ? "" : null);
    for (const [name, part] of Object.entries(PARTS)) this.say(part, "help", words[name]);
    const own = words.own_shift === null ? "by the size" : String(words.own_shift);
    setAttribute(this.tab.part("shift")?.querySelector("input, textarea"), "placeholder", `The model's own: ${own}`);
    this.say("neg_prompt", "help", this.withoutNegative(words));
    this.say("sampling", "said", this.straying(words));
  }

  withoutNegative(words) {
    if (!words.negative) return "Has no effect: this model knows no negative prompt.";
    return Number(this.values.cfg_scale) <= 1 ? "Has no effect: the CFG scale is 1, which is off." : "";
  }

  straying(words) {
    const { strays } = this.tab.page.checkpoints;
    const { sampler_name: sampler, scheduler } = this.values;
    const figure = words.strays && strays.of[sampler]?.[scheduler];
    return figure ? `Strays with this kind of model: ${figure} % from a fine solution in ${strays.steps} steps, Euler ${strays.euler} %.` : "";
  }

  // A line of its own at the end of a field, which its inputs are described by.
  say(part, kind, words) {
    const home = this.tab.part(part);
    if (!home) return;
    const id = this.tab.id(`${part}_${kind}`);
    let line = home.querySelector(`#${id}`);
    if (!line) {
      if (!words) return;
      line = make("p", { class: `sd-${kind}`, id });
      home.append(line);
    }
    setText(line, words || "");
    for (const input of home.querySelectorAll("input, textarea")) {
      if (!input.closest(".sd-wrong")) setAttribute(input, "aria-describedby", words ? id : null);
    }
  }
}
