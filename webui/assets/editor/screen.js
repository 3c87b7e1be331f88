// What is seen of the picture and of what is painted on it: two canvases as large as the place, one over the other.
//
// While a stroke is drawn only the box that it changed is drawn anew, once a frame; the picture below stays as it is.

const CHECKS = 8;
const BESIDE = 2; // device pixels around a changed box that it may have changed too: smoothed edges
const SHARPEST = 2; // device pixels for a CSS pixel; more would cost time and show nothing
const CRISP = 3; // from so many device pixels a pixel of the picture on, its edges are to be seen

export class Screen {
  picture = null;
  layer = null;
  tint = null; // the colour in which a mask is shown; null: the layer's own colours
  dirty = null; // the box of the picture in which the layer is to be drawn anew
  stale = true; // all is to be drawn anew
  ratio = 1; // device pixels for a CSS pixel
  checks = null;

  constructor(place, view) {
    this.view = view;
    this.below = place.querySelector("canvas.sd-editor-below").getContext("2d");
    this.above = place.querySelector("canvas.sd-editor-above").getContext("2d");
  }

  shows(picture, layer, tint, opacity) {
    this.picture = picture;
    this.layer = layer;
    this.tint = tint;
    this.above.canvas.style.opacity = String(opacity);
    this.refresh();
  }

  // Are the canvases as fine as the screen is now? It is another one in another window, or after the browser's own zoom.
  get fits() {
    return this.ratio === Math.min(SHARPEST, devicePixelRatio || 1);
  }

  resize(width, height) {
    this.ratio = Math.min(SHARPEST, devicePixelRatio || 1);
    for (const { canvas } of [this.below, this.above]) {
      canvas.width = Math.max(1, Math.round(width * this.ratio));
      canvas.height = Math.max(1, Math.round(height * this.ratio));
    }
    this.draw(); // at once: a canvas that was given a size is empty
  }

  refresh() {
    this.stale = true;
    this.later();
  }

  // The layer looks otherwise in this box.
  touch(box) {
    if (!box) return;
    const { dirty } = this;
    this.dirty = dirty
      ? {
          left: Math.min(dirty.left, box.left),
          top: Math.min(dirty.top, box.top),
          right: Math.max(dirty.right, box.right),
          bottom: Math.max(dirty.bottom, box.bottom),
        }
      : box;
    this.later();
  }

  later() {
    this.frame ??= requestAnimationFrame(() => this.draw());
  }

  draw() {
    if (this.frame) cancelAnimationFrame(this.frame);
    this.frame = null;
    if (!this.view.width) return; // not in sight: drawn when it comes there
    if (this.stale) {
      this.drawPicture();
      this.drawLayer(this.picture?.box || null, true);
    } else if (this.dirty) {
      this.drawLayer(this.dirty, false);
    }
    this.stale = false;
    this.dirty = null;
  }

  // A box of the picture on the canvases, in whole device pixels. Both edges of neighbours are rounded alike, so that
  // between two tiles there is no seam.
  onCanvas({ left, top, right, bottom }) {
    const { scale, x, y } = this.view;
    const place = (value, start) => Math.round((value * scale + start) * this.ratio);
    const [west, north] = [place(left, x), place(top, y)];
    return { x: west, y: north, width: place(right, x) - west, height: place(bottom, y) - north };
  }

  drawPicture() {
    const { below, picture } = this;
    below.clearRect(0, 0, below.canvas.width, below.canvas.height);
    if (!picture) return;
    const { x, y, width, height } = this.onCanvas(picture.box);
    const scale = this.view.scale * this.ratio;
    this.checks ??= below.createPattern(checkered(), "repeat");
    below.fillStyle = this.checks;
    below.fillRect(x, y, width, height);
    below.imageSmoothingEnabled = scale < CRISP;
    // Only what is in sight is drawn, cut from whole pixels of the bitmap.
    const bitmap = picture.at(scale, () => this.refresh());
    const [across, down] = [bitmap.width / width, bitmap.height / height];
    const left = Math.floor(Math.max(0, -x) * across);
    const top = Math.floor(Math.max(0, -y) * down);
    const right = Math.ceil(Math.min(width, below.canvas.width - x) * across);
    const bottom = Math.ceil(Math.min(height, below.canvas.height - y) * down);
    if (right <= left || bottom <= top) return;
    const [w, h] = [right - left, bottom - top];
    below.drawImage(bitmap, left, top, w, h, x + left / across, y + top / down, w / across, h / down);
  }

  drawLayer(box, whole) {
    const { above, layer } = this;
    const { width, height } = above.canvas;
    const part = whole || !box ? { x: 0, y: 0, width, height } : grown(this.onCanvas(box));
    above.clearRect(part.x, part.y, part.width, part.height);
    if (!layer || !box) return;
    above.save();
    above.beginPath();
    above.rect(part.x, part.y, part.width, part.height);
    above.clip();
    above.imageSmoothingEnabled = this.view.scale * this.ratio < CRISP;
    for (const index of layer.meeting(this.inSight(box))) this.drawTile(index);
    if (this.tint) {
      above.globalCompositeOperation = "source-in";
      above.fillStyle = this.tint;
      above.fillRect(part.x, part.y, part.width, part.height);
    }
    above.restore();
  }

  drawTile(index) {
    const { above, layer } = this;
    const look = layer.lookOf(index);
    if (!look) return;
    const place = layer.placeOf(index);
    const { x, y, width, height } = this.onCanvas({ left: place.x, top: place.y, right: place.x + place.width, bottom: place.y + place.height });
    if (typeof look === "string") {
      above.fillStyle = look;
      above.fillRect(x, y, width, height);
    } else {
      above.drawImage(look, x, y, width, height);
    }
  }

  // What of the box can be seen, with as much beside it as is cleared on the canvas.
  inSight(box) {
    const { scale, x, y, width, height } = this.view;
    const beside = (BESIDE + 1) / (scale * this.ratio);
    return {
      left: Math.max(box.left - beside, -x / scale),
      top: Math.max(box.top - beside, -y / scale),
      right: Math.min(box.right + beside, (width - x) / scale),
      bottom: Math.min(box.bottom + beside, (height - y) / scale),
    };
  }
}

const grown = ({ x, y, width, height }) => ({ x: x - BESIDE, y: y - BESIDE, width: width + 2 * BESIDE, height: height + 2 * BESIDE });

// What lies below a picture that can be seen through.
function checkered() {
  const canvas = new OffscreenCanvas(2 * CHECKS, 2 * CHECKS);
  const context = canvas.getContext("2d");
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, 2 * CHECKS, 2 * CHECKS);
  context.fillStyle = "#d9d9d9";
  context.fillRect(0, 0, CHECKS, CHECKS);
  context.fillRect(CHECKS, CHECKS, CHECKS, CHECKS);
  return canvas;
}
