// The picture editor: a picture, what is painted on it as mask or in colours, and the frame of an outpaint.
//
// It knows nothing of the page around it. `result()` gives out names of pictures that the server has; all that is done in
// it is kept in this browser under `key` and is there again after a reload.

import { setText } from "../page/dom.js";
import { Cursor } from "./cursor.js";
import { Frame, SIDES, within } from "./frame.js";
import { Full } from "./full.js";
import { Keeper } from "./keeper.js";
import { Keys } from "./keys.js";
import { Look } from "./look.js";
import { COMMANDS, DRAWS, MODES } from "./modes.js";
import { Opening, sendInput } from "./opening.js";
import { Painting } from "./painting.js";
import { build } from "./parts.js";
import { Pointers } from "./pointers.js";
import { Screen } from "./screen.js";
import { Settings } from "./settings.js";
import { Sources } from "./sources.js";
import { Toolbar } from "./toolbar.js";
import { STEP, View } from "./view.js";
import { NO_MARGINS, Work } from "./work.js";

export class Editor extends EventTarget {
  work = new Work();

  // `mode`: one of modes.js. `frame`: may the picture be made larger at its sides? `upload`: sends a Blob -> {name, width,
  // height, url}.
  constructor(root, { key, mode = "view", frame = false, label = "Picture", upload = sendInput }) {
    super();
    this.root = root;
    this.shown = { mode, frame };
    build(root, label);
    this.place = root.querySelector(".sd-editor-place");
    this.settings = new Settings(key, (name) => this.settingChanged(name));
    this.view = new View(() => this.look.viewChanged());
    this.screen = new Screen(this.place, this.view);
    this.look = new Look(this);
    this.opening = new Opening(this);
    this.painting = new Painting(this);
    this.cursor = new Cursor(this, root.querySelector(".sd-editor-ring"));
    this.edges = new Frame(this, this.place);
    this.full = new Full(this);
    this.sources = new Sources(this);
    this.keeper = new Keeper(this, key, upload);
    this.toolbar = new Toolbar(this);
    this.pointers = new Pointers(this, this.place);
    this.keys = new Keys(this);
    new ResizeObserver(() => this.look.resized()).observe(this.place);
    this.look.resized();
    this.look.show();
    this.ready = this.opening.restore();
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
    this.look.show();
    this.keeper.sendLater();
  }

  get frame() {
    return this.shown.frame;
  }

  set frame(on) {
    if (on === this.frame) return;
    this.shown.frame = on;
    this.look.show();
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
  open(what, { keepLayer = false, mask = null } = {}) {
    return this.opening.open(what, { keepLayer, mask });
  }

  // A mask from a picture: white is masked, black is not. Drawn to the picture's size. Resolves as open() does.
  openMask(what) {
    return this.opening.openMask(what);
  }

  // A `work` that was in it is in it again, with all that is painted on it.
  bring(work) {
    return this.opening.bring(work);
  }

  // It can be brought back, until another is painted on.
  remove() {
    if (this.work.picture) this.opening.take(new Work());
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
      this.tell(error.message);
      throw error;
    }
  }

  // The server does not have what it was sent any more: the next result sends it anew, from what is kept here.
  refresh() {
    if (this.work.picture) this.work.picture.address = null;
    this.keeper.uploads.forget();
    this.keeper.changed();
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
    this.look.showBox(false);
    this.look.render();
    this.keeper.changed();
    this.tellChange("margins");
  }

  // --- what happens

  run(name) {
    const command = COMMANDS[name];
    if (!command || (command.when && !command.when(this))) return;
    if (name !== "open" && name !== "back" && !this.work.picture) return;
    command.do(this);
    this.look.render();
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
    this.opening.forget();
    this.look.renderState();
    this.tellChange("layer");
  }

  settingChanged(name) {
    if (["maskColour", "maskOpacity", "paintOpacity"].includes(name)) this.look.showLayer();
    if (["tolerance", "connected"].includes(name)) this.painting.alikeAnew();
    if (name === "paintOpacity") this.keeper.sendLater();
    this.look.render();
  }

  tellChange(what) {
    this.dispatchEvent(new CustomEvent("change", { detail: { what } }));
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
