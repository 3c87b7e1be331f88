// The picture editor: a picture, what is painted on it as mask or in colours, and the frame of an outpaint.
//
// It knows nothing of the page around it. `result()` gives out names of pictures that the server has; all that is done in
// it is kept in this browser under `key` and is there again after a reload.

import { setAttribute, setText } from "../page/dom.js";
import { Cursor } from "./cursor.js";
import { Frame, SIDES, within } from "./frame.js";
import { Full } from "./full.js";
import { failed, Keeper } from "./keeper.js";
import { Keys } from "./keys.js";
import { COMMANDS, DRAWS, MODES } from "./modes.js";
import { Painting } from "./painting.js";
import { build } from "./parts.js";
import { Picture } from "./picture.js";
import { Pointers } from "./pointers.js";
import { Screen } from "./screen.js";
import { Settings } from "./settings.js";
import { Sources } from "./sources.js";
import { Toolbar } from "./toolbar.js";
import { sendInput } from "./uploads.js";
import { STEP, View } from "./view.js";
import { NO_MARGINS, Work } from "./work.js";

export class Editor extends EventTarget {
  work = new Work();
  before = null; // the work that another picture has replaced, to bring it back
  opening = 0; // which opening is the newest: a slower, older one changes nothing

  // `mode`: one of modes.js. `frame`: may the picture be made larger at its sides? `upload`: sends a Blob -> {name, width,
  // height, url}.
  constructor(root, { key, mode = "view", frame = false, label = "Picture", upload = sendInput }) {
    super();
    this.root = root;
    this.shown = { mode, frame };
    build(root, label);
    this.place = root.querySelector(".sd-editor-place");
    this.settings = new Settings(key, (name) => this.settingChanged(name));
    this.view = new View(() => this.viewChanged());
    this.screen = new Screen(this.place, this.view);
    this.painting = new Painting(this);
    this.cursor = new Cursor(this, root.querySelector(".sd-editor-ring"));
    this.edges = new Frame(this, this.place);
    this.full = new Full(this);
    this.sources = new Sources(this);
    this.keeper = new Keeper(this, key, upload);
    this.toolbar = new Toolbar(this);
    this.pointers = new Pointers(this, this.place);
    this.keys = new Keys(this);
    new ResizeObserver(() => this.resized()).observe(this.place);
    this.resized();
    this.show();
    this.ready = this.restore();
  }

  // --- what it is for

  get mode() {
    return this.shown.mode;
  }

  set mode(mode) {
    if (!MODES[mode]) throw new Error(`There is no mode ${mode}: ${Object.keys(MODES).join(", ")}.`);
    if (mode === this.mode) return;
    this.painting.end();
    this.shown.mode = mode;
    this.show();
    this.keeper.sendLater();
  }

  get frame() {
    return this.shown.frame;
  }

  set frame(on) {
    if (on === this.frame) return;
    this.shown.frame = on;
    this.show();
  }

  // The tool in hand, of those that the mode has.
  get tool() {
    const { tools } = MODES[this.mode];
    return tools.includes(this.settings.tool) ? this.settings.tool : tools[0];
  }

  get draws() {
    return DRAWS.includes(this.tool);
  }

  // Can a colour be picked from the picture?
  get picks() {
    return MODES[this.mode].tools.includes("pick");
  }

  // Is it to be seen at all? Its tab may not be.
  get seen() {
    return this.root.getClientRects().length > 0;
  }

  get focused() {
    return this.root.contains(document.activeElement);
  }

  // --- the picture

  get picture() {
    const { picture } = this.work;
    return picture && { width: picture.width, height: picture.height };
  }

  // Opens a File, a Blob, or the address of a picture of this server. `keepLayer`: what is painted stays, where the new
  // picture has the same size. `mask`: what openMask takes. Resolves to whether it is open; if not, why is told at the editor.
  async open(what, { keepLayer = false, mask = null } = {}) {
    this.opening += 1;
    const { opening } = this;
    this.root.dataset.busy = "";
    try {
      const work = await this.workOf(what);
      if (opening !== this.opening) return false;
      if (keepLayer && sameSize(work.picture, this.work.picture)) {
        work.layers = this.work.layers;
        work.history = this.work.history;
      }
      this.take(work);
      return mask ? await this.openMask(mask) : true;
    } catch (error) {
      if (opening === this.opening) this.tell(failed(error));
      return false;
    } finally {
      if (opening === this.opening) delete this.root.dataset.busy;
    }
  }

