// VAE, text encoders, clip skip and refiner (webui/tabs/drawing/rows/parts.py).

import { Fold } from "./fold.js";

const NEUTRAL = ["", "None", "Automatic", "1", null, undefined];

export class Parts extends Fold {
  constructor(tab) {
    super(tab, "parts");
  }

  words() {
    const { sd_vae: vae, forge_additional_modules: beside, CLIP_stop_at_last_layers: skip, refiner_checkpoint: refiner, refiner_switch_at: at, emphasis, use_old_scheduling: old } = this.values;
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
