// The elements of an editor.

import { make } from "../page/dom.js";
import { COMMANDS, TOOLS } from "./modes.js";

const icon = (name, label, keys = "") =>
  make("button", { type: "button", class: "sd-tool-plain sd-editor-button", "data-do": name, "aria-label": label, title: keys ? `${label} (${keys})` : label });

const command = (name) => icon(name, COMMANDS[name].label, COMMANDS[name].keys);

function tool(name) {
  const button = icon("", TOOLS[name].label, TOOLS[name].key);
  button.removeAttribute("data-do");
  button.dataset.tool = name;
  return button;
}

const group = (name, ...children) => make("div", { class: `sd-editor-${name}` }, ...children);

function toolbar() {
  const tools = group("tools", ...Object.keys(TOOLS).map(tool));
  const steps = group("steps", command("undo"), command("redo"));
  return make("div", { class: "sd-editor-bar", role: "toolbar", "aria-label": "Tools of the picture" }, tools, steps);
}

// Under the picture: its size, what is seen of it, and all that is rarely needed.
function foot() {
  const menu = make("div", { class: "sd-menu", role: "menu", hidden: true, "aria-label": "More" });
  const more = icon("", "More");
  more.removeAttribute("data-do");
  more.classList.add("sd-editor-more");
  more.setAttribute("aria-haspopup", "menu");
  more.setAttribute("aria-expanded", "false");
  const holder = make("span", { class: "sd-menu-holder" }, more, menu);
  const fit = make("button", { type: "button", class: "sd-editor-scale", "data-do": "fit" });
  const zoom = make("div", { class: "sd-editor-zoom", role: "group", "aria-label": "Zoom" }, command("out"), fit, command("in"));
  return group("foot", make("span", { class: "sd-editor-facts" }), zoom, holder, command("full"));
}

// A slider with a number beside it, or alone. `words` are seen, `label` is its name.
function range(name, words, label, numbered = false, max = 100) {
  const slider = make("input", { type: "range", min: 0, max, step: 1, "data-range": name, "aria-label": label, title: label });
  const number = make("input", { type: "number", class: "sd-editor-number", "data-number": name, "aria-label": `${label}, as a number` });
  return make("div", { class: "sd-editor-range", "data-for": name }, make("span", { "aria-hidden": "true" }, words), slider, ...(numbered ? [number] : []));
}

const colour = (name, label) => make("input", { type: "color", class: "sd-editor-colour", "data-colour": name, "aria-label": label, title: label });
const tick = (name, label) => make("label", { class: "sd-editor-tick", "data-for": name }, make("input", { type: "checkbox", "data-tick": name }), label);

function side(name, label) {
  const input = make("input", { type: "number", class: "sd-editor-number", min: 0, max: 4096, step: 8, "data-side": name, "aria-label": `Pixels ${label.toLowerCase()}` });
  return make("label", { class: "sd-editor-side" }, make("span", {}, label), input);
}

function options() {
  return group(
    "options",
    colour("colour", "Colour of the brush"),
    range("size", "Size", "Size of the brush", true),
    range("tolerance", "Tolerance", "Tolerance", true, 128),
    tick("connected", "Connected"),
    tick("away", "Take away"),
    group("look", colour("maskColour", "Colour in which the mask is shown"), range("maskOpacity", "Mask", "Opacity of the mask, as it is shown")),
    range("paintOpacity", "Opacity", "Opacity of the colours"),
    group("sides", side("left", "Left"), side("top", "Top"), side("right", "Right"), side("bottom", "Bottom"), make("button", { type: "button", class: "sd-text", "data-do": "unframe", "aria-label": COMMANDS.unframe.label }, "Reset")),
  );
}

function place(label) {
  const empty = group(
    "empty",
    make("strong", {}, "No picture yet"),
    make("p", {}, "Drop one here, paste it, or choose a file."),
    make("button", { type: "button", class: "sd-small", "data-do": "open" }, "Choose a picture"),
  );
  const surface = make(
    "div",
    { class: "sd-editor-place", tabindex: 0, role: "application", "aria-label": label },
    make("canvas", { class: "sd-editor-below", "aria-hidden": "true" }),
    make("canvas", { class: "sd-editor-above", "aria-hidden": "true" }),
    make("div", { class: "sd-editor-ring", hidden: true, "aria-hidden": "true" }),
  );
  return group("room", surface, empty);
}

// Fills `root`; everything is found in it by its class or data attribute.
export function build(root, label) {
  root.classList.add("sd-editor");
  root.setAttribute("role", "region");
  root.setAttribute("aria-label", label);
  const notice = make("div", { class: "sd-editor-notice", hidden: true }, make("span", {}), make("button", { type: "button", class: "sd-text", "data-do": "back" }, COMMANDS.back.label));
  root.replaceChildren(
    group("head", toolbar(), options()),
    place(label),
    foot(),
    notice,
    make("p", { class: "sd-editor-problem", role: "alert", hidden: true }),
    make("p", { class: "sd-editor-trouble sd-help", hidden: true }),
    make("span", { class: "sd-unseen", role: "status" }),
  );
}
