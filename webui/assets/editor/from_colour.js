// A mask from a colour: all pixels of the picture that are like the one pointed at, or those of them that hang together.

import { Breath } from "./breath.js";
import { wordOf } from "./layer.js";
import { encode } from "./runs.js";

const MARKED = 2;

// Resolves to the runs to swap into `layer`, index -> runs: the alike pixels in `colour`, or, with `away`, taken out of it.
// `tolerance`: how much each of red, green, blue and alpha may differ, 0 to 255. Null where it is not `wanted()` any more.
export async function alike({ picture, layer, point, tolerance, connected, colour, away, wanted }) {
  const [x, y] = [Math.floor(point.x), Math.floor(point.y)];
  const breath = new Breath(wanted);
  const found = await likeOnes(breath, picture, layer, picture.read(x, y, 1, 1), tolerance);
  if (!found || (connected && !(await keepConnected(breath, found, picture, x, y)))) return null;
  const word = away ? 0 : wordOf(colour);
  return changes(breath, layer, picture, found, connected ? MARKED : 1, word);
}

// A byte for each pixel of the picture: 1 where it is like the wanted one.
async function likeOnes(breath, picture, layer, pixel, tolerance) {
  const [red, green, blue, alpha] = pixel;
  const found = new Uint8Array(picture.width * picture.height);
  for (const index of layer.everywhere) {
    const { x, y, width, height } = layer.placeOf(index);
    const bytes = picture.read(x, y, width, height);
    for (let row = 0, from = 0; row < height; row += 1) {
      for (let to = (y + row) * picture.width + x, end = to + width; to < end; to += 1, from += 4) {
        const near =
          Math.abs(bytes[from] - red) <= tolerance &&
          Math.abs(bytes[from + 1] - green) <= tolerance &&
          Math.abs(bytes[from + 2] - blue) <= tolerance &&
          Math.abs(bytes[from + 3] - alpha) <= tolerance;
        if (near) found[to] = 1;
      }
    }
    if (breath.due && !(await breath.take())) return null;
  }
  return found;
}

// Marks those that can be reached from (x, y) over found ones, line by line.
async function keepConnected(breath, found, { width, height }, x, y) {
  const waiting = [y * width + x];
  while (waiting.length) {
    const seed = waiting.pop();
    if (found[seed] !== 1) continue;
    const start = seed - (seed % width);
    let left = seed;
    while (left > start && found[left - 1] === 1) left -= 1;
    let right = seed;
    while (right + 1 < start + width && found[right + 1] === 1) right += 1;
    found.fill(MARKED, left, right + 1);
    for (const row of [start - width, start + width]) {
      if (row < 0 || row >= width * height) continue;
      for (let at = row + left - start; at <= row + right - start; at += 1) {
        if (found[at] === 1 && (at === row + left - start || found[at - 1] !== 1)) waiting.push(at);
      }
    }
    if (breath.due && !(await breath.take())) return null;
  }
  return found;
}

async function changes(breath, layer, { width }, found, value, word) {
  const runs = new Map();
  for (const index of layer.everywhere) {
    const place = layer.placeOf(index);
    let pixels = null;
    for (let row = 0; row < place.height; row += 1) {
      const start = (place.y + row) * width + place.x;
      for (let i = 0; i < place.width; i += 1) {
        if (found[start + i] !== value) continue;
        pixels ??= layer.pixelsOf(index);
        pixels[row * place.width + i] = word;
      }
    }
    if (pixels) runs.set(index, encode(pixels));
    if (breath.due && !(await breath.take())) return null;
  }
  return runs;
}
