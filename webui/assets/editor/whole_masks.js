// Masks that are made at once, all over the picture: what to swap into a layer, index -> runs (layer.js).

import { SIDE, wordOf } from "./layer.js";
import { encode, onlyPixel, uniform } from "./runs.js";

// All of it in one colour, or, with null, nothing.
export function filled(layer, colour) {
  const tiles = Array.from(layer.everywhere);
  return new Map(tiles.map((index) => [index, colour === null ? null : solid(layer, index, wordOf(colour))]));
}

function solid(layer, index, word) {
  const { width, height } = layer.placeOf(index);
  return uniform(word, width * height);
}

// What was masked is not, and the other way round; half is half.
export function inverted(layer, colour) {
  const words = Uint32Array.from({ length: 256 }, (_, alpha) => (alpha === 255 ? 0 : wordOf(colour, 255 - alpha)));
  const runs = new Map();
  for (const index of layer.everywhere) {
    const before = layer.committed.get(index);
    if (!before || onlyPixel(before) === wordOf(colour)) {
      runs.set(index, before ? null : solid(layer, index, wordOf(colour)));
      continue;
    }
    const pixels = layer.pixelsOf(index);
    const bytes = new Uint8Array(pixels.buffer);
    for (let i = 0; i < pixels.length; i += 1) pixels[i] = words[bytes[i * 4 + 3]];
    runs.set(index, encode(pixels));
  }
  return runs;
}

// A picture of a mask, drawn to the layer's size: the brighter, and the less seen through, the more is masked.
export function brightness(layer, bitmap, colour) {
  const [across, down] = [bitmap.width / layer.width, bitmap.height / layer.height];
  const context = new OffscreenCanvas(SIDE, SIDE).getContext("2d", { willReadFrequently: true });
  const words = Uint32Array.from({ length: 256 }, (_, alpha) => (alpha ? wordOf(colour, alpha) : 0));
  const runs = new Map();
  for (const index of layer.everywhere) {
    const { x, y, width, height } = layer.placeOf(index);
    context.clearRect(0, 0, SIDE, SIDE);
    context.drawImage(bitmap, x * across, y * down, width * across, height * down, 0, 0, width, height);
    const { data } = context.getImageData(0, 0, width, height);
    const pixels = new Uint32Array(width * height);
    for (let i = 0, from = 0; i < pixels.length; i += 1, from += 4) {
      const grey = 0.299 * data[from] + 0.587 * data[from + 1] + 0.114 * data[from + 2];
      pixels[i] = words[Math.round((grey * data[from + 3]) / 255)];
    }
    runs.set(index, encode(pixels));
  }
  return runs;
}
