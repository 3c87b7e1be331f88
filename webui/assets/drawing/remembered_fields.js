// What was typed into the fields of a tab stays in this browser.

import { read, write } from "../page/memory.js";
import { touched } from "../page/touched.js";

export class RememberedFields {
  // Nothing is written before `restore`: the first values of a fresh page must not replace the remembered ones.
  restored = false;
  filledIn = []; // names of the fields that somebody filled in before that
  /** @type {Record<string, any>} */
  values = {}; // of all fields: what each told last, or what it is about to show

  constructor(prefix) {
    this.key = `steady.${prefix}`;
  }

  // Returns the values to show: the remembered one where there is one of the same kind, else what the page came with. A
  // field that somebody was quicker to fill in stays as it is: what Gradio gave us of it is from before.
  restore(fields, homeOf) {
    let kept = {};
    try {
      kept = JSON.parse(read(this.key) || "{}");
    } catch {
      /* a broken memory is an empty one */
    }
    this.restored = true;
    this.filledIn = Object.keys(fields).filter((name) => touched(homeOf(name)));
    const values = Object.entries(fields).map(([name, value]) => [name, typeof kept[name] === typeof value ? kept[name] : value]);
    const restored = Object.fromEntries(values.filter(([name]) => !this.filledIn.includes(name)));
    this.expect({ ...fields, ...restored });
    return restored;
  }

  // What some fields show now, by name. Returns whether it was written.
  remember(told) {
    if (!this.restored) return false;
    this.expect(told);
    write(this.key, JSON.stringify(this.values));
    return true;
  }

  // What some fields will show in a moment.
  expect(values) {
    this.values = { ...this.values, ...values };
  }
}
