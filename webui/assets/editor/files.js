// What is painted, as pictures that are sent: the mask, and the picture with its colours.

import { SIDE } from "./layer.js";
import { writePng } from "./png.js";

// White where the layer is painted, as A1111 has it: an 8-bit grey PNG of the picture's size.
export function maskFile(layer) {
  const { width, height } = layer;
  const rows = (y, count) => {
    const bytes = new Uint8Array(width * count);
    for (const { place, pixels } of tilesOf(layer, y)) {
      const alpha = new Uint8Array(pixels.buffer);
      for (let row = 0; row < count; row += 1) {
        for (let i = 0; i < place.width; i += 1) bytes[row * width + place.x + i] = alpha[(row * place.width + i) * 4 + 3];
      }
    }
    return bytes;
  };
  return writePng({ width, height, channels: 1, rows, band: SIDE });
}

// The picture with the layer's colours over it, RGB; RGBA where the picture can be seen through.
export function paintedFile(picture, layer, opacity) {
  const { width, height } = picture;
  const channels = seenThrough(picture) ? 4 : 3;
  const rows = (y, count) => {
    const below = picture.read(0, y, width, count);
    for (const { place, pixels } of tilesOf(layer, y)) blend(below, width, place, new Uint8Array(pixels.buffer), opacity);
    if (channels === 4) return below;
    const bytes = new Uint8Array(width * count * 3);
    for (let from = 0, to = 0; to < bytes.length; from += 4, to += 3) {
      bytes[to] = below[from];
      bytes[to + 1] = below[from + 1];
      bytes[to + 2] = below[from + 2];
    }
    return bytes;
  };
  return writePng({ width, height, channels, rows, band: SIDE });
}

// The tiles of the row of tiles that begins at y, with what was committed to them.
function* tilesOf(layer, y) {
  for (const index of layer.meeting({ left: 0, top: y, right: layer.width, bottom: y + 1 })) {
    if (layer.committed.has(index)) yield { place: layer.placeOf(index), pixels: layer.pixelsOf(index) };
  }
}

// "Over", of colours that are not multiplied by their alpha.
function blend(below, width, place, above, opacity) {
  for (let row = 0; row < place.height; row += 1) {
    for (let i = 0; i < place.width; i += 1) {
      const from = (row * place.width + i) * 4;
      if (!above[from + 3]) continue;
      const to = (row * width + place.x + i) * 4;
      const over = (above[from + 3] / 255) * opacity;
      const under = (below[to + 3] / 255) * (1 - over);
      const alpha = over + under;
      for (let c = 0; c < 3; c += 1) below[to + c] = Math.round((above[from + c] * over + below[to + c] * under) / (alpha || 1));
      below[to + 3] = Math.round(alpha * 255);
    }
  }
}

const LOOKED_AT = 256;

// Is a part of it transparent? Asked of a small copy, in which no hole is too small to be seen but that of a pixel or two.
function seenThrough({ bitmap }) {
  const context = new OffscreenCanvas(LOOKED_AT, LOOKED_AT).getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0, LOOKED_AT, LOOKED_AT);
  const { data } = context.getImageData(0, 0, LOOKED_AT, LOOKED_AT);
  for (let i = 3; i < data.length; i += 4) if (data[i] !== 255) return true;
  return false;
}
