// The picture in full size: PhotoSwipe (photoswipe/, MIT) walks, swipes, zooms and pans; the dialog around it holds the
// focus and gives it back. The library is fetched while the page is idle, so that it is there when the server is not.

import { make, setAttribute, setText } from "../page/dom.js";
import { ViewerCompare } from "./viewer_compare.js";

const LIBRARY = "../photoswipe/photoswipe.esm.min.js";
const ZOOM_STEP = 1.5;
const calm = matchMedia("(prefers-reduced-motion: reduce)");

export class Viewer {
  output = null; // the picture in it, while it is open
  swipe = null;
  hasty = false; // it was asked to close

  // `walked(output)` is told which picture was on show when it closes; `actions()` finds the buttons of a picture;
  // `changed(output, foot)` is told which one is on show, and where its buttons are; `beforeOf(output)`: what it was made from.
  constructor({ walked, actions, changed, beforeOf }) {
    this.walked = walked;
    this.actions = actions;
    this.told = changed;
    this.compare = new ViewerCompare(beforeOf);
    this.dialog = make("dialog", { class: "sd-viewer", "aria-label": "Picture in full size" });
    this.dialog.addEventListener("keydown", (event) => this.key(event));
    this.dialog.addEventListener("cancel", (event) => this.cancelled(event));
    this.dialog.addEventListener("close", () => this.close());
    const idle = window.requestIdleCallback || ((run) => setTimeout(run, 2000));
    idle(() => import(LIBRARY).catch(() => {}));
  }

  // `outputs` to leaf through, `at` the place of the first one shown.
  async open(outputs, at) {
    if (this.swipe) return;
    const { default: PhotoSwipe } = await import(LIBRARY);
    if (this.swipe) return;
    this.hasty = false;
    this.outputs = outputs;
    this.foot = makeFoot(this.actions());
    this.swipe = new PhotoSwipe({ ...OPTIONS, dataSource: outputs.map(slideOf), index: at, appendToEl: this.dialog });
    this.swipe.options.tapAction = (_point, event) => this.tapped(event);
    this.swipe.on("uiRegister", () => this.swipe.ui.registerElement({ name: "foot", appendTo: "root", html: "", onInit: (box) => box.append(this.foot) }));
    this.compare.attach(this.swipe);
    this.swipe.on("change", () => this.changed());
    this.swipe.on("openingAnimationEnd", () => this.hasty && this.close());
    this.swipe.on("close", () => this.walked(this.output));
    this.swipe.on("destroy", () => this.closed());
    document.body.append(this.dialog); // while it is open: each tab that draws has one
    this.dialog.showModal();
    this.swipe.init();
    setAttribute(this.swipe.element, "role", null); // the dialog around it has it
    this.swipe.element.focus();
  }

  // What the job has by now: a picture that was done meanwhile can be walked to.
  update(outputs) {
    if (!this.swipe || this.swipe.isDestroying || !this.output || outputs.length <= this.outputs.length) return;
    if (outputs[this.swipe.currIndex]?.url !== this.output.url) return; // of another job, or one came before it
    const first = this.outputs.length;
    this.outputs = outputs;
    this.swipe.options.dataSource = outputs.map(slideOf);
    this.swipe.refreshSlideContent(first);
  }

  changed() {
    this.output = this.outputs[this.swipe.currIndex];
    const { width, height, seed, partial, words } = this.output;
    setText(this.foot.querySelector("p"), `${words ? `${words} · ` : ""}${width} × ${height}${seed < 0 ? "" : ` · seed ${seed}`}${partial ? " · partial: stopped before it was done" : ""}`);
    linkTo(this.foot, this.output);
    this.told(this.output, this.foot);
    this.compare.changed(this.output);
  }

  closed() {
    this.swipe = null;
    this.output = null;
    this.dialog.close();
    this.dialog.remove();
  }

  cancelled(event) {
    event.preventDefault();
    this.close();
  }

