// The dialog in which styles are written, renamed and deleted; each change is in the file at once.

import { ask } from "../live/rest.js";
import { openDialog } from "../models/questions.js";
import { confirmed } from "../page/confirm.js";
import { make, setAttribute, setText } from "../page/dom.js";

const PATH = "/sdapi/v1/prompt-styles";
const LIBRARY = "/sdapi/v1/prompt-library";
const TEXTS = ["prompt", "negative_prompt"];
const HELP = "{prompt} in a text is where the prompt goes; without it the text follows the prompt.";

// Resolves to whether something was changed. `id` makes the ids of a tab's elements, `prompts` are its texts, `chosen` is
// the style that is shown first, and `refusal` why this visitor may change nothing.
export async function editStyles({ id, prompts, chosen = "", refusal = "" }) {
  const editor = new Editor(id, prompts, refusal);
  await editor.read();
  editor.show(editor.styles.some((one) => one.name === chosen) ? chosen : "");
  const { closed } = openDialog(editor.form, { label: "Styles", wide: true });
  editor.select.focus();
  await closed;
  return editor.changed;
}

class Editor {
  styles = [];
  shown = ""; // the name of the style in the fields; "" is a new one
  changed = false;

  constructor(id, prompts, refusal) {
    this.prompts = prompts;
    this.refusal = refusal;
    const readonly = Boolean(refusal);
    this.select = make("select", { class: "sd-field", id: id("edit_style_select") });
    this.name = make("input", { class: "sd-field", type: "text", maxlength: 200, readonly, autocomplete: "off", id: id("edit_style_name") });
    this.prompt = make("textarea", { class: "sd-field", rows: 4, maxlength: 10000, readonly, dir: "auto", id: id("edit_style_prompt") });
    this.negative_prompt = make("textarea", { class: "sd-field", rows: 3, maxlength: 10000, readonly, dir: "auto", id: id("edit_style_neg_prompt") });
    this.save = button("Save", "save", id("edit_style_save"), "sd-go");
    this.remove = button("Delete", "remove", id("edit_style_delete"));
    this.copy = button("Copy the tab's prompts", "copy", id("style_copy"));
    this.told = make("p", { class: "sd-answer", role: "status" });
    const close = make("button", { type: "submit", class: "sd-small", value: "", id: id("edit_style_close") }, "Close");
    this.form = make(
      "form",
      { method: "dialog", class: "sd-style-form" },
      make("h2", {}, "Styles"),
      labelled("Style", this.select),
      labelled("Name", this.name),
      labelled("Prompt", this.prompt),
      labelled("Negative prompt", this.negative_prompt),
      make("p", {}, refusal || HELP),
      this.told,
      make("div", { class: "sd-confirm-buttons" }, ...(refusal ? [] : [this.copy, this.remove]), make("span", { class: "sd-gap" }), close, ...(refusal ? [] : [this.save])),
    );
    this.form.addEventListener("click", (event) => this.clicked(event));
    this.form.addEventListener("keydown", (event) => this.pressed(event));
    this.select.addEventListener("change", () => this.show(this.select.value));
  }

  // Read anew with each change: another program may write the same file.
  async read() {
    const { styles, problems } = await ask("GET", LIBRARY);
    this.styles = styles;
    const files = Array.from(new Set(styles.map((one) => one.file)));
    const options = (some) => some.map((one) => make("option", { value: one.name }, one.name));
    const groups = files.map((file) => make("optgroup", { label: file.split(/[/\\]/).at(-1) }, ...options(styles.filter((one) => one.file === file))));
    this.select.replaceChildren(make("option", { value: "" }, "New style"), ...(files.length > 1 ? groups : options(styles)));
    this.tell(problems.filter((one) => one.includes(".csv")).join(" "), "problem");
  }

  show(name) {
    const style = this.styles.find((one) => one.name === name);
    this.shown = style ? name : "";
    this.select.value = this.shown;
    this.name.value = this.shown;
    for (const field of TEXTS) this[field].value = style?.[field] || "";
    this.remove.disabled = !style;
  }

  tell(words, tone = "") {
    setText(this.told, words);
    this.told.hidden = !words;
    setAttribute(this.told, "data-tone", tone || null);
  }

  clicked(event) {
    const deed = event.target.closest("button")?.dataset.deed;
    if (deed) this[`${deed}Clicked`]();
  }

  pressed(event) {
    if (event.key !== "Enter" || !(event.ctrlKey || event.target === this.name)) return;
    event.preventDefault(); // it would close the dialog
    if (!this.refusal) this.saveClicked();
  }

  copyClicked() {
    for (const field of TEXTS) this[field].value = this.prompts[field];
    if (!this.shown) this.name.focus();
  }

  async saveClicked() {
    const name = this.name.value.trim();
    if (!name) {
      this.tell("A style needs a name.", "problem");
      this.name.focus();
      return;
    }
    const texts = Object.fromEntries(TEXTS.map((field) => [field, this[field].value]));
    await this.change(() => ask("POST", PATH, { name, ...texts, replaces: this.shown }), name, `${name} is saved.`);
  }

  async removeClicked() {
    const name = this.shown;
    const wanted = await confirmed({ title: `Delete the style ${name}?`, words: "The file as it was before is kept beside it, as .bak, until the next change.", action: "Delete" });
    if (wanted) await this.change(() => ask("DELETE", `${PATH}?name=${encodeURIComponent(name)}`), "", `${name} is deleted.`);
  }

  // What is refused stays in the fields.
  async change(deed, name, words) {
    try {
      await deed();
      this.changed = true;
      await this.read();
      this.show(name);
      if (!this.told.textContent) this.tell(words);
    } catch (error) {
      this.tell(String(error.message || error), "problem");
    }
  }
}

const labelled = (label, field) => make("label", { class: "sd-labelled" }, make("span", {}, label), field);
const button = (words, deed, id, more = "") => make("button", { type: "button", class: `sd-small ${more}`, "data-deed": deed, id }, words);
