// Steps that can be undone and done again, newest last; the oldest go when they take too much memory.

const MOST_STEPS = 200;
const LEAST_STEPS = 30;
const MOST_BYTES = 96 * 2 ** 20; // of all steps that can be undone; the least number of steps is kept all the same

// A step is {layer, runs}: the name of a layer, and what to swap into it to take the step back (layer.js).
export class History {
  done = [];
  undone = [];

  add(step) {
    this.done.push(step);
    this.undone = [];
    let bytes = this.done.reduce((sum, one) => sum + bytesOf(one), 0);
    while (this.done.length > MOST_STEPS || (bytes > MOST_BYTES && this.done.length > LEAST_STEPS)) bytes -= bytesOf(this.done.shift());
  }

  // The last step of this layer, where there is one; `swap(step)` takes it back and returns what does it again.
  undo(layer, swap) {
    return move(this.done, this.undone, layer, swap);
  }

  redo(layer, swap) {
    return move(this.undone, this.done, layer, swap);
  }

  canUndo = (layer) => this.done.some((step) => step.layer === layer);
  canRedo = (layer) => this.undone.some((step) => step.layer === layer);
}

function move(from, to, layer, swap) {
  const at = from.findLastIndex((step) => step.layer === layer);
  if (at < 0) return false;
  const [step] = from.splice(at, 1);
  to.push({ layer, runs: swap(step) });
  return true;
}

function bytesOf({ runs }) {
  let bytes = 0;
  for (const one of runs.values()) bytes += one ? one.byteLength : 8;
  return bytes;
}