  // PhotoSwipe does not close while it opens, so that is done after it. Resolves once it is closed, and the focus is back.
  close() {
    const { swipe } = this;
    if (!swipe) return Promise.resolve();
    this.hasty = true;
    return new Promise((done) => {
      swipe.on("destroy", done);
      swipe.close();
    });
  }

  // A finger on the picture shows and hides the buttons; beside it, it closes.
  tapped(event) {
    if (event.target.closest?.(".pswp__img")) this.swipe.element.classList.toggle("pswp--ui-visible");
    else this.close();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.swipe) return;
    const last = this.outputs.length - 1;
    const deeds = {
      Home: () => this.swipe.goTo(0),
      End: () => this.swipe.goTo(last),
      "+": () => this.zoom(ZOOM_STEP),
      "=": () => this.zoom(ZOOM_STEP),
      "-": () => this.zoom(1 / ZOOM_STEP),
      0: () => this.zoom(0),
      c: () => this.compare.turn(),
    };
    if (!deeds[event.key] || event.target.matches?.("[role=menuitem]") || this.compare.hears(event)) return;
    event.preventDefault();
    deeds[event.key]();
  }

  // Zooms about the middle; `factor` 0 makes the picture whole again.
  zoom(factor) {
    const slide = this.swipe.currSlide;
    const { initial, max } = slide.zoomLevels;
    const level = Math.min(max, Math.max(initial, slide.currZoomLevel * factor));
    const { x, y } = this.swipe.viewportSize;
    slide.zoomTo(level, { x: x / 2, y: y / 2 }, calm.matches ? 0 : 160);
  }
}

// Whole and as large as the window lets it be, small ones too.
const whole = ({ elementSize, panAreaSize }) => Math.min(panAreaSize.x / elementSize.x, panAreaSize.y / elementSize.y);

const OPTIONS = {
  initialZoomLevel: whole,
  secondaryZoomLevel: (level) => Math.max(1, whole(level) * 2.5),
  maxZoomLevel: (level) => Math.max(4, whole(level) * 8),
  paddingFn: ({ x }) => (x > 820 ? { top: 56, bottom: 64, left: 64, right: 64 } : { top: 56, bottom: 108, left: 0, right: 0 }),
  showHideAnimationType: "fade",
  showAnimationDuration: 140,
  hideAnimationDuration: 140,
  bgOpacity: 1,
  loop: false,
  wheelToZoom: true,
  escKey: false, // the dialog hears it, and the gesture that means the same on a phone
  trapFocus: false,
  returnFocus: false,
  imageClickAction: "zoom",
  bgClickAction: "close",
  indexIndicatorSep: " of ",
  closeTitle: "Close (Esc)",
  zoomTitle: "Zoom (+ and -)",
  arrowPrevTitle: "Previous picture",
  arrowNextTitle: "Next picture",
  errorMsg: "This picture could not be loaded.",
};

const slideOf = ({ url, width, height, seed }) => ({ src: url, width, height, alt: seed < 0 ? "Picture" : `Picture of seed ${seed}` });

// The words of the picture and its actions, which are those of the page.
function makeFoot(originals) {
  const actions = make("div", { class: "sd-viewer-actions" });
  actions.append(...originals.cloneNode(true).children);
  for (const copy of actions.querySelectorAll("a, button")) {
    for (const name of ["aria-disabled", "tabindex", "disabled", "id"]) copy.removeAttribute(name);
  }
  return make("div", { class: "sd-viewer-foot" }, make("p", { "aria-live": "polite" }), actions);
}

// The links of a picture's actions.
export function linkTo(box, output) {
  for (const link of box.querySelectorAll("a[data-do]")) link.href = output.url;
  const name = output.name?.split("/").pop() || `${output.seed}.png`;
  for (const link of box.querySelectorAll("a[data-do=download]")) link.setAttribute("download", name);
}