  async workOf(what) {
    const address = typeof what === "string" ? what : null;
    const blob = address ? await fetched(address) : what;
    const picture = await Picture.decode(blob, address).catch(() => null);
    if (picture) return new Work(picture);
    // The server reads kinds of pictures that this browser does not, and says what is wrong with a file that is none.
    const input = await this.keeper.uploads.send(blob);
    return new Work(await Picture.decode(await fetched(input.url)));
  }

  // A mask from a picture: white is masked, black is not. Drawn to the picture's size.
  async openMask(what) {
    try {
      const blob = typeof what === "string" ? await fetched(what) : what;
      const bitmap = await createImageBitmap(blob).catch(() => null);
      if (!bitmap) throw new Error("This file is no picture that the browser can read: choose a PNG, JPEG or WebP.");
      if (!this.work.picture) throw new Error("There is no picture that the mask could be for: open one first.");
      this.painting.fromPicture(bitmap);
      bitmap.close();
      return true;
    } catch (error) {
      this.tell(failed(error));
      return false;
    }
  }

  remove() {
    if (this.work.picture) this.take(new Work());
  }

  // Another work is in the editor from now on; the one of before can be brought back.
  take(work) {
    this.painting.end();
    if (this.before && this.before !== work) this.before.picture.close();
    const lost = this.work.painted || !work.picture;
    this.before = this.work.picture && this.work !== work && lost && work.layers !== this.work.layers ? this.work : null;
    this.work = work;
    this.tell("");
    this.show(true);
    this.keeper.changed();
    this.tellChange("picture");
  }

  bringBack() {
    const { before } = this;
    this.before = null;
    if (before) this.take(before);
    this.place.focus({ preventScroll: true });
  }

  async restore() {
    const work = await this.keeper.restore();
    if (!work || this.work.picture || this.opening) return;
    this.work = work;
    this.show(true);
    this.tellChange("picture");
  }

  // --- what is given out

  // What a job needs: {picture, mask, margins, width, height}, null where there is no picture. What the server does not
  // have yet is sent first. Raises an Error with words, which are told at the editor too.
  async result() {
    await this.ready;
    this.painting.end();
    const { work, mode } = this;
    if (!work.picture) return null;
    const margins = this.frame ? work.margins : NO_MARGINS;
    const { width, height } = work.picture;
    try {
      return { ...(await this.keeper.send(work, mode)), margins: { ...margins }, width, height };
    } catch (error) {
      const words = failed(error);
      this.tell(words);
      throw new Error(words);
    }
  }

  // The server does not have what it was sent any more: the next result sends it anew, from what is kept here.
  refresh() {
    if (this.work.picture) this.work.picture.address = null;
    this.keeper.uploads.forget();
  }

  // The bytes of what is seen; `painted: false`: of the picture alone.
  async blob({ painted = true } = {}) {
    const { picture } = this.keeper.needs(this.work, painted ? this.mode : "view");
    return "make" in picture ? picture.make() : this.work.picture.blob;
  }

  // --- the frame

  get margins() {
    return { ...this.work.margins };
  }

  set margins(margins) {
    this.setMargins(margins);
  }

  setMargins(margins) {
    if (!this.work.picture) return;
    const next = Object.fromEntries(SIDES.map((side) => [side, within(margins[side])]));
    if (SIDES.every((side) => next[side] === this.work.margins[side])) return;
    this.work.margins = /** @type {typeof NO_MARGINS} */ (next);
    this.showBox(false);
    this.render();
    this.keeper.changed();
    this.tellChange("margins");
  }

  // --- what happens

  run(name) {
    const command = COMMANDS[name];
    if (!command || (command.when && !command.when(this))) return;
    if (name !== "open" && name !== "back" && !this.work.picture) return;
    command.do(this);
    this.render();
  }

  // A press on the picture of a tool that does not draw.
  act(point, event) {
    const pick = this.tool === "pick" || (event.altKey && this.picks);
    if (pick) this.pick(point);
    else if (this.tool === "alike") this.painting.alike(point, this.settings.away !== event.shiftKey);
  }

  pick({ x, y }) {
    const { picture } = this.work;
    if (x < 0 || y < 0 || x >= picture.width || y >= picture.height) return;
    const [red, green, blue] = picture.read(Math.floor(x), Math.floor(y), 1, 1);
    const colour = `#${[red, green, blue].map((value) => value.toString(16).padStart(2, "0")).join("")}`;
    this.settings.set("colour", colour);
    if (this.settings.tool === "pick") this.settings.set("tool", "brush");
    this.say(`Colour ${colour}`);
  }

