// The frame of an outpaint: its four edges are drawn outwards with mouse, pen, finger or arrow keys; corners by pointer.

import { make, setAttribute } from "../page/dom.js";

export const SIDES = ["left", "top", "right", "bottom"];
const CORNERS = ["left top", "right top", "left bottom", "right bottom"].map((corner) => corner.split(" "));
const STEP = 8; // pixels: a VAE works on blocks of 8
const MOST = 4096; // pixels on a side
const KEYS = { ArrowLeft: ["x", -1], ArrowRight: ["x", 1], ArrowUp: ["y", -1], ArrowDown: ["y", 1] };
// Which way of the pointer makes a side larger.
const OUTWARDS = { left: ["x", -1], right: ["x", 1], top: ["y", -1], bottom: ["y", 1] };

export const within = (pixels) => Math.min(MOST, Math.max(0, Math.round((Number(pixels) || 0) / STEP) * STEP));

export class Frame {
  dragged = null; // {sides, x, y, margins}: what is pulled, from where, and how it was

  constructor(editor, place) {
    this.editor = editor;
    this.outside = make("div", { class: "sd-editor-outside" });
    this.outer = make("div", { class: "sd-editor-frame", hidden: true, role: "group", "aria-label": "Frame around the picture" });
    this.handles = SIDES.map((side) => this.handle([side], { role: "slider", tabindex: 0, "aria-label": `Frame: pixels ${where(side)}` }));
    const corners = CORNERS.map((sides) => this.handle(sides, { "aria-hidden": "true" }));
    this.outer.append(this.outside, ...corners, ...this.handles);
    place.append(this.outer);
  }

  handle(sides, attributes) {
    const handle = make("div", { class: "sd-editor-handle", "data-sides": sides.join(" "), ...attributes });
    handle.addEventListener("pointerdown", (event) => this.grip(handle, sides, event));
    handle.addEventListener("pointermove", (event) => this.pull(event));
    for (const name of ["pointerup", "lostpointercapture"]) handle.addEventListener(name, () => this.letGo());
    if (sides.length === 1) handle.addEventListener("keydown", (event) => this.key(sides[0], event));
    return handle;
  }

  get on() {
    const { editor } = this;
    return editor.frame && Boolean(editor.work.picture);
  }

  get drawn() {
    return SIDES.some((side) => this.editor.work.margins[side]);
  }

  // --- by pointer

  grip(handle, sides, event) {
    if (event.button !== 0) return;
    event.stopPropagation(); // the picture is not moved
    event.preventDefault();
    handle.setPointerCapture(event.pointerId);
    handle.focus({ preventScroll: true });
    this.dragged = { sides, x: event.clientX, y: event.clientY, margins: this.editor.work.margins };
  }

  pull(event) {
    if (!this.dragged) return;
    event.stopPropagation();
    const { sides, margins, ...from } = this.dragged;
    const to = { x: event.clientX, y: event.clientY };
    const next = { ...margins };
    for (const side of sides) {
      const [axis, outwards] = OUTWARDS[side];
      next[side] = within(margins[side] + ((to[axis] - from[axis]) * outwards) / this.editor.view.scale);
    }
    this.editor.setMargins(next);
  }

  letGo() {
    if (!this.dragged) return;
    this.dragged = null;
    this.editor.look.showBox(false);
  }

  // --- by keyboard: arrows move the edge as they point, with Shift further; Home takes it back

  key(side, event) {
    const [axis, outwards] = OUTWARDS[side];
    const [keyAxis, way] = KEYS[event.key] || [axis, { PageUp: outwards, PageDown: -outwards }[event.key] || 0];
    const pixels = this.editor.work.margins[side];
    const by = STEP * (event.shiftKey || event.key.startsWith("Page") ? 8 : 1);
    if (event.key === "Home") this.editor.setMargins({ ...this.editor.work.margins, [side]: 0 });
    else if (way && keyAxis === axis) this.editor.setMargins({ ...this.editor.work.margins, [side]: within(pixels + way * outwards * by) });
    else if (!KEYS[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
  }

  // --- to be seen

  render() {
    this.outer.hidden = !this.on;
    if (!this.on) return;
    const { view, work } = this.editor;
    const { left, top, right, bottom } = work.framed;
    put(this.outer, view.toPlace({ x: left, y: top }), (right - left) * view.scale, (bottom - top) * view.scale);
    this.outside.style.clipPath = around(work, view.scale);
    this.handles.forEach((handle, i) => {
      const pixels = work.margins[SIDES[i]];
      for (const [name, value] of Object.entries({ now: pixels, min: 0, max: MOST, text: `${pixels} pixels` })) setAttribute(handle, `aria-value${name}`, value);
    });
  }
}

const where = (side) => ({ left: "at the left", right: "at the right", top: "above", bottom: "below" })[side];

// All of the frame but the picture in it.
function around({ margins, picture }, scale) {
  const [west, north] = [margins.left * scale, margins.top * scale].map((value) => `${value}px`);
  const [east, south] = [(margins.left + picture.width) * scale, (margins.top + picture.height) * scale].map((value) => `${value}px`);
  return `polygon(evenodd, 0 0, 100% 0, 100% 100%, 0 100%, 0 0, ${west} ${north}, ${west} ${south}, ${east} ${south}, ${east} ${north}, ${west} ${north})`;
}

function put(element, { x, y }, width, height) {
  element.style.transform = `translate(${x}px, ${y}px)`;
  element.style.width = `${width}px`;
  element.style.height = `${height}px`;
}
