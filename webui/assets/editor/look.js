// What is seen of an editor: which picture and layer, how they lie in their place, and the words around them.

import { setAttribute, setText } from "../page/dom.js";
import { MODES } from "./modes.js";

export class Look {
  constructor(editor) {
    this.editor = editor;
    this.words = Object.fromEntries(["facts", "notice", "trouble"].map((name) => [name, editor.root.querySelector(`.sd-editor-${name}`)]));
  }

  // The picture, or what is to be seen of it, is another. `anew`: all of it comes into sight.
  show(anew = false) {
    const { mode, root, settings, work } = this.editor;
    if (work.picture) settings.suits(work.picture);
    root.dataset.mode = mode;
    setAttribute(root, "data-empty", work.picture ? null : "");
    this.showLayer();
    this.showBox(anew);
    this.render();
  }

  showLayer() {
    const { mode, screen, settings, work } = this.editor;
    const { masks, paints, layer } = MODES[mode];
    const onlyMask = masks && !paints;
    const opacity = onlyMask ? settings.maskOpacity : settings.paintOpacity;
    screen.shows(work.picture, work.layers[layer] || null, onlyMask ? settings.maskColour : null, opacity / 100);
  }

  // What there is to see. While an edge is pulled nothing moves below the pointer.
  showBox(anew) {
    const { edges, frame, root, view, work } = this.editor;
    if (!work.picture) return;
    const box = frame ? work.framed : work.picture.box;
    if (edges.dragged) {
      view.box = box;
    } else {
      // The place is no higher than such a picture needs (editor.css).
      root.style.setProperty("--ratio", String((box.right - box.left) / (box.bottom - box.top)));
      this.resized(); // at once: nobody sees, or presses on, the picture as it lay in the place of before
      view.shows(box, anew);
    }
    edges.render();
  }

  resized() {
    const { place, screen, view } = this.editor;
    const { clientWidth, clientHeight } = place;
    if (!clientWidth || !clientHeight) return; // not in sight
    if (clientWidth === view.width && clientHeight === view.height && screen.fits) return;
    view.resize(clientWidth, clientHeight);
    screen.resize(clientWidth, clientHeight);
  }

  viewChanged() {
    const { cursor, edges, place, screen, toolbar, view } = this.editor;
    screen.refresh();
    edges?.render();
    cursor?.render();
    place.dataset.fitted = view.fitted ? "yes" : "no"; // then a finger scrolls the page over a picture that is only seen
    toolbar?.renderState();
  }

  render() {
    const { cursor, edges, frame, root, tool, toolbar, work } = this.editor;
    root.dataset.tool = tool;
    setAttribute(root, "data-framed", frame ? "" : null);
    toolbar.render();
    cursor.render();
    edges.render();
    const { left, top, right, bottom } = (frame && work.picture && work.framed) || work.picture?.box || {};
    setText(this.words.facts, work.picture ? `${right - left} × ${bottom - top}` : "");
    this.renderState();
  }

  // What changes with each stroke and upload.
  renderState() {
    const { keeper, opening, root, toolbar, work } = this.editor;
    if (!toolbar) return;
    toolbar.renderState();
    setAttribute(root, "data-sending", keeper.uploads.busy ? "" : null);
    const { notice, trouble } = this.words;
    notice.hidden = !opening.before;
    setText(notice.firstChild, work.picture ? "Another picture took the place of a painted one." : "The picture was removed.");
    setText(trouble, work.picture ? keeper.storage.trouble : "");
    trouble.hidden = !trouble.textContent;
  }
}
