// The buttons and fields over the picture: what they do, and what they show.

import { make, setAttribute, setText, visible } from "../page/dom.js";
import { SIDES } from "./frame.js";
import { COMMANDS, DRAWS, menuOf, MODES } from "./modes.js";
import { SMALLEST } from "./settings.js";

const WALKS = { ArrowRight: 1, ArrowLeft: -1 };
const LOG_STEPS = 100; // of the slider for the brush's size: each is a part more, not a pixel

export class Toolbar {
  constructor(editor) {
    this.editor = editor;
    const { root } = editor;
    this.bar = root.querySelector(".sd-editor-bar");
    this.menu = root.querySelector(".sd-editor-foot .sd-menu");
    root.addEventListener("click", (event) => this.clicked(event));
    root.addEventListener("input", (event) => this.input(event));
    root.addEventListener("change", (event) => this.change(event));
    this.bar.addEventListener("keydown", (event) => this.walk(event));
    this.bar.addEventListener("focusin", (event) => this.focused(event.target));
  }

  // --- what is pressed and filled in

  clicked(event) {
    const button = event.target.closest("button");
    if (!button) return;
    const { tool, do: command } = button.dataset;
    if (tool) this.editor.settings.set("tool", tool);
    else if (command) this.editor.run(command);
  }

  // While it is dragged or typed.
  input({ target }) {
    const { settings } = this.editor;
    const { range, colour } = target.dataset;
    if (target.type === "number") target.dataset.typed = "";
    if (range === "size") settings.set("size", this.sizeAt(Number(target.value)));
    else if (range) settings.set(range, Number(target.value));
    else if (colour) settings.set(colour, target.value);
  }

  // When it is done.
  change({ target }) {
    const { editor } = this;
    const { number, tick, side } = target.dataset;
    delete target.dataset.typed;
    if (number) editor.settings.set(number, Number.parseInt(target.value, 10));
    else if (tick) editor.settings.set(tick, target.checked);
    else if (side) editor.setMargins({ ...editor.work.margins, [side]: target.value });
    else return;
    this.render(); // what was out of bounds is put right
  }

  // The slider for sizes grows by parts.
  sizeAt = (value) => SMALLEST * (this.editor.settings.largest / SMALLEST) ** (value / LOG_STEPS);
  placeOf = (size) => Math.round((Math.log(size / SMALLEST) / Math.log(this.editor.settings.largest / SMALLEST)) * LOG_STEPS);

  // --- the keyboard: one stop for Tab, arrows walk

  get buttons() {
    return Array.from(this.bar.querySelectorAll(".sd-editor-button")).filter(visible);
  }

  walk(event) {
    const { buttons } = this;
    const at = buttons.indexOf(event.target);
    if (at < 0 || event.ctrlKey || event.altKey || event.metaKey) return;
    const to = event.key in WALKS ? at + WALKS[event.key] : { Home: 0, End: buttons.length - 1 }[event.key];
    if (to === undefined) return;
    buttons[(to + buttons.length) % buttons.length].focus();
    event.preventDefault();
    event.stopPropagation();
  }

  focused(button) {
    this.stop = button.closest(".sd-editor-button") || this.stop;
    this.renderStops();
  }

  renderStops() {
    const { buttons } = this;
    if (!buttons.includes(this.stop)) this.stop = buttons.find((one) => one.getAttribute("aria-pressed") === "true") || buttons[0];
    for (const one of buttons) setAttribute(one, "tabindex", one === this.stop ? "0" : "-1");
  }

  // --- what they show

  render() {
    const { editor } = this;
    const mode = MODES[editor.mode];
    for (const button of this.bar.querySelectorAll("[data-tool]")) {
      button.hidden = !mode.tools.includes(button.dataset.tool);
      setAttribute(button, "aria-pressed", String(editor.tool === button.dataset.tool));
    }
    this.bar.hidden = !mode.layer;
    setAttribute(editor.root.querySelector('[data-do="full"]'), "aria-pressed", String(editor.full.on));
    this.renderMenu(mode);
    this.renderOptions(mode);
    this.renderState();
    this.renderStops();
  }

  // Which steps can be taken: changes with each stroke.
  renderState() {
    const { root } = this.editor;
    for (const [name, { when }] of Object.entries(COMMANDS)) {
      if (!when) continue;
      const on = when(this.editor);
      for (const button of root.querySelectorAll(`[data-do="${name}"]`)) setAttribute(button, "aria-disabled", on ? null : "true");
    }
    const percent = `${Math.round(this.editor.view.scale * 100)} %`;
    const scale = root.querySelector(".sd-editor-scale");
    setText(scale, percent);
    setAttribute(scale, "aria-label", `${percent}: see all of it`);
    setAttribute(scale, "title", "See all of it (0)");
  }

  renderMenu(mode) {
    const names = menuOf(mode);
    const key = names.join();
    if (this.menu.dataset.key !== key) {
      this.menu.dataset.key = key;
      this.menu.replaceChildren(...names.map((name) => this.item(name, mode)));
    }
    setAttribute(this.menu.querySelector('[data-do="pressure"]'), "aria-checked", String(this.editor.settings.pressure));
  }

  item(name, { masks, paints }) {
    const what = masks && !paints ? "mask" : "colours";
    const words = { fill: masks && !paints ? "Mask all of it" : "Fill with the colour", clear: `Clear the ${what}` }[name] || COMMANDS[name].label;
    const role = name === "pressure" ? "menuitemcheckbox" : "menuitem";
    return make("button", { type: "button", role, "data-do": name }, words);
  }

  renderOptions(mode) {
    const { root, settings, tool } = this.editor;
    const { frame } = this.editor;
    const seen = {
      size: DRAWS.includes(tool),
      tolerance: tool === "alike",
      connected: tool === "alike",
      away: tool === "alike",
      paintOpacity: mode.paints,
    };
    for (const box of root.querySelectorAll(".sd-editor-options > [data-for]")) box.hidden = !seen[box.dataset.for];
    root.querySelector('[data-colour="colour"]').hidden = !mode.paints;
    root.querySelector(".sd-editor-look").hidden = !mode.masks || mode.paints;
    root.querySelector(".sd-editor-sides").hidden = !frame;
    root.querySelector(".sd-editor-options").hidden = !frame && !mode.layer;
    const values = { ...settings, size: settings.diameter };
    for (const input of root.querySelectorAll("[data-range]")) this.renderRange(input, values[input.dataset.range]);
    for (const input of root.querySelectorAll("[data-number]")) put(input, Math.round(values[input.dataset.number]));
    for (const input of root.querySelectorAll("[data-colour]")) put(input, values[input.dataset.colour]);
    for (const input of root.querySelectorAll("[data-tick]")) input.checked = values[input.dataset.tick];
    this.renderSides();
  }

  renderRange(input, value) {
    const size = input.dataset.range === "size";
    put(input, size ? this.placeOf(value) : value);
    input.style.setProperty("--range_progress", `${(100 * Number(input.value)) / Number(input.max)}%`);
    setAttribute(input, "aria-valuetext", size ? `${value} pixels` : null);
  }

  renderSides() {
    const { root, work } = this.editor;
    for (const side of SIDES) put(root.querySelector(`[data-side="${side}"]`), work.margins[side]);
  }
}

// What is being typed stays.
function put(input, value) {
  if (!("typed" in input.dataset) && input.value !== String(value)) input.value = String(value);
}
