// A picture that is dragged over the page may be dropped anywhere on it. What may be done with it stands on cards: one of
// them is meant where it is dropped elsewhere.

import { make, setAttribute } from "./dom.js";

export class PictureDrop {
  inside = false; // what is dragged comes from this page
  ways = []; // those that there are while something is dragged

  // `ways()` returns what may be done: {title, words, usual, take(files)}; the `usual` one is meant beside the cards.
  constructor(ways) {
    this.find = ways;
    this.cards = make("div", { class: "sd-drop-ways" });
    this.veil = make("div", { class: "sd-drop", hidden: true }, this.cards);
    document.body.append(this.veil);
    document.addEventListener("dragstart", () => (this.inside = true), true);
    document.addEventListener("dragend", () => (this.inside = false), true);
    for (const name of ["dragenter", "dragover", "dragleave", "drop"]) document.addEventListener(name, (event) => this[name](event), true);
  }

  // A field for text takes files by itself.
  isText(event) {
    return Boolean(event.target.closest?.("[data-takes-text]"));
  }

  // A file from elsewhere. The browser would leave the page for it, so it is taken also where nothing is done with it.
  brings(event) {
    if (this.isText(event)) this.veil.hidden = true;
    return !this.inside && !this.isText(event) && Array.from(event.dataTransfer?.types || []).includes("Files");
  }

  wants(event) {
    return this.brings(event) && !document.querySelector("dialog[open]");
  }

  dragenter(event) {
    if (this.wants(event)) this.show(event);
  }

  show(event) {
    if (this.veil.hidden) {
      this.ways = this.find();
      this.cards.replaceChildren(...this.ways.map(({ title, words }) => make("div", {}, make("b", {}, title), make("span", {}, words))));
      this.veil.hidden = false;
    }
    const meant = this.meant(event);
    this.ways.forEach((way, i) => setAttribute(this.cards.children[i], "data-on", way === meant ? "" : null));
  }

  // What is done with a file that is dropped here.
  meant({ clientX: x, clientY: y }) {
    const at = Array.from(this.cards.children, (card) => card.getBoundingClientRect());
    const under = at.findIndex((box) => x >= box.left && x <= box.right && y >= box.top && y <= box.bottom);
    return this.ways[under] || this.ways.find((way) => way.usual) || this.ways[0];
  }

  dragover(event) {
    if (!this.brings(event)) return;
    event.preventDefault();
    event.stopPropagation();
    event.dataTransfer.dropEffect = this.wants(event) ? "copy" : "none";
    if (this.wants(event)) this.show(event);
  }

  dragleave(event) {
    if (!event.relatedTarget) this.veil.hidden = true; // it has left the window
  }

  drop(event) {
    const wanted = this.wants(event);
    if (wanted) this.show(event);
    const way = this.meant(event);
    this.veil.hidden = true;
    if (!this.brings(event)) return;
    event.preventDefault();
    event.stopPropagation();
    const files = Array.from(event.dataTransfer.files);
    if (files.length && wanted) way?.take(files);
  }
}
