// Pictures that come with fields: an earlier job's are in the editor again when its settings are taken over, and what was
// there before is when they are taken back.

import { pictureUrl } from "../live/inputs.js";

// The fields that follow a picture which is opened.
const FOLLOW = ["start_mode", "width", "height", ...["left", "right", "top", "bottom"].map((side) => `outpaint_${side}`)];

export class Pictured {
  before = null; // what the editor and the fields had: {work, values}

  constructor(start) {
    this.start = start;
  }

  // `values` go into the fields now.
  takeIn(values) {
    const { start } = this;
    this.before = null;
    if (!start.there || !values.init_images) return; // those of a batch are in a field of their own
    const had = start.values;
    const { memory } = start.tab;
    memory.expect(Object.fromEntries(Object.entries(values).filter(([name, value]) => name in had && value !== null)));
    start.values = memory.values; // each field tells of itself alone: until all did, this is what they will be
    start.modes.chosen = values.start_mode;
    start.show();
    const [picture] = JSON.parse(values.init_images);
    start.quietly(async () => {
      this.keep(had);
      await this.put(picture, values.mask);
    });
  }

  async put(picture, mask) {
    const { start } = this;
    await start.editor.open(pictureUrl(picture), { mask: mask ? pictureUrl(mask) : undefined });
    start.editor.margins = start.marginsAsked;
  }

  // A picture comes from another tab, with the words that it was drawn from.
  async receive(address, mode) {
    const { start } = this;
    await start.ready;
    this.keep(start.values);
    await start.open(address, mode);
  }

  keep(values) {
    this.before = { work: this.start.editor.work, values };
  }

  // Returns what of that goes into the fields.
  takeBack() {
    const { before } = this;
    this.before = null;
    if (!before) return {};
    this.start.quietly(() => this.start.editor.bring(before.work));
    return Object.fromEntries(FOLLOW.filter((name) => name in before.values).map((name) => [name, before.values[name]]));
  }
}
