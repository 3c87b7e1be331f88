// A grid as one thing, in the strip and in rows of the queue: a few of its pictures, laid out as the grid is.

import { sampleOf } from "../model/grid.js";
import { make } from "../page/dom.js";

export const thumbnail = (output) => output.url.replace(/\.\w+$/, "/thumbnail");

export function sampleOfGrid(job) {
  const { columns, outputs } = sampleOf(job);
  const pictures = outputs.map((output) => (output ? make("img", { src: thumbnail(output), alt: "", loading: "lazy" }) : make("i")));
  return make("span", { class: "sd-sample", style: `--side:${columns}` }, ...pictures);
}
