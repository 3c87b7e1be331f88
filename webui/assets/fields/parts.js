// Fields that few need (webui/tabs/drawing/rows/parts.py): closed while nothing is set in them, and what is set stands on
// the button that opens them.

import { setAttribute, setText } from "../page/dom.js";

const NEUTRAL = ["", "None", "Automatic", "1", null, undefined];

export class Parts {
  opened = null; // by hand: true or false

  constructor(tab) {
    this.tab = tab;
    document.addEventListener("click", (event) => this.clicked(event));
  }

  get isOpen() {
    return this.opened ?? false;
  }

  clicked(event) {
    if (!this.tab.find(event, "page", "button[data-parts]")) return;
    this.opened = !this.isOpen;
    this.render();
  }

  // A field of the page is pointed at: it has to be seen.
  show(field) {
    if (!field.closest(".sd-parts")) return;
    this.opened = true;
    this.render();
  }

  valuesAre(fields) {
    this.values = fields;
    this.render();
  }

  render() {
    const button = this.tab.part("page")?.querySelector("button[data-parts]");
    if (!button) return;
    setAttribute(this.tab.part("page"), "data-parts", this.isOpen ? "" : null);
    setAttribute(button, "aria-expanded", String(this.isOpen));
    setText(button.querySelector(".sd-parts-set"), this.isOpen ? "" : this.words());
  }

  // What is set, such as "VAE soft, Clip skip 2".
  words() {
    const { sd_vae: vae, forge_additional_modules: beside, CLIP_stop_at_last_layers: skip, refiner_checkpoint: refiner, refiner_switch_at: at, emphasis, use_old_scheduling: old } = this.values || {};
    const set = [
      !NEUTRAL.includes(vae) && `VAE ${bare(vae)}`,
      beside?.length > 0 && `${beside.length} beside the model`,
      !NEUTRAL.includes(skip) && `clip skip ${skip}`,
      !NEUTRAL.includes(refiner) && `refiner ${bare(refiner)} at ${at}`,
      !["", "Original", null, undefined].includes(emphasis) && `emphasis ${emphasis}`,
      old === "True" && "old timelines",
    ];
    return set.filter(Boolean).join(", ");
  }
}

const bare = (name) => name.replace(/\.(safetensors|sft|ckpt)$/, "");
