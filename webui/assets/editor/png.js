// PNG files written row by row: grey for masks, RGB for painted pictures, RGBA where they can be seen through. No canvas
// of the whole size is needed, and what takes long (deflate) is not done on the page's thread.

import { Breath } from "./breath.js";

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];
const COLOUR_TYPES = { 1: 0, 3: 2, 4: 6 }; // channels -> the number that PNG has for them

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

// `rows(y, height)`: the bytes of so many rows from row y on, 8 bits a channel. Resolves to a Blob.
export async function writePng({ width, height, channels, rows, band = 64 }) {
  const deflate = new CompressionStream("deflate");
  const packed = new Response(deflate.readable).arrayBuffer();
  const writer = deflate.writable.getWriter();
  const breath = new Breath();
  for (let y = 0; y < height; y += band) {
    const count = Math.min(band, height - y);
    await writer.write(filtered(rows(y, count), count, width * channels, channels));
    if (breath.due) await breath.take();
  }
  await writer.close();
  const header = new Uint8Array(13);
  const numbers = new DataView(header.buffer);
  numbers.setUint32(0, width);
  numbers.setUint32(4, height);
  header.set([8, COLOUR_TYPES[channels], 0, 0, 0], 8);
  const data = new Uint8Array(await packed);
  const parts = [new Uint8Array(SIGNATURE), ...chunk("IHDR", header), ...chunk("IDAT", data), ...chunk("IEND", new Uint8Array())];
  return new Blob(parts, { type: "image/png" });
}

// Each row as its differences: from the pixel to the left where there are colours; masks are short as they are.
function filtered(bytes, count, length, channels) {
  const out = new Uint8Array(count * (length + 1));
  for (let row = 0; row < count; row += 1) {
    const from = row * length;
    const to = row * (length + 1);
    if (channels === 1) {
      out.set(bytes.subarray(from, from + length), to + 1);
      continue;
    }
    out[to] = 1;
    for (let i = 0; i < channels; i += 1) out[to + 1 + i] = bytes[from + i];
    for (let i = channels; i < length; i += 1) out[to + 1 + i] = bytes[from + i] - bytes[from + i - channels];
  }
  return out;
}

function chunk(name, data) {
  const head = new Uint8Array(8);
  new DataView(head.buffer).setUint32(0, data.length);
  head.set(Array.from(name, (letter) => letter.charCodeAt(0)), 4);
  let crc = 0xffffffff;
  for (const part of [head.subarray(4), data]) for (const byte of part) crc = CRC[(crc ^ byte) & 255] ^ (crc >>> 8);
  const tail = new Uint8Array(4);
  new DataView(tail.buffer).setUint32(0, (crc ^ 0xffffffff) >>> 0);
  return [head, data, tail];
}
