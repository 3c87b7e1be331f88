// Where pictures come from: a file that is chosen, one that is dropped on the editor, or one that is pasted.

import { make } from "../page/dom.js";

export class Sources {
  constructor(editor) {
    this.editor = editor;
    const { root } = editor;
    // The server reads more kinds than the browser does, so nothing is left out.
    this.input = make("input", { type: "file", accept: "image/*", hidden: true, tabindex: -1, "aria-hidden": "true" });
    root.append(this.input);
    this.input.addEventListener("change", () => this.chosen());
    for (const name of ["dragenter", "dragover", "dragleave", "drop"]) root.addEventListener(name, (event) => this[name](event));
    document.addEventListener("paste", (event) => this.paste(event));
  }

  choose(what) {
    this.what = what;
    this.input.value = "";
    this.input.click();
  }

  chosen() {
    const file = this.input.files[0];
    if (file && this.what === "mask") this.editor.openMask(file);
    else if (file) this.editor.open(file);
  }

  // --- dropped: a file, or a picture of this page

  brings(event) {
    const types = Array.from(event.dataTransfer?.types || []);
    return types.includes("Files") || types.includes("text/uri-list");
  }

  dragenter(event) {
    if (!this.brings(event)) return;
    event.preventDefault();
    this.editor.root.dataset.over = "";
  }

  dragover(event) {
    if (!this.brings(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  }

  dragleave(event) {
    if (!this.editor.root.contains(event.relatedTarget)) delete this.editor.root.dataset.over;
  }

  drop(event) {
    delete this.editor.root.dataset.over;
    if (!this.brings(event)) return;
    event.preventDefault();
    const { files } = event.dataTransfer;
    const address = event.dataTransfer.getData("text/uri-list").split("\n")[0].trim();
    if (address.startsWith(`${location.origin}/`)) this.editor.open(address.slice(location.origin.length));
    else if (files.length) this.editor.open(files[0]);
    else this.editor.tell("A picture of another page cannot be read from here: save it, and drop the file.");
  }

  // --- pasted, while the editor has the focus or the mouse

  paste(event) {
    const { editor } = this;
    if (event.defaultPrevented || !editor.seen) return;
    const file = Array.from(event.clipboardData?.files || []).find(({ type }) => type.startsWith("image/"));
    const meant = editor.root.contains(document.activeElement) || (editor.root.matches(":hover") && document.activeElement === document.body);
    if (!file || !meant) return;
    event.preventDefault();
    editor.open(file);
  }
}
