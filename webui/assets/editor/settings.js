// How somebody likes to paint: the tool, its size, the colours. Kept in this browser.

import { read, write } from "../page/memory.js";

const KEPT = ["tool", "size", "colour", "maskColour", "maskOpacity", "paintOpacity", "tolerance", "connected", "away", "pressure"];
const LIMITS = { maskOpacity: [5, 100], paintOpacity: [5, 100], tolerance: [0, 255] };
const HEX = /^#[0-9a-f]{6}$/i;
const SUITS = 14; // a brush of this part of the shorter side
const GROWS = 1.2;
export const SMALLEST = 1;

export class Settings {
  tool = "brush";
  size = 0; // of the brush, in pixels of the picture; 0: what suits the picture
  colour = "#2f6fd6";
  maskColour = "#ff4d6d";
  maskOpacity = 55; // in percent, on the screen alone
  paintOpacity = 100; // in percent, also in the picture that is sent
  tolerance = 24; // of 255
  connected = true;
  away = false; // a mask from a colour takes away instead
  pressure = true;

  longest = 512; // sides of the picture, in pixels
  shortest = 512;

  constructor(key, changed) {
    this.place = `steady.editor.${key}`;
    this.changed = changed;
    for (const [name, value] of Object.entries(kept(this.place))) {
      const good = KEPT.includes(name) && typeof value === typeof this[name];
      if (good && (!name.toLowerCase().endsWith("colour") || HEX.test(value))) this[name] = value;
    }
  }

  suits({ width, height }) {
    this.longest = Math.max(width, height);
    this.shortest = Math.min(width, height);
  }

  // Of the brush or the eraser, in pixels of the picture.
  get diameter() {
    return Math.min(this.largest, this.size || Math.max(2, Math.round(this.shortest / SUITS)));
  }

  get largest() {
    return Math.max(8, Math.min(1024, Math.round(this.longest / 2)));
  }

  set(name, value) {
    const [least, most] = name === "size" ? [SMALLEST, this.largest] : LIMITS[name] || [];
    const within = typeof value === "number" && least !== undefined ? Math.min(most, Math.max(least, Math.round(value))) : value;
    if (Number.isNaN(within) || this[name] === within) return;
    this[name] = within;
    write(this.place, JSON.stringify(Object.fromEntries(KEPT.map((one) => [one, this[one]]))));
    this.changed(name);
  }

  resize(steps) {
    const before = this.diameter;
    const next = before * GROWS ** steps;
    this.set("size", steps > 0 ? Math.max(before + 1, next) : Math.min(before - 1, next));
  }
}

function kept(place) {
  try {
    return JSON.parse(read(place) || "{}");
  } catch {
    return {};
  }
}
