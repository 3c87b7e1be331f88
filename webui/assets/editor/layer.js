// What is painted over a picture: tiles of 256 × 256 pixels that are there only where something is painted.
//
// A stroke goes to the tiles' canvases at once. When it has ended it is committed: what the touched tiles hold is kept as
// runs, which is what undo, the browser's storage and the pictures that are sent are made of.

import { decode, encode, onlyPixel, same } from "./runs.js";

export const SIDE = 256;
const READ_OFTEN = { willReadFrequently: true }; // in main memory, where a stroke's end reads it without waiting

export class Layer {
  canvases = new Map(); // index -> the context of a tile's canvas; a tile of one colour may have none
  committed = new Map(); // index -> runs
  touched = new Set(); // indexes that were painted on since the last commit

  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.columns = Math.ceil(width / SIDE);
    this.rows = Math.ceil(height / SIDE);
  }

  get empty() {
    return !this.committed.size && !this.touched.size;
  }

  // What is committed now, for who reads it while more is painted.
  snapshot() {
    const still = new Layer(this.width, this.height);
    still.committed = new Map(this.committed);
    return still;
  }

  // The place of a tile in the picture: {x, y, width, height}; those at the right and lower edge are smaller.
  placeOf(index) {
    const x = (index % this.columns) * SIDE;
    const y = Math.floor(index / this.columns) * SIDE;
    return { x, y, width: Math.min(SIDE, this.width - x), height: Math.min(SIDE, this.height - y) };
  }

  // The indexes of the tiles that a box of the picture meets.
  *meeting({ left, top, right, bottom }) {
    const first = Math.max(0, Math.floor(left / SIDE));
    const last = Math.min(this.columns - 1, Math.floor((right - 1e-6) / SIDE));
    const end = Math.min(this.rows - 1, Math.floor((bottom - 1e-6) / SIDE));
    for (let row = Math.max(0, Math.floor(top / SIDE)); row <= end; row += 1) {
      for (let column = first; column <= last; column += 1) yield row * this.columns + column;
    }
  }

  get everywhere() {
    return this.meeting({ left: 0, top: 0, right: this.width, bottom: this.height });
  }

  // --- painting

  // Has `draw(context)` draw, in the picture's coordinates, on each tile that the box meets. `erases`: only on what is there.
  paint(box, draw, erases = false) {
    for (const index of this.meeting(box)) {
      if (erases && !this.canvases.has(index) && !this.committed.has(index)) continue;
      const context = this.canvasOf(index);
      const { x, y } = this.placeOf(index);
      context.setTransform(1, 0, 0, 1, -x, -y);
      draw(context);
      this.touched.add(index);
    }
  }

  canvasOf(index) {
    const known = this.canvases.get(index);
    if (known) return known;
    const { width, height } = this.placeOf(index);
    const context = new OffscreenCanvas(width, height).getContext("2d", READ_OFTEN);
    this.canvases.set(index, context);
    const runs = this.committed.get(index);
    if (runs) show(context, runs);
    return context;
  }

  // The pixels of a tile as they were committed, as words of RGBA.
  pixelsOf(index) {
    const { width, height } = this.placeOf(index);
    const pixels = new Uint32Array(width * height);
    const runs = this.committed.get(index);
    return runs ? decode(runs, pixels) : pixels;
  }

  // --- steps: what a commit or a swap has changed, index -> the runs of before (null: nothing was there)

  commit() {
    const before = new Map();
    for (const index of this.touched) {
      const runs = encode(wordsOf(this.canvases.get(index)));
      const old = this.committed.get(index) || null;
      const now = onlyPixel(runs) === 0 ? null : runs;
      if (!now) this.canvases.delete(index);
      if (same(old, now)) continue;
      before.set(index, old);
      if (now) this.committed.set(index, now);
      else this.committed.delete(index);
    }
    this.touched.clear();
    return before;
  }

  // Forgets what was painted since the last commit; returns the indexes that look otherwise now.
  cancel() {
    const gone = Array.from(this.touched);
    this.touched.clear();
    for (const index of gone) this.redraw(index);
    return gone;
  }

  // Puts other runs in place; returns those that stood there, so that the same call takes them back.
  swap(runs) {
    const before = new Map();
    for (const [index, now] of runs) {
      before.set(index, this.committed.get(index) || null);
      if (now && onlyPixel(now) !== 0) this.committed.set(index, now);
      else this.committed.delete(index);
      this.redraw(index);
    }
    return before;
  }

  redraw(index) {
    const context = this.canvases.get(index);
    const runs = this.committed.get(index);
    if (!context) return;
    if (runs && onlyPixel(runs) === null) show(context, runs);
    else this.canvases.delete(index); // drawn by its one colour, or not at all
  }

  // --- to be seen

  // The picture of a tile: its canvas, the colour of all its pixels as CSS has it, or null.
  lookOf(index) {
    const known = this.canvases.get(index);
    if (known) return known.canvas;
    const runs = this.committed.get(index);
    if (!runs) return null;
    const only = onlyPixel(runs);
    return only === null ? this.canvasOf(index).canvas : colourOf(only);
  }
}

const wordsOf = (context) => {
  const { width, height } = context.canvas;
  return new Uint32Array(context.getImageData(0, 0, width, height).data.buffer);
};

function show(context, runs) {
  const { width, height } = context.canvas;
  const image = new ImageData(width, height);
  decode(runs, new Uint32Array(image.data.buffer));
  context.putImageData(image, 0, 0);
}

// "#rrggbb" as a word of RGBA in the order of this machine's bytes, and back as CSS.
export function wordOf(colour, alpha = 255) {
  const number = Number.parseInt(colour.slice(1), 16);
  return new Uint32Array(new Uint8Array([number >> 16, (number >> 8) & 255, number & 255, alpha]).buffer)[0];
}

export function colourOf(word) {
  const [red, green, blue, alpha] = new Uint8Array(new Uint32Array([word]).buffer);
  return `rgb(${red} ${green} ${blue} / ${alpha / 255})`;
}
