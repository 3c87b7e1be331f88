// A card for each model: its picture, what it is, what people wrote of it, and what is wrong with it.

import { plural } from "../model/format.js";
import { make, setAttribute } from "../page/dom.js";

const CHIPS_SHOWN = 4;
const HASH_SHOWN = 10; // digits, as titles show them
// Those that a job is drawn with by themselves; of others the name is copied.
const DRAWN = ["checkpoint", "denoiser"];

export function size(bytes) {
  if (!bytes) return "";
  const units = ["kB", "MB", "GB", "TB"];
  const power = Math.min(units.length, Math.max(1, Math.floor(Math.log(bytes) / Math.log(1000) + 1e-9)));
  const value = bytes / 1000 ** power;
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)}\u00a0${units[power - 1]}`;
}

// "sub/dream.safetensors" as its two lines.
export function nameAndFolder({ name }) {
  const parts = name.split("/");
  const file = parts.pop();
  return { name: file.replace(/\.(safetensors|sft|gguf|ckpt|pth?|bin)$/i, ""), folder: parts.join(" / ") };
}

export const words = (text) =>
  text
    .split(/[,\n]/)
    .map((one) => one.trim())
    .filter(Boolean);

export function cardOf(model) {
  const { name, folder } = nameAndFolder(model);
  const facts = [what(model), ...ofNetwork(model), model.number_format, size(model.size_bytes)];
  const title = make("h3", { class: "sd-card-name", title: model.name }, name);
  const body = make(
    "div",
    { class: "sd-card-body" },
    title,
    make("p", { class: "sd-card-facts" }, facts.filter(Boolean).join(" · "), hash(model)),
  );
  if (folder) title.append(make("span", { class: "sd-card-folder" }, `in ${folder}`));
  if (model.notes || model.description) {
    const text = model.notes || model.description;
    body.append(make("p", { class: "sd-card-notes", title: text.length > 90 ? text : null }, text));
  }
  body.append(...chips(model));
  const card = make("li", { class: "sd-card", "data-model": model.id, "data-name": model.name, "data-problem": model.problem ? "yes" : null });
  card.append(model.problem ? problem(model) : picture(model, name), body, buttons(model, name));
  return card;
}

// What it is, in a word or two; of what cannot be used nothing may be known.
function what({ kind, kind_label: label, model_label: family, problem: wrong }) {
  if (!DRAWN.includes(kind)) return [family, label].filter(Boolean).join(" ");
  return family || (wrong ? "" : "Unknown family");
}

// Of a LoRA how it changes weights and how much of it is best, of an embedding how many tokens it takes.
function ofNetwork({ kind, algorithm, rank, vectors, suggested_weight: weight }) {
  if (kind === "embedding") return [vectors && plural(vectors, "token", "tokens")];
  if (kind !== "lora") return [];
  return [algorithm !== "LoRA" && algorithm, rank && `rank ${rank}`, weight && `weight ${weight}`];
}

// The words that make it show, best first: those that people wrote, its maker's, the most frequent ones of its training.
export function triggersOf({ activation_text: written, trigger = "", tags = [] }) {
  const told = words(written || trigger);
  return told.length ? told : tags.map(([tag]) => tag);
}

// Which one is chosen is not told by the list: it is this browser's.
export function markChosen(grid, chosen) {
  /** @type {NodeListOf<HTMLElement>} */
  const cards = grid.querySelectorAll("[data-model]");
  for (const card of cards) {
    const is = card.dataset.name === chosen;
    if (card.hasAttribute("data-chosen") === is) continue;
    card.toggleAttribute("data-chosen", is);
    setAttribute(card.querySelector("[data-act=use]"), "aria-pressed", card.querySelector("[data-act=use]") && String(is));
  }
}

function picture(model, name) {
  const box = make("div", { class: "sd-card-picture", style: `--hue: ${hue(model.family || model.kind)}` });
  box.append(make("span", { class: "sd-card-initial", "aria-hidden": "true" }, initial(model.family_label || (DRAWN.includes(model.kind) ? name : model.kind_label))));
  if (model.preview) box.append(make("img", { src: model.preview, alt: "", loading: "lazy", decoding: "async", draggable: "false" }));
  return box;
}

// Where its file is stands in the details: here the name below is enough.
function problem(model) {
  const file = model.filename.split(/[\\/]/).pop();
  const text = model.problem.replaceAll(model.filename, file);
  return make("div", { class: "sd-card-picture sd-card-problem", tabindex: 0, role: "note" }, make("b", {}, "Cannot be used"), make("p", {}, text));
}

function hash(model) {
  if (!model.sha256) return "";
  const short = model.sha256.slice(0, HASH_SHOWN);
  return make("button", { type: "button", class: "sd-card-hash", "data-copy": model.sha256, title: "Copy the whole SHA-256", "aria-label": `Copy the hash, ${short}` }, short);
}

function chips(model) {
  const all = triggersOf(model);
  if (!all.length) return [];
  const shown = all.slice(0, CHIPS_SHOWN).map((one) => make("button", { type: "button", class: "sd-chip", "data-copy": one, title: `Copy “${one}”` }, one));
  const more = all.length - shown.length;
  if (more > 0) shown.push(make("button", { type: "button", class: "sd-chip", "data-act": "details", title: "All trigger words" }, `+${more}`));
  return [make("div", { class: "sd-chips sd-card-words", role: "group", "aria-label": "Trigger words" }, ...shown)];
}

function buttons(model, name) {
  const use = DRAWN.includes(model.kind)
    ? make("button", { type: "button", class: "sd-small", "data-act": "use", "aria-pressed": "false", "aria-label": `Use ${name}`, disabled: Boolean(model.problem) }, "Use")
    : copying(model, name);
  const more = make("button", { type: "button", class: "sd-small sd-dots", "aria-haspopup": "menu", "aria-expanded": "false", "aria-label": `More for ${name}` }, "⋯");
  const items = [
    item("details", "Notes and details"),
    make("button", { type: "button", role: "menuitem", "data-copy": model.name }, "Copy the name"),
    item("picture", "Picture from the stage"),
    item("rename", "Rename"),
    item("delete", "Delete", { class: "sd-stop-item" }),
  ];
  const menu = make("div", { class: "sd-menu", role: "menu", hidden: true }, ...items);
  return make("div", { class: "sd-card-buttons" }, use, make("span", { class: "sd-menu-holder" }, more, menu));
}

// What a click on a card of A1111 puts into the prompt; of what no prompt calls for, its name.
function copying({ kind, insert, problem: wrong }, name) {
  const [copied, words] = insert && !wrong ? [insert, kind === "lora" ? "Copy tag" : "Copy word"] : [name, "Copy name"];
  return make("button", { type: "button", class: "sd-small", "data-copy": copied, title: insert || null, "aria-label": `${words}: ${name}` }, words);
}

const item = (name, text, attributes = {}) => make("button", { type: "button", role: "menuitem", "data-act": name, ...attributes }, text);

const initial = (label) => (Array.from(label.trim())[0] || "?").toUpperCase();

// Families are told apart by their colour too; where it is not known, there is none.
function hue(family) {
  let sum = 0;
  for (const letter of family) sum = (sum * 31 + letter.codePointAt(0)) % 360;
  return sum;
}
