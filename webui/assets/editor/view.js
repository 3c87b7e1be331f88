// Which part of the picture is seen: how large a pixel of it is, and where its corner lies. All in CSS pixels.

const MARGIN = 10;
const LARGEST = 40;
const NEAR = 56; // what is brought into sight comes so far from the edge
export const STEP = 1.25; // of the keys and buttons that zoom

export class View {
  scale = 1;
  x = 0;
  y = 0;
  width = 0; // of the place that it is seen in
  height = 0;
  fitted = true; // all of it is seen, and goes on to be when the place changes
  box = { left: 0, top: 0, right: 1, bottom: 1 }; // what there is to see, in pixels of the picture

  constructor(changed) {
    this.changed = changed;
  }

  // What there is to see is another now. `anew`: it is another picture, and all of it is to be seen.
  shows(box, anew = false) {
    this.box = box;
    if (anew || this.fitted) this.fit();
    else this.settle();
  }

  resize(width, height) {
    const centre = { x: this.width / 2, y: this.height / 2 };
    this.x += width / 2 - centre.x;
    this.y += height / 2 - centre.y;
    this.width = width;
    this.height = height;
    if (this.fitted) this.fit();
    else this.settle();
  }

  get fitScale() {
    const { left, right, top, bottom } = this.box;
    const across = (this.width - 2 * MARGIN) / (right - left);
    const down = (this.height - 2 * MARGIN) / (bottom - top);
    return Math.max(1e-3, Math.min(across, down, 16));
  }

  fit() {
    const { left, right, top, bottom } = this.box;
    this.scale = this.fitScale;
    this.x = this.width / 2 - ((left + right) / 2) * this.scale;
    this.y = this.height / 2 - ((top + bottom) / 2) * this.scale;
    this.fitted = true;
    this.changed();
  }

  // The point of the place stays over the same point of the picture.
  zoomTo(scale, point = { x: this.width / 2, y: this.height / 2 }) {
    this.pin(this.toPicture(point), point, scale);
  }

  // A point of the picture comes to lie at a point of the place, at this scale or the nearest that may be.
  pin(inPicture, inPlace, scale) {
    this.scale = Math.min(LARGEST, Math.max(Math.min(this.fitScale, 1) / 4, scale));
    this.x = inPlace.x - inPicture.x * this.scale;
    this.y = inPlace.y - inPicture.y * this.scale;
    this.fitted = false;
    this.settle();
  }

  zoomBy(factor, point = undefined) {
    this.zoomTo(this.scale * factor, point);
  }

  // What is smaller than the place is not moved out of it.
  moveBy(x, y) {
    const { left, right, top, bottom } = this.box;
    this.x = moved(this.x, x, left * this.scale, right * this.scale, this.width);
    this.y = moved(this.y, y, top * this.scale, bottom * this.scale, this.height);
    this.fitted = false;
    this.settle();
  }

  // No edge goes beyond the middle of the place.
  settle() {
    const { left, right, top, bottom } = this.box;
    const within = (value, first, last, size) => Math.min(size / 2 - first, Math.max(size / 2 - last, value));
    this.x = within(this.x, left * this.scale, right * this.scale, this.width);
    this.y = within(this.y, top * this.scale, bottom * this.scale, this.height);
    this.changed();
  }

  // A point of the picture comes into sight.
  reveal(point) {
    const { x, y } = this.toPlace(point);
    const by = (value, size) => (value < NEAR ? NEAR - value : Math.min(0, size - NEAR - value));
    const across = by(x, this.width);
    const down = by(y, this.height);
    if (across || down) this.moveBy(across, down);
  }

  toPicture({ x, y }) {
    return { x: (x - this.x) / this.scale, y: (y - this.y) / this.scale };
  }

  toPlace({ x, y }) {
    return { x: x * this.scale + this.x, y: y * this.scale + this.y };
  }
}

function moved(value, by, first, last, size) {
  if (last - first > size) return value + by;
  return Math.min(Math.max(size - last, value), Math.max(Math.min(-first, value), value + by));
}
