// Mouse, pen and fingers on the picture. One finger, the pen or the mouse draws; two fingers, the middle button, or the
// left one with the space bar held, move the picture; two fingers also make it larger or smaller.

const SECOND_FINGER_MS = 300; // a second finger that comes so soon means that the first one drew nothing
const PALM_MS = 700; // for so long after a pen fingers are the hand that holds it
const PEN_ERASES = 32; // the bit of `buttons` for a pen's other end
const WHEEL = 0.0016; // how much larger the picture becomes for each pixel that a wheel is turned
const BRUSH_WHEEL = 60; // pixels of a wheel for one step of the brush's size

export class Pointers {
  down = new Map(); // pointerId -> {x, y} in the place
  doing = null; // "stroke", "move", "pinch", "click"
  kind = "mouse"; // of the pointer that was pressed last
  spaceHeld = false;
  controlHeld = false; // by a key: a touchpad that pinches also says Ctrl

  constructor(editor, place) {
    this.editor = editor;
    this.place = place;
    for (const name of ["pointerdown", "pointermove", "pointerup", "pointercancel", "pointerleave"]) {
      place.addEventListener(name, (event) => this[name](event));
    }
    place.addEventListener("lostpointercapture", (event) => this.pointercancel(event));
    place.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    place.addEventListener("contextmenu", (event) => this.kind !== "mouse" && event.preventDefault()); // a finger that rests
    place.addEventListener("mousedown", (event) => event.button === 1 && event.preventDefault()); // no scrolling by itself
  }

  at({ clientX, clientY }) {
    const { left, top } = this.place.getBoundingClientRect();
    return { x: clientX - left - this.place.clientLeft, y: clientY - top - this.place.clientTop };
  }

  // In the picture, with how hard a pen is pressed.
  point(event) {
    const { settings, view } = this.editor;
    const pressed = event.pointerType === "pen" && settings.pressure && event.pressure > 0;
    return { ...view.toPicture(this.at(event)), pressure: pressed ? event.pressure : 1 };
  }

  pointerdown(event) {
    if (event.target.closest("button, input") || !this.editor.work.picture) return;
    if (event.pointerType === "touch" && event.timeStamp - (this.penAt ?? -PALM_MS) < PALM_MS) return;
    if (event.pointerType === "pen") this.penAt = event.timeStamp;
    this.kind = event.pointerType;
    this.down.set(event.pointerId, this.at(event));
    this.place.setPointerCapture(event.pointerId);
    this.editor.cursor.at(event, this.at(event));
    if (this.down.size === 2) this.beginPinch(event);
    else if (this.down.size === 1) this.beginOne(event);
  }

  beginOne(event) {
    const { editor } = this;
    this.began = event.timeStamp;
    const moves = event.button === 1 || this.spaceHeld || editor.tool === "move";
    if (event.button !== 0 && event.button !== 1 && event.button !== 5) return;
    if (moves) this.doing = "move";
    else if (!editor.draws || (event.altKey && editor.picks)) this.doing = "click";
    else this.doing = "stroke";
    this.place.dataset.doing = this.doing;
    if (this.doing !== "stroke") return;
    const erases = editor.tool === "erase" || Boolean(event.buttons & PEN_ERASES);
    editor.painting.begin(this.point(event), { erases, straight: event.shiftKey });
  }

  beginPinch(event) {
    const { painting } = this.editor;
    if (event.timeStamp - this.began < SECOND_FINGER_MS) painting.cancel();
    else painting.end();
    this.doing = "pinch";
    this.place.dataset.doing = "move";
    const { view } = this.editor;
    const fingers = this.fingers();
    this.pinch = { held: view.toPicture(fingers), scale: view.scale / fingers.apart };
  }

  // The middle of two fingers and how far they are apart.
  fingers() {
    const [a, b] = this.down.values();
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, apart: Math.max(1, Math.hypot(a.x - b.x, a.y - b.y)) };
  }

  pointermove(event) {
    const { editor } = this;
    const here = this.at(event);
    editor.cursor.at(event, here);
    const before = this.down.get(event.pointerId);
    if (!before) return;
    if (event.pointerType === "pen") this.penAt = event.timeStamp;
    this.down.set(event.pointerId, here);
    if (this.doing === "stroke") {
      const all = event.getCoalescedEvents?.() || [];
      editor.painting.move((all.length ? all : [event]).map((one) => this.point(one)));
    } else if (this.doing === "move") {
      editor.view.moveBy(here.x - before.x, here.y - before.y);
    } else if (this.doing === "pinch" && this.down.size === 2) {
      const fingers = this.fingers();
      editor.view.pin(this.pinch.held, fingers, this.pinch.scale * fingers.apart); // what lies under them stays there
    }
  }

  pointerup(event) {
    if (!this.down.delete(event.pointerId)) return;
    const { editor } = this;
    if (this.doing === "stroke") editor.painting.end();
    else if (this.doing === "click") editor.act(this.point(event), event);
    this.settle(event);
  }

  // The system took the pointer away: what was drawn stays.
  pointercancel(event) {
    if (!this.down.delete(event.pointerId)) return;
    this.editor.painting.end();
    this.settle(event);
  }

  // Of two fingers the one that stays does nothing more until it is lifted.
  settle(event) {
    this.doing = this.down.size ? "waits" : null;
    if (!this.down.size) delete this.place.dataset.doing;
    if (event.pointerType === "touch") this.editor.cursor.hide();
  }

  pointerleave(event) {
    if (!this.down.has(event.pointerId)) this.editor.cursor.hide();
  }

  // --- the wheel

  // Ctrl: the brush's size. Alt, a pinch on a touchpad, or, where the editor has the focus or the window, alone: zoom.
  wheel(event) {
    const { editor } = this;
    if (!editor.work.picture) return;
    const pixels = event.deltaY * (event.deltaMode === 1 ? 33 : event.deltaMode === 2 ? 400 : 1);
    const brush = (event.ctrlKey && this.controlHeld) || event.metaKey;
    const zooms = event.altKey || event.ctrlKey || editor.full.on || editor.focused;
    if (brush && editor.draws) this.turnBrush(pixels);
    else if (!brush && zooms) editor.view.zoomBy(Math.exp(-pixels * WHEEL * (event.ctrlKey ? 6 : 1)), this.at(event));
    else return;
    event.preventDefault();
  }

  turnBrush(pixels) {
    this.turned = (this.turned || 0) - pixels;
    const steps = Math.trunc(this.turned / BRUSH_WHEEL);
    this.turned -= steps * BRUSH_WHEEL;
    if (steps) this.editor.settings.resize(steps);
  }
}
