// The editor as large as the window. It goes to the browser's top layer and stays where it is in the page, so that nothing
// of what lies around it (bars that stick, boxes that clip) is in its way.

export class Full {
  on = false;

  constructor(editor) {
    this.editor = editor;
    // Moved in the page, it falls out of the top layer.
    editor.root.addEventListener("toggle", (event) => this.on && event.newState === "closed" && this.leave());
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

  back(focused) {
    if (this.editor.root.contains(focused)) focused.focus({ preventScroll: true });
    this.editor.look.render();
  }
}
