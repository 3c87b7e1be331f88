// What was typed into the fields of a tab stays in this browser.

import { read, write } from "../page/memory.js";

export class RememberedFields {
  // Nothing is written before `restore`: the first values of a fresh page must not replace the remembered ones.
  restored = false;

  constructor(prefix) {
    this.key = `steady.${prefix}`;
  }

  // Returns the values to show: the remembered one where there is one of the same kind, else what the page came with.
  restore(fields) {
    let kept = {};
    try {
      kept = JSON.parse(read(this.key) || "{}");
    } catch {
      /* a broken memory is an empty one */
    }
    this.restored = true;
    const values = Object.entries(fields).map(([name, value]) => [name, typeof kept[name] === typeof value ? kept[name] : value]);
    return Object.fromEntries(values);
  }

  // Returns whether it was written.
  remember(fields) {
    if (this.restored) write(this.key, JSON.stringify(fields));
    return this.restored;
  }
}
