// The keyboard: keys alone choose tools and commands; on the picture itself arrows move the brush and Enter puts it down.

import { COMMANDS, KEYS, MODES, TOOLS } from "./modes.js";

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const WRITTEN_IN = "input:not([type=range], [type=checkbox], [type=color]), textarea, select, [contenteditable]";

export class Keys {
  constructor(editor) {
    this.editor = editor;
    // In the capturing phase: what a key does here it does not also do to the page (Esc stops a job).
    document.addEventListener("keydown", (event) => this.keydown(event), true);
    document.addEventListener("keyup", (event) => this.keyup(event));
    addEventListener("blur", () => this.released());
  }

  // Is a key meant for this editor: has it the focus, or is the mouse over it while nothing else is used?
  means({ target, key }) {
    const { root } = this.editor;
    if (!this.editor.seen || !this.editor.work.picture) return false;
    const inside = root.contains(target);
    if (root.querySelector('[role="menu"]:not([hidden])')) return false;
    if (!inside && document.querySelector('dialog[open], [role="menu"]:not([hidden])')) return false;
    if (key === "Escape" && this.editor.full.on) return true;
    if (target.closest?.(WRITTEN_IN)) return false;
    return inside || this.editor.full.on || (root.matches(":hover") && (target === document.body || !target.closest?.("button, [tabindex], a")));
  }

  keydown(event) {
    const { editor } = this;
    editor.pointers.controlHeld = event.ctrlKey || event.metaKey;
    if (event.defaultPrevented || event.isComposing || !this.means(event)) return;
    const inPlace = event.target === editor.place;
    if (event.key === "Escape" && !this.escape()) return;
    if (event.key !== "Escape" && !(inPlace && this.onPicture(event)) && !this.space(event) && !this.command(event)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  keyup(event) {
    this.editor.pointers.controlHeld = event.ctrlKey || event.metaKey;
    if (event.key === " ") this.released();
  }

  released() {
    const { pointers, place } = this.editor;
    pointers.spaceHeld = false;
    pointers.controlHeld = false;
    delete place.dataset.space;
  }

  // It stops no job where it does something here.
  escape() {
    const { painting, full } = this.editor;
    if (painting.stroke) painting.cancel();
    else if (full.on) full.leave();
    else return false;
    this.down = false;
    return true;
  }

  // Held, the left button moves the picture. A button that has the focus is pressed by it.
  space(event) {
    if (event.key !== " " || event.target.closest("button, input")) return false;
    this.editor.pointers.spaceHeld = true;
    this.editor.place.dataset.space = "";
    return true;
  }

  command(event) {
    if (event.altKey) return false;
    const { editor } = this;
    const held = event.ctrlKey || event.metaKey ? "Ctrl+" : "";
    const tool = !held && Object.keys(TOOLS).find((name) => TOOLS[name].key.toLowerCase() === event.key.toLowerCase());
    if (tool && MODES[editor.mode].tools.includes(tool)) {
      editor.settings.set("tool", tool);
      return true;
    }
    const name = KEYS[held + event.key] || (!held && KEYS[event.key.toLowerCase()]);
    if (!name) return false;
    editor.run(name);
    return Boolean(COMMANDS[name]);
  }

  // Arrows: by a part of the brush, with Shift by all of it, with Alt by one pixel; with Ctrl, and with nothing to draw,
  // they move the picture. Enter puts the brush down and lifts it, and uses the other tools.
  onPicture(event) {
    const { editor } = this;
    const arrow = ARROWS[event.key];
    if (arrow && (event.ctrlKey || editor.tool === "move")) editor.view.moveBy(-arrow[0] * 60, -arrow[1] * 60);
    else if (arrow) this.moveBrush(arrow, event);
    else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey && !event.altKey && editor.tool !== "move") this.press(event);
    else return false;
    return true;
  }

  moveBrush([x, y], event) {
    const { cursor, draws, painting, settings } = this.editor;
    const size = draws ? settings.diameter : 16;
    const by = event.altKey ? 1 : event.shiftKey ? size : Math.max(1, size / 4);
    const point = cursor.moveBy(x * by, y * by);
    if (this.down) painting.move([point]);
  }

  press(event) {
    const { editor } = this;
    if (event.repeat) return;
    const point = editor.cursor.moveBy(0, 0);
    if (!editor.draws) {
      editor.act(point, event);
    } else if (this.down) {
      editor.painting.end();
      this.down = false;
      editor.say("Brush lifted");
    } else {
      editor.painting.begin(point, { erases: editor.tool === "erase", straight: event.shiftKey });
      this.down = true;
      editor.say("Brush down: arrows draw, Enter lifts it");
    }
  }
}
