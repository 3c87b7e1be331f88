// The picture that a tab starts from: the sub-tab, the editor, and what of both goes into the request. A tab without such
// a picture has none of it in the page.

import { setAttribute, setText } from "../page/dom.js";
import { BatchFolder } from "./batch_folder.js";
import { Modes } from "./modes.js";
import { Pictured } from "./pictured.js";
import { outcome, scaled, suitable } from "./resizing.js";
import { NO_PICTURE, SIDES, sentOf } from "./sending.js";


const RESTS_MS = 120; // so long nothing moves before the fields follow the frame

const ofSides = (value, sides = SIDES) => Object.fromEntries(sides.map((side) => [side, value(side)]));
const marginsIn = (values) => ofSides((side) => Math.max(0, Number(values[`outpaint_${side}`]) || 0));

export class Start {
  editor = null;
  values = {}; // what is in the fields
  /** @type {Record<string, number[]>} */
  framed = ofSides(() => []); // what the editor has put into the fields of the margins, and does not stand there yet
  opening = Promise.resolve(); // until a picture that was asked for is there
  quiet = true; // a picture comes with its settings, its size among them: so also when a page opens

  constructor(tab) {
    this.tab = tab;
    this.pictured = new Pictured(this);
    this.folder = new BatchFolder(tab);
    /** @type {Promise<void>} */
    this.ready = new Promise((done) => (this.made = done)); // the editor is there, with what it had before
    this.modes = new Modes(tab, (mode) => this.chose(mode));
    document.addEventListener("change", (event) => this.picked(event));
  }

  // Has this tab a picture to start from? It says so before Gradio has put the parts of that in place.
  get there() {
    return "start_mode" in this.tab.fields.ids;
  }

  // --- what is to be seen

  render() {
    const box = this.tab.part("editor");
    if (!box) return;
    if (!box.dataset.made) this.make(box);
    this.modes.render();
    const { resize_by: by, inpaint_full_res: area, soft_inpainting: soft } = this.values;
    const page = this.tab.part("page");
    setAttribute(page, "data-resize", by === "by" ? "by" : "to");
    setAttribute(page, "data-area", area ? "masked" : "whole");
    setAttribute(page, "data-soft", soft ? "" : null);
    this.tell();
  }

  // The editor is many scripts, which no other tab needs.
  async make(box) {
    box.dataset.made = "yes";
    try {
      const { Editor } = await import("../editor/editor.js");
      this.editor = new Editor(box, { key: this.tab.prefix, mode: this.modes.tools || "view", label: "The picture to start from" });
    } catch (error) {
      delete box.dataset.made; // the server was away: asked for again with the next news
      throw error;
    }
    this.editor.addEventListener("change", (event) => this.changed(event.detail.what));
    this.show();
    await this.editor.ready;
    this.quiet = false;
    this.made();
    this.render();
  }

  // The editor shows what the sub-tab is for, in its place.
  show() {
    const { modes, editor } = this;
    modes.render();
    if (!editor || !modes.tools) return;
    const place = modes.panel?.querySelector(".sd-place");
    const box = this.tab.part("editor");
    if (place && box.parentElement !== place) place.append(box);
    editor.mode = modes.tools;
    editor.frame = modes.chosen === "outpaint";
  }

  // What comes of the picture with what is in the fields.
  tell() {
    const picture = this.picture;
    const part = this.modes.masked && Boolean(this.values.inpaint_full_res);
    const words = this.modes.chosen === "outpaint" ? "" : outcome(picture, this.size || this.values, Number(this.values.resize_mode), part);
    setText(this.tab.part("scale_resolution_preview"), words);
    setText(this.tab.part("outpaint_told"), this.grownWords);
    this.tab.fields.renderSizes();
  }

  get grownWords() {
    const { grown, picture } = this;
    return picture && grown ? `${picture.width} × ${picture.height} grows to ${grown.width} × ${grown.height}.` : "";
  }

  // --- what is known

  // Width and height of what is in the editor; null where there is nothing, or where there is no editor.
  get picture() {
    return this.modes.tools ? this.editor?.picture || null : null;
  }

  // What the fields say of that.
  get marginsAsked() {
    return marginsIn(this.values);
  }

  // By how many pixels the picture grows on each side.
  get margins() {
    return this.editor?.margins || marginsIn(this.values);
  }

