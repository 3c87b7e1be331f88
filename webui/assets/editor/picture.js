// A picture that is open: its bytes as they came, and what is needed to show it at any size.

const SMALLEST_LEVEL = 512; // smaller halves than this are drawn from this one

export class Picture {
  levels = new Map(); // 1, 2, 3 …: the picture at a half, a quarter, an eighth; null while it is made
  scratch = null; // a small canvas in main memory, to read colours from

  // `blob`: the bytes. `address`: of which picture of ours they are, null for others. `bitmap`: decoded.
  constructor(blob, bitmap, address = null) {
    this.blob = blob;
    this.bitmap = bitmap;
    this.address = address;
    this.width = bitmap.width;
    this.height = bitmap.height;
  }

  // Raises what the browser raises when it cannot read it.
  static async decode(blob, address = null) {
    return new Picture(blob, await createImageBitmap(blob), address);
  }

  get box() {
    return { left: 0, top: 0, right: this.width, bottom: this.height };
  }

  // The bitmap to draw where a pixel of the picture becomes `scale` pixels of the screen: halved as often as it is still
  // as large as what is drawn. A level that is missing is made, off the page's thread, and `came` is told.
  at(scale, came) {
    let level = Math.max(0, Math.floor(-Math.log2(scale)));
    while (level && Math.min(this.width, this.height) / 2 ** level < Math.min(SMALLEST_LEVEL, this.width, this.height) / 2) level -= 1;
    if (level && !this.levels.has(level)) this.make(level, came);
    while (level && !this.levels.get(level)) level -= 1;
    return level ? this.levels.get(level) : this.bitmap;
  }

  async make(level, came) {
    this.levels.set(level, null);
    const size = (side) => Math.max(1, Math.round(side / 2 ** level));
    const options = /** @type {const} */ ({ resizeQuality: "medium" });
    const sides = { resizeWidth: size(this.width), resizeHeight: size(this.height) };
    const made = await createImageBitmap(this.blob, { ...options, ...sides }).catch(() => null);
    if (!made || this.closed) return made?.close();
    this.levels.set(level, made);
    came();
  }

  // The pixels of a part of it, as RGBA bytes.
  read(x, y, width, height) {
    if (!this.scratch || this.scratch.canvas.width < width || this.scratch.canvas.height < height) {
      const canvas = new OffscreenCanvas(Math.max(width, 256), Math.max(height, 256));
      this.scratch = canvas.getContext("2d", { willReadFrequently: true });
    }
    this.scratch.clearRect(0, 0, width, height);
    this.scratch.drawImage(this.bitmap, x, y, width, height, 0, 0, width, height);
    return this.scratch.getImageData(0, 0, width, height).data;
  }

  close() {
    this.closed = true;
    for (const one of [this.bitmap, ...this.levels.values()]) one?.close();
  }
}
