// What can be done with the picture on the stage or in the viewer: buttons with `data-do`, there and here.

import { press, setText } from "../page/dom.js";
import { picturesOf } from "../model/strip_places.js";
import { Viewer } from "./viewer.js";

const SAID_MS = 1200;

export class PictureActions {
  // `page` knows what the strip holds (`state`) and the output on the stage (`staged`), and selects one by its address.
  constructor(page) {
    this.page = page;
    this.viewer = new Viewer((output) => this.walkedTo(output));
    document.addEventListener("click", (event) => this.clicked(event));
  }

  // The picture that they are about: the one in the viewer, else the one on the stage.
  get output() {
    return this.viewer.output || this.page.staged;
  }

  clicked(event) {
    const button = event.target.closest?.(":is(#txt2img_send, .sd-viewer-actions) [data-do]");
    if (event.target.closest?.("#txt2img_open")) this.enlarge();
    else if (button?.dataset.do === "reuse-all") this.reuseAll();
    else if (button?.dataset.do === "reuse-seed") this.reuseSeed(button);
    else if (button?.dataset.do === "copy") this.copy(button);
  }

  render(state) {
    this.viewer.update(picturesOf(state));
  }

  enlarge() {
    const staged = this.page.staged;
    if (!staged) return;
    const pictures = picturesOf(this.page.state);
    const failed = (error) => this.page.problem(String(error.message || error));
    this.viewer.open(pictures, pictures.findIndex((one) => one.url === staged.url)).catch(failed);
  }

  // The viewer closes: the picture that one had walked to is on the stage.
  walkedTo(output) {
    if (picturesOf(this.page.state).some((one) => one.url === output?.url)) this.page.select(output.url);
  }

  // What was taken over is told beside the fields, so the viewer makes way.
  reuseAll() {
    const { output, page } = this;
    page.takeover.take({ kind: "reuse", job: output?.job ?? page.state.shown, index: output?.index }, "this picture");
    this.viewer.close();
  }

  reuseSeed(button) {
    press("txt2img_reuse_seed");
    sayFor(button, "Taken over");
  }

  async copy(button) {
    await copyText(this.output?.infotext || "", button);
    sayFor(button, "Copied");
  }
}

// What a button did, said on it for a moment.
function sayFor(button, words) {
  button.dataset.words ||= button.textContent;
  setText(button, words);
  setTimeout(() => setText(button, button.dataset.words), SAID_MS);
}

// navigator.clipboard needs https or localhost. The text lies beside the button: a dialog lets nothing else be focused.
async function copyText(text, button) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = button.parentElement.appendChild(document.createElement("textarea"));
    area.value = text;
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}
