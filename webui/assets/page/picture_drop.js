// A picture that is dragged over the page may be dropped anywhere on it.

import { make } from "./dom.js";

export class PictureDrop {
  inside = false; // what is dragged comes from this page

  constructor(dropped) {
    this.dropped = dropped;
    this.veil = make("div", { class: "sd-drop", hidden: true }, make("p", {}, "Drop the picture: its settings go into the fields."));
    document.body.append(this.veil);
    document.addEventListener("dragstart", () => (this.inside = true), true);
    document.addEventListener("dragend", () => (this.inside = false), true);
    for (const name of ["dragenter", "dragover", "dragleave", "drop"]) document.addEventListener(name, (event) => this[name](event), true);
  }

  // A file from elsewhere. The browser would leave the page for it, so it is taken also where nothing is done with it.
  brings(event) {
    return !this.inside && Array.from(event.dataTransfer?.types || []).includes("Files");
  }

  wants(event) {
    return this.brings(event) && !document.querySelector("dialog[open]");
  }

  dragenter(event) {
    if (this.wants(event)) this.veil.hidden = false;
  }

  dragover(event) {
    if (!this.brings(event)) return;
    event.preventDefault();
    event.stopPropagation();
    event.dataTransfer.dropEffect = this.wants(event) ? "copy" : "none";
  }

  dragleave(event) {
    if (!event.relatedTarget) this.veil.hidden = true; // it has left the window
  }

  drop(event) {
    this.veil.hidden = true;
    if (!this.brings(event)) return;
    event.preventDefault();
    event.stopPropagation();
    const file = event.dataTransfer.files[0];
    if (file && this.wants(event)) this.dropped(file);
  }
}