  // The picture with its margins; null where it does not grow.
  get grown() {
    const { picture, margins } = this;
    if (!picture || !SIDES.some((side) => margins[side])) return null;
    return { width: picture.width + margins.left + margins.right, height: picture.height + margins.top + margins.bottom };
  }

  // The size that is drawn where it is not the one in the fields.
  get size() {
    if (this.modes.chosen === "outpaint" || this.values.resize_by !== "by" || !this.picture) return null;
    return scaled(this.picture, Number(this.values.scale) || 1);
  }

  // A size to choose beside those that suit the model.
  get ownSize() {
    const { picture } = this;
    return picture ? { label: "as the picture", ...suitable(picture, this.tab.page.checkpoints.model) } : null;
  }

  // What comes with settings comes in order: what is asked for next waits for it.
  quietly(run) {
    this.opening = this.ready.then(async () => {
      this.quiet = true;
      try {
        await run();
      } finally {
        this.quiet = false;
      }
    });
    return this.opening;
  }

  // What is in the fields now. What stands there since a moment ago may be older than what was done meanwhile: only what
  // is another value than before counts.
  valuesAre(values) {
    const before = this.values;
    this.values = values;
    const mode = values.start_mode;
    if (mode && mode !== before.start_mode && mode !== this.modes.chosen) {
      this.modes.chosen = mode;
      this.show();
    }
    this.marginsAre(marginsIn(values), marginsIn(before));
    this.render();
  }

  // Each side is told of by itself. What comes from the frame is behind it while it is being drawn.
  marginsAre(margins, before) {
    const others = SIDES.filter((side) => margins[side] !== before[side] && !this.cameFromFrame(side, margins[side]));
    if (this.editor && others.length) this.editor.margins = { ...this.margins, ...ofSides((side) => margins[side], others) };
  }

  cameFromFrame(side, pixels) {
    const waiting = this.framed[side];
    const own = waiting.indexOf(pixels);
    waiting.splice(0, own < 0 ? waiting.length : own + 1);
    return own >= 0;
  }

  // --- what people do

  chose(mode) {
    this.show();
    this.tab.fields.problems.clear();
    this.tab.put({ start_mode: mode });
    this.render();
  }

  changed(what) {
    this.tab.fields.problems.edited(this.tab.part("start_said"));
    if (what === "margins" && !this.quiet) this.drawn();
    if (what === "picture" && this.editor.picture && !this.quiet) this.fit();
    this.render();
  }

  // The frame is being drawn larger: the fields follow when the hand rests.
  drawn() {
    clearTimeout(this.resting);
    this.resting = setTimeout(() => {
      const { margins } = this;
      const moved = SIDES.filter((side) => margins[side] !== (this.framed[side].at(-1) ?? this.marginsAsked[side]));
      for (const side of moved) this.framed[side].push(margins[side]);
      if (moved.length) this.tab.put(Object.fromEntries(moved.map((side) => [`outpaint_${side}`, String(margins[side])])));
    }, RESTS_MS);
  }

  // A picture was opened: it is drawn as large as it is, unless only a part of it is drawn.
  fit() {
    const part = this.modes.masked && this.values.inpaint_full_res;
    if (!part && this.values.resize_by !== "by") this.tab.put(suitable(this.editor.picture, this.tab.page.checkpoints.model));
  }

  // A picture, by its file or address, to be worked on; in the batch several files.
  async open(what, mode = null) {
    await this.ready;
    if (mode) this.modes.choose(mode);
    if (!this.modes.tools) this.modes.choose(this.modes.names[0]);
    this.opening = this.editor.open(what);
    await this.opening;
  }

  // Files that were dropped or chosen: one to be worked on, or all for the batch.
  async take(files) {
    await this.ready;
    if (files.length > 1) this.modes.choose("batch");
    if (this.modes.chosen === "batch") this.tab.pictures.take(files);
    else this.open(files[0]);
  }

  // A file with a mask was chosen: it lies on the picture, and may be painted on.
  async picked({ target }) {
    if (target.dataset?.start !== "mask" || !this.tab.part("starting")?.contains(target)) return;
    const [file] = target.files;
    target.value = ""; // the same file may be chosen again
    await this.ready;
    await this.opening;
    if (file && this.picture) await this.editor.openMask(file);
    else if (file) this.tab.problem(NO_PICTURE, "init_images");
  }

  // --- what is sent, and what comes back

  // What of the picture goes into the request, by the fields' names. Throws an Error with words, and the `field` at fault.
  async send() {
    await this.ready;
    await this.opening;
    return sentOf(this);
  }
}
