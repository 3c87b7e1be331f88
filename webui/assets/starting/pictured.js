// Pictures that come with fields: an earlier job's are in the editor again when its settings are taken over, and what was
// there before is when they are taken back.

import { pictureUrl } from "../live/inputs.js";

export class Pictured {
  before = null; // what the editor had: {picture, mask}

  constructor(start) {
    this.start = start;
  }

  // `values` go into the fields now.
  takeIn(values) {
    const { start } = this;
    this.before = null;
    if (!start.there || !values.init_images) return; // those of a batch are in a field of their own
    start.values = { ...start.values, ...values };
    start.modes.chosen = values.start_mode;
    start.show();
    const [picture] = JSON.parse(values.init_images);
    start.quietly(async () => {
      this.before = await start.editor.result().catch(() => null);
      await this.put(picture, values.mask);
    });
  }

  async put(picture, mask) {
    const { start } = this;
    await start.editor.open(pictureUrl(picture), { mask: mask ? pictureUrl(mask) : undefined });
    start.editor.margins = start.marginsAsked;
  }

  takeBack() {
    const { before } = this;
    this.before = null;
    if (before) this.start.quietly(() => this.put(before.picture, before.mask));
  }
}
