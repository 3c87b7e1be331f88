// What is done to the layer of the editor's mode: strokes, fills, masks from colours; each is one step of the history.

import { alike } from "./from_colour.js";
import { MODES } from "./modes.js";
import { Stroke } from "./stroke.js";
import { brightness, filled, inverted } from "./whole_masks.js";

export const MASK = "#ffffff"; // as which a mask is painted; the screen shows it in another colour

export class Painting {
  stroke = null;
  last = null; // where the last stroke ended: with Shift the next one goes on from there in a straight line
  chosen = null; // {point, step} of the last mask from a colour: another tolerance does it anew
  turn = 0; // of the masks from a colour: a slower, older one must not replace a newer one

  constructor(editor) {
    this.editor = editor;
  }

  get name() {
    return MODES[this.editor.mode].layer;
  }

  get layer() {
    return this.editor.work.layers[this.name] || null;
  }

  get colour() {
    return MODES[this.editor.mode].paints ? this.editor.settings.colour : MASK;
  }

  get empty() {
    return !this.layer || this.layer.empty;
  }

  // --- strokes; points in pixels of the picture, {x, y, pressure}

  begin(point, { erases, straight }) {
    if (!this.layer) return;
    this.end();
    const { settings, screen } = this.editor;
    this.stroke = new Stroke(this.layer, { size: settings.diameter, colour: erases ? null : this.colour });
    const from = straight && this.last ? this.last : point;
    screen.touch(this.stroke.begin(from));
    if (from !== point) screen.touch(this.stroke.to(point));
    this.last = point;
  }

  move(points) {
    if (!this.stroke) return;
    for (const point of points) this.editor.screen.touch(this.stroke.to(point));
    this.last = points.at(-1) || this.last;
  }

  end() {
    if (!this.stroke) return;
    this.editor.screen.touch(this.stroke.end());
    this.stroke = null;
    this.step(this.layer.commit());
  }

  // A second finger came: it was no stroke.
  cancel() {
    if (!this.stroke) return;
    this.stroke = null;
    this.layer.cancel();
    this.editor.screen.refresh();
  }

  // --- steps

  // Something has changed: index -> the runs of before.
  step(before, name = this.name) {
    if (!before.size) return null;
    const step = { layer: name, runs: before };
    this.editor.work.history.add(step);
    this.chosen = null;
    this.editor.layerChanged(name, before.keys());
    return step;
  }

  // Puts these runs into a layer, as one step.
  put(runs, name = this.name) {
    this.end();
    const layer = this.editor.work.layers[name];
    const different = new Map([...runs].filter(([index, now]) => now || layer.committed.has(index)));
    const step = this.step(layer.swap(different), name);
    this.editor.screen.refresh();
    return step;
  }

  undo = () => this.walk("undo");
  redo = () => this.walk("redo");

  walk(way) {
    this.end();
    const { layer, editor } = this;
    if (!layer) return;
    const moved = editor.work.history[way](this.name, ({ runs }) => {
      const before = layer.swap(runs);
      editor.layerChanged(this.name, runs.keys());
      return before;
    });
    if (moved) editor.say(way === "undo" ? "Undone" : "Done again");
    this.chosen = null;
    editor.screen.refresh();
  }

  get canUndo() {
    return Boolean(this.layer) && this.editor.work.history.canUndo(this.name);
  }

  get canRedo() {
    return Boolean(this.layer) && this.editor.work.history.canRedo(this.name);
  }

  // --- all at once

  fill() {
    if (this.layer) this.put(filled(this.layer, this.colour));
  }

  clear() {
    if (this.layer) this.put(filled(this.layer, null));
  }

  invert() {
    this.end();
    if (this.layer) this.put(inverted(this.layer, MASK));
  }

  fromPicture(bitmap) {
    this.put(brightness(this.editor.work.layers.mask, bitmap, MASK), "mask");
  }

  // All that is like the picture at this point. Done anew, in place of the last one, when the tolerance changes.
  async alike(point, away = this.editor.settings.away) {
    this.end();
    const { editor, layer } = this;
    const { picture } = editor.work;
    const inside = picture && point.x >= 0 && point.y >= 0 && point.x < picture.width && point.y < picture.height;
    if (!layer || !inside) return;
    this.turn += 1;
    const { turn } = this;
    const { tolerance, connected } = editor.settings;
    this.chosen = { point, away, step: null };
    const wanted = () => turn === this.turn && layer === this.layer;
    const runs = await alike({ picture, layer, point, tolerance, connected, away, colour: this.colour, wanted });
    if (!runs || !wanted()) return;
    const step = this.put(runs);
    this.chosen = { point, away, step };
    editor.say(runs.size ? (away ? "Taken out of the mask" : "Added to the mask") : "Nothing has this colour");
  }

  async alikeAnew() {
    const { chosen } = this;
    const { history } = this.editor.work;
    if (!chosen) return;
    if (chosen.step && history.done.at(-1) === chosen.step) this.undo();
    await this.alike(chosen.point, chosen.away);
  }
}
