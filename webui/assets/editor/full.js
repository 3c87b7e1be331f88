// The editor as large as the window. It goes to the browser's top layer and stays where it is in the page, so that nothing
// of what lies around it (bars that stick, boxes that clip) is in its way.

import { visible } from "../page/dom.js";

const STOPS = "button, input, select, [tabindex]";
const isStop = (element) => element.tabIndex >= 0 && !element.disabled && visible(element);

export class Full {
  on = false;

  constructor(editor) {
    this.editor = editor;
    // Moved in the page, it falls out of the top layer.
    editor.root.addEventListener("toggle", (event) => this.on && event.newState === "closed" && this.leave());
    document.addEventListener("keydown", (event) => this.key(event));
  }

  toggle() {
    if (this.on) this.leave();
    else this.enter();
  }

  enter() {
    const { root } = this.editor;
    const focused = /** @type {HTMLElement} */ (document.activeElement);
    this.on = true;
    root.dataset.full = "";
    root.popover = "manual";
    root.showPopover();
    document.documentElement.style.overflow = "hidden"; // what lies behind does not scroll
    this.back(focused);
  }

  leave() {
    const { root } = this.editor;
    const focused = /** @type {HTMLElement} */ (document.activeElement);
    this.on = false;
    delete root.dataset.full;
    if (root.matches(":popover-open")) root.hidePopover();
    root.removeAttribute("popover");
    document.documentElement.style.overflow = "";
    this.back(focused);
  }

  // What lies behind cannot be seen: Tab goes round within the window.
  key(event) {
    if (!this.on || event.key !== "Tab" || document.querySelector("dialog[open]")) return;
    const stops = /** @type {HTMLElement[]} */ (Array.from(this.editor.root.querySelectorAll(STOPS))).filter(isStop);
    const at = stops.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const inside = at >= 0 && (event.shiftKey ? at > 0 : at < stops.length - 1);
    if (inside || stops.length === 0) return;
    event.preventDefault();
    stops.at(event.shiftKey ? -1 : 0).focus({ preventScroll: true });
  }

  back(focused) {
    if (this.editor.root.contains(focused)) focused.focus({ preventScroll: true });
    this.editor.look.render();
  }
}
