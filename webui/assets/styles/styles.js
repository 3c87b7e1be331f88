// Styles of a drawing tab (webui/tabs/drawing/rows/styles.py): the names of its buttons, its dialog, and whether all
// combinations are offered.

import { press, setAttribute } from "../page/dom.js";
import { editStyles } from "./dialog.js";

// What variants and wildcards are written with.
const CHOOSES = /\{[^{}]*[|$]|__\S/;
const NAMES = {
  style_apply: "Put the chosen styles into the prompts",
  styles_edit_button: "Edit styles",
};

export class Styles {
  constructor(tab) {
    this.tab = tab;
    document.addEventListener("click", (event) => this.clicked(event));
  }

  nameButtons() {
    for (const [part, name] of Object.entries(NAMES)) {
      setAttribute(this.tab.part(part), "aria-label", name);
      setAttribute(this.tab.part(part), "title", name);
    }
    setAttribute(this.tab.part("styles")?.querySelector("input"), "aria-label", "Styles");
    setAttribute(this.tab.part("styles")?.querySelector("input"), "placeholder", "Styles");
  }

  valuesAre(fields) {
    this.values = fields;
    this.render();
  }

  // All combinations are offered where the prompt has something to choose, and where they are chosen.
  render() {
    const { prompt, combinatorial, styles } = this.values || {};
    const offered = combinatorial || styles?.length > 0 || CHOOSES.test(prompt || "");
    setAttribute(this.tab.part("combinatorial_row"), "data-offered", offered ? "" : null);
    setAttribute(this.tab.part("style_apply"), "aria-disabled", styles?.length > 0 ? null : "true");
  }

  // One more, by its name.
  choose(name) {
    const chosen = this.values?.styles || [];
    if (!chosen.includes(name)) this.tab.put({ styles: [...chosen, name] });
  }

  clicked(event) {
    if (event.target.closest?.(`[id="${this.tab.id("styles_edit_button")}"]`)) this.edit();
  }

  async edit() {
    const { prompt = "", negative_prompt = "", styles = [] } = this.values || {};
    const refusal = this.tab.state.rights?.settings || "";
    try {
      const changed = await editStyles({ id: this.tab.id, prompts: { prompt, negative_prompt }, chosen: styles.at(-1), refusal });
      if (changed) press("steady_reload_styles"); // in the lists of all tabs
    } catch (error) {
      this.tab.problem(String(error.message || error));
    }
  }
}
