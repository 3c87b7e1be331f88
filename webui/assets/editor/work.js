// What is in an editor: a picture, what is painted on it, and the frame around it.

import { randomId } from "../page/memory.js";
import { History } from "./history.js";
import { Layer } from "./layer.js";
import { numberOf } from "./runs.js";

export const NO_MARGINS = Object.freeze({ left: 0, top: 0, right: 0, bottom: 0 });
const numbers = new WeakMap(); // runs -> their number

export class Work {
  margins = NO_MARGINS;
  history = new History();

  // `picture`: null where there is none. `id` stands for the picture's bytes, also after a reload.
  constructor(picture = null, id = randomId()) {
    this.picture = picture;
    this.id = id;
    const { width, height } = picture || { width: 0, height: 0 };
    this.layers = { mask: new Layer(width, height), paint: new Layer(width, height) };
  }

  // What is painted on another picture of the same size is on this one from now on.
  adopt(other) {
    this.layers = other.layers;
    this.history = other.history;
  }

  shares = (other) => this.layers === other.layers;

  get painted() {
    return Object.values(this.layers).some((layer) => !layer.empty);
  }

  // The picture with its frame, in pixels of the picture.
  get framed() {
    const { left, top, right, bottom } = this.margins;
    const { width, height } = this.picture;
    return { left: -left, top: -top, right: width + right, bottom: height + bottom };
  }

  get record() {
    const { id, picture, margins } = this;
    return picture && { id, blob: picture.blob, address: picture.address, margins };
  }

  // A number that stands for what is painted on a layer.
  numberOf(name) {
    let sum = 0;
    for (const [index, runs] of this.layers[name].committed) {
      if (!numbers.has(runs)) numbers.set(runs, numberOf(runs));
      sum = (sum + numberOf([index, numbers.get(runs) % 2 ** 32, numbers.get(runs) / 2 ** 32])) % Number.MAX_SAFE_INTEGER;
    }
    return sum;
  }
}