  zoom(steps) {
    this.view.zoomBy(STEP ** steps);
  }

  layerChanged(name, indexes) {
    this.keeper.changed(name, indexes);
    this.before = null;
    this.renderState();
    this.tellChange("layer");
  }

  settingChanged(name) {
    if (["maskColour", "maskOpacity", "paintOpacity"].includes(name)) this.showLayer();
    if (["tolerance", "connected"].includes(name)) this.painting.alikeAnew();
    if (name === "paintOpacity") this.keeper.sendLater();
    this.render();
  }

  tellChange(what) {
    this.dispatchEvent(new CustomEvent("change", { detail: { what } }));
  }

  // --- what is seen

  show(anew = false) {
    const { picture } = this.work;
    if (picture) this.settings.suits(picture);
    this.root.dataset.mode = this.mode;
    setAttribute(this.root, "data-empty", picture ? null : "");
    this.showLayer();
    this.showBox(anew);
    this.render();
  }

  showLayer() {
    const { masks, paints, layer } = MODES[this.mode];
    const { maskColour, maskOpacity, paintOpacity } = this.settings;
    const onlyMask = masks && !paints;
    this.screen.shows(this.work.picture, this.work.layers[layer] || null, onlyMask ? maskColour : null, (onlyMask ? maskOpacity : paintOpacity) / 100);
  }

  // What there is to see; while an edge is pulled nothing moves below the pointer.
  showBox(anew) {
    const { picture } = this.work;
    if (!picture) return;
    const wide = this.frame ? this.work.framed : picture.box;
    if (this.edges.dragged) {
      this.view.box = wide;
    } else {
      // The place is no higher than such a picture needs (editor.css).
      this.root.style.setProperty("--ratio", String((wide.right - wide.left) / (wide.bottom - wide.top)));
      this.view.shows(wide, anew);
    }
    this.edges.render();
  }

  resized() {
    const { clientWidth, clientHeight } = this.place;
    if (!clientWidth || !clientHeight) return; // not in sight
    this.view.resize(clientWidth, clientHeight);
    this.screen.resize(clientWidth, clientHeight);
  }

  viewChanged() {
    this.screen.refresh();
    this.edges?.render();
    this.cursor?.render();
    this.place.dataset.fitted = this.view.fitted ? "yes" : "no"; // then a finger scrolls the page over a picture that is only seen
    this.toolbar?.renderState();
  }

  render() {
    this.root.dataset.tool = this.tool;
    setAttribute(this.root, "data-framed", this.frame ? "" : null);
    this.toolbar.render();
    this.cursor.render();
    this.edges.render();
    setText(this.root.querySelector(".sd-editor-facts"), this.facts);
    this.renderState();
  }

  get facts() {
    const { picture } = this.work;
    if (!picture) return "";
    const { left, top, right, bottom } = this.frame ? this.work.framed : picture.box;
    return `${right - left} × ${bottom - top}`;
  }

  // What changes with each stroke and upload.
  renderState() {
    if (!this.toolbar) return;
    this.toolbar.renderState();
    setAttribute(this.root, "data-sending", this.keeper.uploads.busy ? "" : null);
    const notice = this.root.querySelector(".sd-editor-notice");
    notice.hidden = !this.before;
    setText(notice.firstChild, this.work.picture ? "Another picture took the place of a painted one." : "The picture was removed.");
    const trouble = this.root.querySelector(".sd-editor-trouble");
    setText(trouble, this.work.picture ? this.keeper.storage.trouble : "");
    trouble.hidden = !trouble.textContent;
  }

  // What is wrong, in words; "" takes it away.
  tell(words) {
    const box = this.root.querySelector(".sd-editor-problem");
    setText(box, words);
    box.hidden = !words;
  }

  // For who does not see it.
  say(words) {
    setText(this.root.querySelector('[role="status"]'), words);
  }
}

const sameSize = (a, b) => Boolean(a && b) && a.width === b.width && a.height === b.height;

async function fetched(address) {
  const answer = await fetch(address, { cache: "no-store" });
  if (!answer.ok) throw new Error(answer.status === 404 ? "That picture is not there any more: choose another one." : `The server answered ${answer.status} for that picture.`);
  return answer.blob();
}
