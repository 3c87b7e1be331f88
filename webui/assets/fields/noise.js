// Variation seed, seed resize, tiling and CFG rescale (webui/tabs/drawing/rows/noise.py).

import { Fold } from "./fold.js";

export class Noise extends Fold {
  constructor(tab) {
    super(tab, "noise");
  }

  words() {
    const { subseed_strength: strength, seed_resize_from_w: width, seed_resize_from_h: height, tiling, cfg_rescale: rescale } = this.values;
    const set = [
      strength > 0 && `variation ${strength}`,
      width > 0 && height > 0 && `as of ${width} × ${height}`,
      tiling && "tiling",
      rescale > 0 && `CFG rescale ${rescale}`,
    ];
    return set.filter(Boolean).join(", ");
  }
}
