// How pictures come into an editor and go, and what was in it before.

import { uploadPicture } from "../live/inputs.js";
import { Picture } from "./picture.js";
import { Work } from "./work.js";

export class Opening {
  before = null; // the work that another picture has replaced, to bring it back
  newest = 0; // which opening is the newest: a slower, older one changes nothing

  constructor(editor) {
    this.editor = editor;
  }

  // As Editor.open().
  async open(what, { keepLayer, mask }) {
    const { editor } = this;
    this.newest += 1;
    const turn = this.newest;
    editor.root.dataset.busy = "";
    try {
      const work = await this.workOf(what);
      if (turn !== this.newest) return false;
      if (keepLayer && sameSize(work.picture, editor.work.picture)) work.adopt(editor.work);
      this.take(work);
      return mask ? await this.openMask(mask) : true;
    } catch (error) {
      if (turn === this.newest) editor.tell(error.message);
      return false;
    } finally {
      if (turn === this.newest) delete editor.root.dataset.busy;
    }
  }

  async workOf(what) {
    const address = typeof what === "string" ? what : null;
    const blob = address ? await fetched(address) : what;
    const picture = await Picture.decode(blob, address).catch(() => null);
    if (picture) return new Work(picture);
    // The server reads kinds of pictures that this browser does not, and says what is wrong with a file that is none.
    const input = await reached(this.editor.keeper.uploads.send(blob));
    return new Work(await Picture.decode(await fetched(input.url)));
  }

  // As Editor.openMask().
  async openMask(what) {
    const { editor } = this;
    try {
      const blob = typeof what === "string" ? await fetched(what) : what;
      const bitmap = await createImageBitmap(blob).catch(() => null);
      if (!bitmap) throw new Error("This file is no picture that the browser can read: choose a PNG, JPEG or WebP.");
      if (!editor.work.picture) throw new Error("There is no picture that the mask could be for: open one first.");
      editor.painting.fromPicture(bitmap);
      bitmap.close();
      return true;
    } catch (error) {
      editor.tell(error.message);
      return false;
    }
  }

  // Another work is in the editor from now on; one that somebody painted, or that was removed, can be brought back.
  take(work) {
    const { editor } = this;
    editor.painting.end();
    const old = editor.work;
    const lost = old.picture && !work.shares(old) && (old.painted || !work.picture);
    if (this.before !== work) this.forget();
    this.before = lost ? old : null;
    if (!lost) old.picture?.close();
    editor.work = work;
    editor.tell("");
    editor.look.show(true);
    editor.keeper.changed();
    editor.tellChange("picture");
  }

  // As Editor.bring().
  async bring(work) {
    const { editor } = this;
    this.newest += 1; // what is still being opened comes too late
    const turn = this.newest;
    delete editor.root.dataset.busy;
    if (work === editor.work) return;
    const { picture } = work;
    if (picture?.closed) work.picture = await Picture.decode(picture.blob, picture.address);
    if (turn === this.newest) this.take(work);
  }

  bringBack() {
    const { before, editor } = this;
    if (before) this.take(before);
    editor.place.focus({ preventScroll: true });
  }

  // Something new was painted: what was before is not missed.
  forget() {
    this.before?.picture.close();
    this.before = null;
  }

  async restore() {
    const { editor } = this;
    const work = await editor.keeper.restore();
    if (!work || editor.work.picture || this.newest) return;
    editor.work = work;
    editor.look.show(true);
    editor.tellChange("picture");
  }
}

// As POST /sdapi/v1/inputs: the bytes as they are -> {name, width, height, url}.
export const sendInput = (blob) => reached(uploadPicture(blob));

const sameSize = (a, b) => Boolean(a && b) && a.width === b.width && a.height === b.height;

async function fetched(address) {
  const answer = await reached(fetch(address, { cache: "no-store" }));
  if (!answer.ok) throw new Error(answer.status === 404 ? "That picture is not there any more: choose another one." : `The server answered ${answer.status} for that picture.`);
  return answer.blob();
}

// A TypeError is fetch's "no connection".
const reached = (asked) =>
  asked.catch((error) => {
    if (!(error instanceof TypeError)) throw error;
    throw new Error("The server cannot be reached. What you painted is kept here; try again when it is back.");
  });
