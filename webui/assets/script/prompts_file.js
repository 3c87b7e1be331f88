// The prompts of "Prompts from file or textbox": a file is read here, in the browser, into the text box, and sent nowhere.

import { PROMPTS_LONGEST } from "../model/limits.js";
import { make, setText } from "../page/dom.js";
import { fieldsOf, text } from "./controls.js";
import { PROMPTS, SPECS } from "./scripts.js";

const MOST_BYTES = 4 * PROMPTS_LONGEST; // a character takes four at most
const SPEC = SPECS[PROMPTS];

export class PromptsFile {
  // `at(name)` makes ids; `put(args)` takes what was changed.
  constructor(at, put) {
    this.at = at;
    this.put = put;
  }

  make(args) {
    const area = text(this.at, { name: "prompt_txt", label: "List of prompts, one a line" }, args.prompt_txt, { rows: 4, placeholder: "a cat\n--prompt \"a dog\" --steps 30 --seed 7" });
    this.said = make("span", { class: "sd-none", role: "status" });
    const file = make("input", { type: "file", accept: ".txt,text/plain", "aria-label": "Read the prompts from a text file" });
    const pick = make("label", { class: "sd-pick", id: this.at("file") }, file, make("span", {}, "Read a text file …"));
    file.addEventListener("change", () => {
      if (file.files[0]) this.read(file.files[0]);
      file.value = ""; // the same file may be chosen again
    });
    this.element = make("div", { class: "sd-prompts-file", "data-takes-text": true }, area, make("div", { class: "sd-args-line" }, pick, this.said));
    this.element.addEventListener("dragover", (event) => this.over(event));
    this.element.addEventListener("dragleave", () => delete this.element.dataset.over);
    this.element.addEventListener("drop", (event) => this.dropped(event));
    return [this.element, ...fieldsOf(this.at, SPEC.choices, args), make("div", { class: "sd-args-ticks" }, ...fieldsOf(this.at, SPEC.ticks, args))];
  }

  over(event) {
    if (!Array.from(event.dataTransfer.types).includes("Files")) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    this.element.dataset.over = "yes";
  }

  dropped(event) {
    delete this.element.dataset.over;
    const [file] = event.dataTransfer.files;
    if (!file) return;
    event.preventDefault();
    this.read(file);
  }

  async read(file) {
    const found = file.size > MOST_BYTES ? "" : await file.text().catch(() => null);
    const words = whyNot(file, found);
    this.said.dataset.tone = words ? "bad" : "";
    if (words) return setText(this.said, words);
    const area = this.element.querySelector("textarea");
    area.value = found.replace(/^\ufeff/, "").replace(/\r\n?/g, "\n");
    setText(this.said, `${file.name} is in the box.`);
    return this.put({ prompt_txt: area.value });
  }
}

// Why a file is no list of prompts; "" where it is one. The server counts characters too, and takes no more.
function whyNot({ name, size }, found) {
  if (found === null) return `${name} cannot be read.`;
  if (size > MOST_BYTES || (found.length > PROMPTS_LONGEST && Array.from(found).length > PROMPTS_LONGEST)) {
    return `${name} is too long: a list of prompts has at most ${PROMPTS_LONGEST.toLocaleString("en")} characters.`;
  }
  return found.includes("\0") ? `${name} is no text file.` : "";
}
