// Before and after in the viewer: the picture before lies on the slide, so that it is zoomed and moved with it, and the
// handle goes over what is in sight of that.

import { pictureUrl } from "../live/inputs.js";
import { setAttribute } from "../page/dom.js";
import { Compare } from "./compare.js";

const KEYS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown"];

export class ViewerCompare {
  on = false;
  before = null; // of the picture in the viewer

  // `beforeOf(output)` tells what a picture was made from (model/before.js), or null.
  constructor(beforeOf) {
    this.beforeOf = beforeOf;
    this.compare = new Compare();
  }

  // Of a viewer that opens.
  attach(swipe) {
    this.swipe = swipe;
    swipe.on("uiRegister", () => {
      swipe.ui.registerElement({ name: "compare", order: 8, isButton: true, html: "Compare", title: "Compare with the picture before (C)", onInit: (button) => this.begin(button), onClick: () => this.turn() });
    });
    for (const event of ["zoomPanUpdate", "imageSizeChange", "resize"]) swipe.on(event, () => this.place());
    swipe.on("keydown", (event) => this.hears(event.originalEvent) && event.preventDefault());
    swipe.on("destroy", () => this.compare.element.remove());
  }

  begin(button) {
    this.button = button;
    this.swipe.element.append(this.compare.element);
  }

  // Is a key for the handle, which has the focus?
  hears({ key }) {
    return document.activeElement === this.compare.range && KEYS.includes(key);
  }

  turn() {
    this.on = !this.on;
    this.render();
    if (!this.before) return;
    const next = this.on ? this.compare.range : this.swipe.element;
    next.focus({ preventScroll: true });
  }

  // The picture in the viewer is another one.
  changed(output) {
    this.before = this.beforeOf(output);
    this.render();
  }

  render() {
    const shown = this.on && Boolean(this.before);
    setAttribute(this.button, "hidden", this.before ? null : "");
    setAttribute(this.button, "aria-pressed", String(shown));
    setAttribute(this.compare.element, "hidden", shown ? null : "");
    if (!shown) {
      this.compare.image.remove();
      return;
    }
    this.compare.show(this.before, pictureUrl(this.before.source));
    this.swipe.currSlide.container.append(this.compare.image);
    this.place();
  }

  // Where the slide's picture is by now.
  place() {
    const slide = this.swipe.currSlide;
    if (!slide || !this.compare.image.isConnected) return;
    const { displayedImageWidth: wide, displayedImageHeight: high } = slide.content;
    this.compare.image.style.setProperty("--wide", `${wide}px`);
    this.compare.image.style.setProperty("--high", `${high}px`);
    const [x, y] = [slide.pan.x, slide.pan.y];
    const [width, height] = [slide.width * slide.currZoomLevel, slide.height * slide.currZoomLevel];
    const { x: across, y: down } = this.swipe.viewportSize;
    const [left, right] = [Math.max(0, x), Math.min(across, x + width)];
    const [top, bottom] = [Math.max(0, y), Math.min(down, y + height)];
    const box = { left: `${left}px`, top: `${top}px`, width: `${Math.max(0, right - left)}px`, height: `${Math.max(0, bottom - top)}px` };
    Object.assign(this.compare.element.style, box);
    this.compare.see({ from: (left - x) / width, to: (right - x) / width });
  }
}
