// The ring that shows how large the brush is and where; the keyboard moves it too.

const LEAST = 4; // CSS pixels: a smaller ring is not to be seen

export class Cursor {
  point = null; // in the picture, where the keyboard or the mouse has brought it

  constructor(editor, ring) {
    this.editor = editor;
    this.ring = ring;
  }

  // A pointer is over the place.
  at(event, place) {
    this.point = this.editor.view.toPicture(place);
    this.shown = event.pointerType !== "touch" || event.buttons > 0;
    this.render();
  }

  hide() {
    this.shown = false;
    this.render();
  }

  // By keyboard, in pixels of the picture. Begins in the middle of what is seen.
  moveBy(x, y) {
    const { view, work } = this.editor;
    this.point ??= view.toPicture({ x: view.width / 2, y: view.height / 2 });
    const within = (value, size) => Math.min(size, Math.max(0, value));
    this.point = { x: within(this.point.x + x, work.picture.width), y: within(this.point.y + y, work.picture.height) };
    this.shown = true;
    view.reveal(this.point);
    this.render();
    return { ...this.point, pressure: 1 };
  }

  render() {
    const { editor, ring, point } = this;
    const seen = Boolean(this.shown && point && editor.work.picture && editor.tool !== "move");
    ring.hidden = !seen;
    if (!seen) return;
    const { x, y } = editor.view.toPlace(point);
    const size = editor.draws ? Math.max(LEAST, editor.settings.diameter * editor.view.scale) : 14;
    ring.style.width = ring.style.height = `${size}px`;
    ring.style.transform = `translate(${x - size / 2}px, ${y - size / 2}px)`;
  }
}
