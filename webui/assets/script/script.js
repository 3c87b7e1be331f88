// What A1111 calls a script, a grid of pictures here: the fields of one (webui/tabs/drawing/rows/script.py), behind a
// button that tells what is chosen. What is in them is one text for Gradio, in a field out of sight.

import { Fold } from "../fields/fold.js";
import { make, setAttribute } from "../page/dom.js";
import { fieldsOf, select, saidBy } from "./controls.js";
import { Plan } from "./plan.js";
import { PromptsFile } from "./prompts_file.js";
import { argsAtFirst, AXES, NONE, NOTHING, PROMPTS, SPECS, TITLES, XYZ } from "./scripts.js";
import { Xyz } from "./xyz.js";

export class Script extends Fold {
  chosen = ""; // the title
  args = {}; // by title the arguments
  sent = []; // texts on their way to Gradio, of which it will tell
  heard = ""; // what it told last

  constructor(tab) {
    super(tab, "script");
    this.plan = new Plan(this);
    const hear = (event) => this.box?.contains(event.target) && this.edited(event.target);
    for (const name of ["input", "change"]) document.addEventListener(name, hear);
    document.addEventListener("click", (event) => this.pressed(event));
  }

  /** @returns {HTMLElement | null} */
  get box() {
    return this.tab.part("script_container");
  }

  // Has this tab such fields? It says so before Gradio has put them in place.
  get there() {
    return "script" in this.tab.fields.ids;
  }

  get isOpen() {
    return this.opened ?? Boolean(this.chosen);
  }

  // The arguments of the chosen script.
  get current() {
    return { ...argsAtFirst(this.chosen), ...this.args[this.chosen] };
  }

  get axes() {
    return JSON.parse(this.box?.dataset.axes || "[]");
  }

  // All of it as a text; "" says nothing. The arguments of scripts that are not chosen are kept.
  get text() {
    const own = Object.entries(this.args).filter(([title]) => TITLES.includes(title));
    return this.chosen || own.length ? JSON.stringify({ chosen: this.chosen, ...Object.fromEntries(own) }) : "";
  }

  words() {
    if (!this.chosen) return "";
    const types = AXES.map((axis) => this.current[`${axis}_type`]).filter((type) => type && type !== NOTHING);
    return [this.chosen, this.chosen === XYZ && types.join(" × ")].filter(Boolean).join(": ");
  }

  // --- from Gradio, and to it

  valuesAre(fields, told) {
    if ("script" in told) this.hear(told.script ?? "");
    super.valuesAre(fields);
    this.plan.changed();
  }

  hear(text) {
    const own = this.sent.lastIndexOf(text);
    if (own >= 0) this.sent.splice(0, own + 1);
    else if (text !== this.text && text !== this.heard) this.read(text);
    this.heard = text;
  }

  // Remembered, or taken over from elsewhere.
  read(text) {
    /** @type {Record<string, any>} */
    let said = {};
    try {
      said = JSON.parse(text || "{}");
    } catch {
      /* a broken memory is an empty one */
    }
    const { chosen, ...args } = said && typeof said === "object" ? said : {};
    this.chosen = TITLES.includes(chosen) ? chosen : "";
    this.args = { ...this.args, ...args };
    this.opened = null;
    this.made = null;
  }

  put(args) {
    this.args[this.chosen] = { ...this.current, ...args };
    this.tell();
  }

  tell() {
    const { text } = this;
    if (text !== (this.sent.at(-1) ?? this.heard)) {
      this.sent.push(text);
      this.tab.put({ script: text });
    }
    this.render();
  }

  // --- what people do

  edited(field) {
    if (field.id === this.listId) {
      this.chosen = field.value === NONE ? "" : field.value;
      this.opened = true;
      if (this.chosen) this.args[this.chosen] = this.current; // all are said: what is left out is A1111's
      this.plan.answer = null; // it was of another one
      this.tell();
    } else if (field.dataset.arg && this.chosen) {
      const { arg } = field.dataset;
      const others = arg.endsWith("_type") && this.current[arg] !== field.value ? { [arg.replace("_type", "_values_dropdown")]: [] } : {};
      this.put({ [arg]: saidBy(field), ...others }); // what was chosen of another list is of no use
    }
  }

