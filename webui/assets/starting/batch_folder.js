// Pictures of a folder on the server's machine come to those of the batch (webui/tabs/drawing/batch_folder.py).

import { plural } from "../model/format.js";
import { make, setLabel, setText } from "../page/dom.js";

const ADDS = "Add its pictures";

export class BatchFolder {
  constructor(tab) {
    this.tab = tab;
  }

  get button() {
    return this.tab.part("batch_add_folder");
  }

  // The server is asked: many pictures take it a while.
  reads() {
    this.tab.fields.problems.clear();
    setLabel(this.button, "Reading …");
    this.button.disabled = true;
  }

  read({ names = [], told = "", problem = "" }) {
    this.button.disabled = false;
    setLabel(this.button, ADDS);
    if (problem) return this.tab.problem(problem, "batch_folder");
    const before = JSON.parse(this.tab.start.values.batch_images || "[]");
    this.tab.put({ batch_images: JSON.stringify([...new Set([...before, ...names])]) });
    return this.say([names.length ? `${plural(names.length, "picture", "pictures")} added.` : "", told].filter(Boolean).join(" "));
  }

  say(words) {
    const home = this.tab.part("batch_input_dir");
    const line = home.querySelector(".sd-said") || home.appendChild(make("p", { class: "sd-said", role: "status" }));
    setText(line, words);
  }
}
