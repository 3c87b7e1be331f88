// The fields of A1111's X/Y/Z plot: for each axis what varies along it and its values, as text or as choices of a list.

import { make, setAttribute } from "../page/dom.js";
import { Choices } from "./choices.js";
import { fieldsOf, select, text } from "./controls.js";
import { AXES, NOTHING, SPECS, swapped, XYZ } from "./scripts.js";

const SWAPS = [["x", "y"], ["y", "z"], ["x", "z"]];
const SPEC = SPECS[XYZ];
// What is written as text, though there is a list of names: more belongs to each.
const WRITTEN = ["networks"];
const NUMBERS = "20, 30 · 10-50 [5] · 1-10 (+3)";
const HINTS = {
  "Prompt S/R": "what is looked for, what takes its place, …",
  "Prompt order": "words of the prompt, in each order",
  Prompt: '"a cat", "a dog, sitting"',
  "Negative prompt": '"", "blurry, text"',
  Size: "512x512, 512x768",
  "LoRA weight": "name:0, 0.5, 1",
  "Text encoders and VAE": "None, clip_l + t5xxl",
};

export class Xyz {
  choices = {}; // by axis

  // `at(name)` makes ids; `axes` are {label, choices} of all that can vary; `put(args)` takes what was changed.
  constructor(at, axes, put) {
    this.axes = axes;
    this.put = put;
    this.at = at;
  }

  // Does a list belong to what varies along this axis, and is it used?
  listed(args, axis) {
    const { choices } = this.axisOf(args, axis) || {};
    return !args.csv_mode && Boolean(choices) && !WRITTEN.includes(choices);
  }

  axisOf(args, axis) {
    return this.axes.find((one) => one.label === args[`${axis}_type`]);
  }

  // The labels of the axes whose lists are asked for.
  wanted(args) {
    return AXES.filter((axis) => this.axisOf(args, axis)?.choices).map((axis) => args[`${axis}_type`]);
  }

  // `known` are the lists by the axes' labels.
  make(args, known) {
    const rows = AXES.map((axis) => this.row(args, axis));
    const swaps = SWAPS.map(([one, other]) =>
      make("button", { type: "button", class: "sd-small", "data-swap": `${one}${other}`, id: this.at(`${one}${other}_swap`) }, `Swap ${one.toUpperCase()}/${other.toUpperCase()}`),
    );
    const varies = make("div", { class: "sd-args-line", role: "group", "aria-label": "Vary seeds for" }, make("span", {}, "Vary seeds for"), ...fieldsOf(this.at, SPEC.varies, args));
    const made = [
      ...rows,
      make("div", { class: "sd-args-line sd-swaps" }, ...swaps),
      make("div", { class: "sd-args-ticks" }, ...fieldsOf(this.at, SPEC.ticks, args)),
      make("div", { class: "sd-args-line sd-args-last" }, varies, ...fieldsOf(this.at, SPEC.numbers, args)),
    ];
    this.rows = rows;
    this.render(args, known);
    return made;
  }

  row(args, axis) {
    const name = axis.toUpperCase();
    const types = [NOTHING, ...this.axes.map((one) => one.label).filter((label) => label !== NOTHING)];
    const type = select(this.at, { name: `${axis}_type`, label: `${name} type`, hidden: true }, types, args[`${axis}_type`]);
    const values = text(this.at, { name: `${axis}_values`, label: `${name} values`, hidden: true }, args[`${axis}_values`]);
    this.choices[axis] = new Choices(this.at(`${axis}_values_dropdown`), `${name} values`, (names) => this.put({ [`${axis}_values_dropdown`]: names }));
    const all = make("button", { type: "button", class: "sd-small", "data-fill": axis, id: this.at(`fill_${axis}_button`), title: "All that there are" }, "All");
    return make("div", { class: "sd-axis", "data-axis": axis }, make("span", { class: "sd-axis-name" }, name), type, values, this.choices[axis].element, all);
  }

  // What changes with the type, and as lists come.
  render(args, known) {
    AXES.forEach((axis, i) => {
      const row = this.rows[i];
      const of = this.axisOf(args, axis);
      const listed = this.listed(args, axis);
      row.dataset.with = !of || of.label === NOTHING ? "nothing" : listed ? "choices" : of.choices ? "names" : "text";
      setAttribute(row.querySelector("textarea"), "placeholder", HINTS[of?.label] || (of?.choices ? "one, another, …" : NUMBERS));
      if (listed) this.choices[axis].show(args[`${axis}_values_dropdown`] || [], known[of.label] || null);
    });
  }

  // A button of it was pressed. Returns the arguments from then on, null where it was none of its buttons.
  pressed(button, args, known) {
    const { swap, fill } = button.dataset;
    if (swap) return swapped(args, swap[0], swap[1]);
    if (!fill) return null;
    const all = known[args[`${fill}_type`]] || [];
    if (this.listed(args, fill)) return { ...args, [`${fill}_values_dropdown`]: all };
    return { ...args, [`${fill}_values`]: all.map(quoted).join(", ") };
  }
}

// As a value of a list that is separated by commas.
const quoted = (name) => (/[",\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name);
