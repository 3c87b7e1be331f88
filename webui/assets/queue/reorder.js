// Another order of the waiting jobs: rows are dragged by their grip, or moved from it with the arrow keys. What is done
// is said aloud, and the server is told once it is settled.

import { ordinal, short } from "../model/format.js";
import { setText } from "../page/dom.js";

const SETTLE_MS = 450; // several presses of an arrow key are one move
const EDGE = 70; // px from the window's edge where a drag scrolls

export class Reorder {
  moved = null; // {row, from, timer}: moved by keys and not told yet
  drag = null; // {row, from, pointer, grabbed}
  telling = 0; // moves that the server has not answered yet

  // `list` finds the list; `tell(row, place)` sends a move, place 1 being the next, and resolves when it is answered;
  // `say(words)` speaks to screen readers.
  constructor(list, tell, say) {
    this.list = list;
    this.tell = tell;
    this.say = say;
    document.addEventListener("keydown", (event) => this.key(event), true);
    document.addEventListener("pointerdown", (event) => this.grab(event));
    document.addEventListener("pointermove", (event) => this.pull(event));
    document.addEventListener("pointerup", (event) => this.drop(event));
    document.addEventListener("pointercancel", () => this.putBack());
  }

  // While this is so, the list must not be drawn anew.
  get busy() {
    return Boolean(this.drag || this.moved || this.telling);
  }

  async send(row, place) {
    this.telling += 1;
    await this.tell(row, place);
    this.telling -= 1;
  }

  rows = () => Array.from(this.list().children);
  name = (row) => short(row.querySelector(".sd-row-prompt").textContent);

  // The others walk around it: a row that leaves the document, and be it for a moment, loses focus and finger.
  put(row, place) {
    const list = this.list();
    for (let at = this.rows().indexOf(row); at < place && row.nextElementSibling; at += 1) {
      list.insertBefore(row.nextElementSibling, row);
    }
    for (let at = this.rows().indexOf(row); at > place; at -= 1) {
      list.insertBefore(row.previousElementSibling, row.nextElementSibling);
    }
    number(this.rows());
  }

  key(event) {
    if (this.drag && event.key === "Escape") {
      this.putBack();
      event.preventDefault();
      event.stopPropagation();
      return;
    }
    const grip = event.target.closest?.(".sd-grip");
    const row = grip?.closest("[data-job]");
    const rows = row ? this.rows() : [];
    const at = rows.indexOf(row);
    const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: rows.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    if (to < 0 || to >= rows.length || to === at) {
      this.say(`${this.name(row)} is ${to < at || !at ? "the next already" : "the last already"}.`);
      return;
    }
    if (this.moved && this.moved.row !== row) this.settle();
    const from = this.moved?.from ?? at;
    clearTimeout(this.moved?.timer);
    this.put(row, to);
    row.scrollIntoView({ block: "nearest" });
    this.say(`${this.name(row)}: ${to ? ordinal(to + 1) : "the next"} of ${rows.length}.`);
    this.moved = { row, from, timer: setTimeout(() => this.settle(), SETTLE_MS) };
  }

  settle() {
    const { row, from, timer } = this.moved;
    clearTimeout(timer);
    this.moved = null;
    const place = this.rows().indexOf(row);
    if (place >= 0 && place !== from) this.send(row, place + 1);
  }

  grab(event) {
    const grip = event.target.closest?.(".sd-grip");
    const row = grip?.closest("[data-job]");
    if (!row || event.button !== 0 || !this.list().contains(row)) return;
    event.preventDefault();
    grip.focus({ preventScroll: true });
    if (this.moved) this.settle();
    this.drag = { row, from: this.rows().indexOf(row), pointer: event.pointerId, grabbed: event.clientY - row.getBoundingClientRect().top };
    grip.setPointerCapture(event.pointerId);
    row.dataset.dragged = "yes";
  }

  pull(event) {
    if (this.drag?.pointer !== event.pointerId) return;
    const { row, grabbed } = this.drag;
    const y = event.clientY;
    const middle = y - grabbed + row.offsetHeight / 2;
    const others = this.rows().filter((other) => other !== row);
    const above = others.filter((other) => {
      const box = other.getBoundingClientRect();
      return box.top + box.height / 2 < middle;
    });
    if (this.rows().indexOf(row) !== above.length) this.put(row, above.length);
    row.style.transform = "";
    row.style.transform = `translateY(${y - grabbed - row.getBoundingClientRect().top}px)`;
    if (y < EDGE) scrollBy(0, -14);
    else if (y > innerHeight - EDGE) scrollBy(0, 14);
  }

  drop(event) {
    if (this.drag?.pointer !== event.pointerId) return;
    const { row, from } = this.drag;
    this.release();
    const place = this.rows().indexOf(row);
    if (place === from) return;
    this.say(`${this.name(row)}: ${place ? ordinal(place + 1) : "the next"} of ${this.rows().length}.`);
    this.send(row, place + 1);
  }

  putBack() {
    if (!this.drag) return;
    const { row, from } = this.drag;
    this.release();
    this.put(row, from);
    this.say(`${this.name(row)} is back in its place.`);
  }

  release() {
    const { row } = this.drag;
    row.style.transform = "";
    delete row.dataset.dragged;
    this.drag = null;
  }
}

// Writes its place into each row.
export function number(rows) {
  rows.forEach((row, i) => setText(row.querySelector(".sd-row-place"), i ? ordinal(i + 1) : "next"));
}
