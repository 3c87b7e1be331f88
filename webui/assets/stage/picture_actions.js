// What can be done with the picture on the stage or in the viewer: buttons with `data-do`, there and here.

import { picturesOf } from "../model/strip_places.js";
import { press, setText } from "../page/dom.js";
import { Viewer } from "./viewer.js";

const SAID_MS = 1200;

export class PictureActions {
  // `tab` knows what the strip holds (`state`) and the output on the stage (`staged`), and selects one by its address.
  constructor(tab) {
    this.tab = tab;
    this.viewer = new Viewer(
      (output) => this.walkedTo(output),
      () => tab.part("send"),
    );
    document.addEventListener("click", (event) => this.clicked(event));
  }

  // The picture that they are about: the one in the viewer, else the one on the stage.
  get output() {
    return this.viewer.output || this.tab.staged;
  }

  // As text: a number of a browser ends at 2^53. Null where there is no picture.
  get seed() {
    const { output } = this;
    return output ? (/(?:^|, )Seed: (\d+)/m.exec(output.infotext || "")?.[1] ?? String(output.seed)) : null;
  }

  clicked(event) {
    const inViewer = this.viewer.dialog.contains(event.target) && event.target.closest?.(".sd-viewer-actions [data-do]");
    const button = inViewer || this.tab.find(event, "send", "[data-do]");
    if (this.tab.find(event, "open", "button")) this.enlarge();
    else if (button?.dataset.do === "reuse-all") this.reuseAll();
    else if (button?.dataset.do === "reuse-seed") this.reuseSeed(button);
    else if (button?.dataset.do === "copy") this.copy(button);
  }

  render(state) {
    this.viewer.update(picturesOf(state));
  }

  enlarge() {
    const staged = this.tab.staged;
    if (!staged) return;
    const pictures = picturesOf(this.tab.state);
    const failed = (error) => this.tab.problem(String(error.message || error));
    this.viewer.open(pictures, pictures.findIndex((one) => one.url === staged.url)).catch(failed);
  }

  // The viewer closes: the picture that one had walked to is on the stage.
  walkedTo(output) {
    if (picturesOf(this.tab.state).some((one) => one.url === output?.url)) this.tab.select(output.url);
  }

  // What was taken over is told beside the fields, so the viewer makes way.
  reuseAll() {
    const { output, tab } = this;
    tab.takeover.take({ kind: "reuse", job: output?.job ?? tab.state.shown, index: output?.index }, "this picture");
    this.viewer.close();
  }

  reuseSeed(button) {
    press(this.tab.id("reuse_seed"));
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
