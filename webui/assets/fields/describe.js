// Words for the picture in a field (webui/tabs/drawing/rows/captions.py), by a model that describes what it sees.

import { ask } from "../live/rest.js";
import { copyText } from "../page/clipboard.js";
import { openTab } from "../header/header.js";
import { make, setAttribute, setText } from "../page/dom.js";

const PROMPT_TAB = "txt2img"; // where the words can become a prompt

export class Describe {
  /** @type {Record<string, any>} */
  values = {};
  words = "";

  constructor(tab) {
    this.tab = tab;
    document.addEventListener("click", (event) => this.clicked(event));
  }

  valuesAre(fields) {
    this.values = fields;
  }

  clicked(event) {
    const button = this.tab.find(event, "page", "[data-describe]");
    if (!button) return;
    if (button.dataset.describe === "copy") copyText(this.words);
    else if (button.dataset.describe === "prompt") this.intoPrompt();
    else if (!button.hasAttribute("aria-busy")) this.ask(button);
  }

  async ask(button) {
    if (!this.values.image) return this.show("Choose a picture first.", "bad");
    setAttribute(button, "aria-busy", "true");
    setText(button, "Describing …");
    try {
      const { caption } = await ask("POST", "/sdapi/v1/interrogate", { image: this.values.image, model: this.values.captioner || "clip" });
      this.words = caption;
      this.show(caption, "quiet");
    } catch (error) {
      this.show(String(error.message || error), "bad");
    }
    setAttribute(button, "aria-busy", null);
    setText(button, "Describe");
    return undefined;
  }

  show(words, tone) {
    const box = this.tab.part("described");
    const button = (name, label) => make("button", { type: "button", class: "sd-small", "data-describe": name }, label);
    box.hidden = false;
    setAttribute(box, "data-tone", tone);
    box.replaceChildren(make("p", {}, words));
    if (tone !== "bad") box.append(make("span", {}, button("prompt", "As the prompt"), button("copy", "Copy")));
  }

  intoPrompt() {
    openTab(PROMPT_TAB);
    const tab = this.tab.page.drawing(PROMPT_TAB);
    tab.put({ prompt: this.words });
    requestAnimationFrame(() => tab.promptField?.focus());
  }
}
