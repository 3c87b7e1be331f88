// Keeps the work while nobody paints: in this browser, and what a job will need on the server, before it is asked for.

import { maskFile, paintedFile } from "./files.js";
import { MODES } from "./modes.js";
import { Picture } from "./picture.js";
import { Storage } from "./storage.js";
import { Uploads } from "./uploads.js";
import { NO_MARGINS, Work } from "./work.js";

const SAVE_MS = 300; // after the last change
const SEND_MS = 900;
const SEND_PAINTED_MS = 2500; // a painted picture is sent whole, so not after each of many strokes
const AHEAD_PIXELS = 2048 * 2048; // larger painted pictures are sent when they are needed
// What the server has already, and how a request names it: a job's picture by its address, an input by its name.
const OUTPUT = /^(\/sdapi\/v1\/jobs\/[^/?#]+\/images\/\d+(?:\.(?:png|jpg|webp|avif))?)$/;
const INPUT = /^\/sdapi\/v1\/inputs\/([0-9a-f]{64}\.png)$/;

export class Keeper {
  unsaved = { mask: new Set(), paint: new Set() }; // tiles that the browser does not have as they are

  constructor(editor, key, upload) {
    this.editor = editor;
    this.storage = new Storage(key);
    this.uploads = new Uploads(upload, () => editor.look.renderState());
    document.addEventListener("visibilitychange", () => document.hidden && this.save());
    addEventListener("pagehide", () => this.save());
  }

  // Something changed; `indexes`: tiles of this layer.
  changed(layer = null, indexes = []) {
    for (const index of indexes) this.unsaved[layer].add(index);
    this.dirty = true;
    clearTimeout(this.saving);
    this.saving = setTimeout(() => this.save(), SAVE_MS);
    this.sendLater();
  }

  // Resolves to the work that was kept, null where there is none.
  async restore() {
    const kept = await this.storage.read();
    if (!kept) return null;
    const { record, tiles } = kept;
    const picture = await Picture.decode(record.blob, record.address).catch(() => null);
    if (!picture) return null;
    const work = new Work(picture, record.id);
    work.margins = { ...NO_MARGINS, ...record.margins };
    for (const [name, index, runs] of tiles) work.layers[name]?.committed.set(index, runs);
    for (const [content, one] of record.sent || []) this.uploads.known.set(content, one);
    return work;
  }

  async save() {
    clearTimeout(this.saving);
    if (!this.dirty) return;
    this.dirty = false;
    const { work } = this.editor;
    const changed = Object.entries(this.unsaved).flatMap(([name, indexes]) => Array.from(indexes, (index) => [name, index]));
    for (const indexes of Object.values(this.unsaved)) indexes.clear();
    const sent = Array.from(this.uploads.known).filter(([content]) => content.includes(work.id));
    await this.storage.save({ record: work.record && { ...work.record, sent }, layers: work.layers }, changed);
    this.editor.look.renderState();
  }

  // --- on the server

  // What a job of this mode needs of a work as it is now: for picture and mask the name, or what to send.
  needs(work, mode) {
    const { layer: edited, masks, paints } = MODES[mode];
    const layer = work.layers[edited];
    const painted = Boolean(layer) && layer.committed.size > 0;
    const number = painted && work.numberOf(edited);
    const still = painted && layer.snapshot();
    const opacity = this.editor.settings.paintOpacity / 100;
    const { picture, id } = work;
    const part = (content, make) => ({ content: `${id} ${content}`, make });
    const [, name = null] = OUTPUT.exec(picture.address || "") || INPUT.exec(picture.address || "") || [];
    const whole = name ? { name } : part("picture", () => picture.blob);
    return {
      picture: painted && paints ? part(`painted ${number} ${opacity}`, () => paintedFile(picture, still, opacity)) : whole,
      mask: painted && masks ? part(`mask ${number}`, () => maskFile(still)) : null,
    };
  }

  // Resolves to {picture, mask}: what a request names.
  async send(work, mode) {
    const { picture, mask } = this.needs(work, mode);
    const [first, second] = await Promise.all([this.sendOne(picture, work), mask && this.sendOne(mask, work)]);
    this.editor.tell("");
    return { picture: first, mask: second };
  }

  async sendOne({ name = null, content = "", make = null }, { picture }) {
    if (name) return name;
    const input = await this.uploads.input(content, make);
    if (input.width !== picture.width || input.height !== picture.height) throw new Error(otherSize(picture, input));
    return input.name;
  }

  sendLater() {
    clearTimeout(this.sending);
    const { work, mode } = this.editor;
    if (!work.picture) return;
    const painted = MODES[mode].paints && work.layers.paint.committed.size > 0;
    if (painted && work.picture.width * work.picture.height > AHEAD_PIXELS) return;
    this.sending = setTimeout(() => this.sendAhead(), painted ? SEND_PAINTED_MS : SEND_MS);
  }

  // What fails is told at the editor; it is tried again when the job is made.
  async sendAhead() {
    const { editor } = this;
    const { work, mode } = editor;
    if (!work.picture || editor.painting.stroke) return;
    try {
      await this.send(work, mode);
      this.dirty = true; // its names
      this.save();
    } catch (error) {
      if (work === editor.work) editor.tell(error.message);
    }
  }
}

const otherSize = ({ width, height }, input) =>
  `The server reads this picture as ${input.width} × ${input.height} and this browser as ${width} × ${height}: save it as PNG and open that.`;