  pressed(event) {
    const button = this.box?.contains(event.target) ? event.target.closest("button") : null;
    if (!button || !this.xyz || this.chosen !== XYZ) return;
    const args = this.xyz.pressed(button, this.current, this.plan.lists);
    if (!args) return;
    this.args[XYZ] = args;
    this.made = null;
    this.tell();
    this.tab.part("script_container").querySelector(`[id="${button.id}"]`)?.focus({ preventScroll: true });
  }

  // --- what is to be seen

  get listId() {
    return this.tab.prefix === "txt2img" ? "script_list" : `${this.tab.prefix}_script_list`; // A1111 has the one id
  }

  // A1111's id of an argument's field.
  at = (name) => `script_${this.tab.prefix}_${this.chosen.toLowerCase().replace(/[/ ]/g, "_")}_${name}`.replace("x_y_z", "xyz");

  // Is this the field of an axis that has no value yet, or of prompts of which none is written?
  isOpenStill(field) {
    if (field === "script_args.prompt_txt") return !this.current.prompt_txt?.trim();
    const [, axis] = /^script_args\.([xyz])_values$/.exec(field || "") || [];
    const { [`${axis}_values`]: text, [`${axis}_values_dropdown`]: names } = this.current;
    return Boolean(axis) && !(this.xyz?.listed(this.current, axis) ? names.length : text.trim());
  }

  // Where is told what is wrong with `script_args.NAME`.
  homeOf(field) {
    const name = field.split(".")[1];
    const listed = name?.endsWith("_values") && this.xyz?.listed(this.current, name[0]);
    const place = name && document.getElementById(this.at(listed ? `${name}_dropdown` : name));
    return place || document.getElementById(this.at("prompt_txt")) || this.box;
  }

  render() {
    super.render();
    const { box } = this;
    if (!box) return;
    if (this.made !== (this.chosen || NONE) || !box.firstElementChild) this.make(box);
    else if (this.chosen === XYZ) this.xyz.render(this.current, this.plan.lists);
    this.plan.render();
  }

  // Gradio has put the box in place, or once more.
  settle() {
    if (this.box && !this.box.firstElementChild) this.render();
  }

  make(box) {
    this.made = this.chosen || NONE;
    if (!box.firstElementChild) box.append(this.list(), make("div", { class: "sd-args" }), make("p", { class: "sd-script-told", id: this.tab.id("script_count"), role: "status" }));
    const list = /** @type {HTMLSelectElement} */ (box.querySelector(`[id="${this.listId}"]`));
    list.value = this.chosen || NONE;
    setAttribute(list, "data-set", this.chosen ? "" : null);
    const args = box.querySelector(".sd-args");
    args.replaceChildren(...this.fields());
  }

  list() {
    const chooser = select(() => null, { name: "script", label: "Script", hidden: true }, [NONE, ...TITLES], this.chosen || NONE);
    const field = chooser.querySelector("select");
    field.id = this.listId;
    field.removeAttribute("data-arg");
    return chooser;
  }

  fields() {
    const put = (args) => this.put(args);
    if (this.chosen === XYZ) {
      this.xyz = new Xyz(this.at, this.axes, put);
      return this.xyz.make(this.current, this.plan.lists);
    }
    if (this.chosen === PROMPTS) return new PromptsFile(this.at, put).make(this.current);
    const { choices = [], ticks = [], numbers = [] } = SPECS[this.chosen] || {};
    if (!this.chosen) return [];
    return [
      make("div", { class: "sd-args-two" }, ...fieldsOf(this.at, [...choices, ...numbers], this.current)),
      make("div", { class: "sd-args-ticks" }, ...fieldsOf(this.at, ticks, this.current)),
    ];
  }
}
