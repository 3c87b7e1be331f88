// All that is known of a model, and what people write of it.

import { clock } from "../model/format.js";
import { copyText } from "../page/clipboard.js";
import { make, setText } from "../page/dom.js";
import { nameAndFolder, size } from "./cards.js";
import { openDialog } from "./questions.js";

// Resolves to the texts that were changed, null where none was. `refusal` is why this visitor may not change them.
export async function askForDetails(model, refusal) {
  const ofNetwork = "insert" in model;
  const fields = {
    activation_text: area("Trigger words", model.activation_text, 2, refusal),
    ...(ofNetwork ? { negative_text: area("Words for the negative prompt", model.negative_text, 1, refusal) } : {}),
    notes: area("Notes", model.notes, 5, refusal),
    description: area("Description", model.description, 2, refusal),
  };
  const { name } = nameAndFolder(model);
  const form = make("form", { method: "dialog" }, make("h2", {}, name), ...aboutProblem(model), factsOf(model));
  const weight = model.kind === "lora" ? numberField("Best weight (0: no word of it)", model.suggested_weight ?? 0, refusal) : null;
  if (weight) form.append(weight);
  for (const field of Object.values(fields)) form.append(field);
  if (refusal) form.append(make("p", {}, refusal));
  const close = make("button", { type: "submit", class: "sd-small", value: "" }, refusal ? "Close" : "Cancel");
  const keep = make("button", { type: "submit", class: "sd-small sd-go", value: "yes" }, "Save");
  form.append(make("div", { class: "sd-confirm-buttons" }, close, ...(refusal ? [] : [keep])));
  form.addEventListener("click", copied);
  const { dialog, closed } = openDialog(form, { label: name, wide: true });
  dialog.addEventListener("keydown", (event) => event.key === "Enter" && event.ctrlKey && !refusal && dialog.close("yes"));
  close.focus();
  if ((await closed) !== "yes") return null;
  const changes = {};
  for (const [key, field] of Object.entries(fields)) {
    const text = field.querySelector("textarea").value.trim();
    if (text !== model[key]) changes[key] = text;
  }
  const suggested = weight && Number(weight.querySelector("input").value);
  if (weight && suggested !== (model.suggested_weight ?? 0)) changes.suggested_weight = suggested;
  return Object.keys(changes).length ? changes : null;
}

const aboutProblem = ({ problem }) => (problem ? [make("p", { class: "sd-answer", "data-tone": "problem" }, problem)] : []);

function area(label, text, rows, refusal) {
  const field = make("textarea", { rows, class: "sd-field", maxlength: 20000, readonly: Boolean(refusal) }, text);
  return make("label", { class: "sd-labelled" }, make("span", {}, label), field);
}

function numberField(label, value, refusal) {
  const field = make("input", { type: "number", class: "sd-field", min: -10, max: 10, step: 0.05, value, readonly: Boolean(refusal) });
  return make("label", { class: "sd-labelled" }, make("span", {}, label), field);
}

const TAGS_SHOWN = 20;

// The words of its training pictures, each with how many had it.
function tagsOf({ tags = [] }) {
  if (!tags.length) return "";
  const chips = tags.slice(0, TAGS_SHOWN).map(([tag, count]) => make("button", { type: "button", class: "sd-chip", "data-copy-text": tag, title: `Copy “${tag}”, of ${count} pictures` }, tag));
  return make("span", { class: "sd-chips" }, ...chips);
}

function factsOf(model) {
  const list = make("dl", { class: "sd-about" });
  const facts = {
    Family: model.model_label,
    "In a prompt": model.insert && copying(model.insert),
    Alias: model.alias,
    Kind: model.algorithm,
    Rank: model.rank,
    Tokens: model.vectors,
    "Its maker's trigger": model.trigger && copying(model.trigger),
    "Words of its training": tagsOf(model),
    "Number format": model.number_format,
    Size: size(model.size_bytes),
    Changed: model.modified_at ? clock(model.modified_at) : "",
    "SHA-256": model.sha256 && copying(model.sha256),
    "Hash in infotext": model.network_hash && copying(model.network_hash),
    File: copying(model.filename),
  };
  for (const [name, value] of Object.entries(facts)) if (value) list.append(make("dt", {}, name), make("dd", {}, value));
  return list;
}

const copying = (text) => make("button", { type: "button", class: "sd-text sd-mono", "data-copy-text": text, title: "Copy" }, text);

async function copied(event) {
  const button = event.target.closest("[data-copy-text]");
  if (!button) return;
  await copyText(button.dataset.copyText);
  setText(button, "Copied");
  setTimeout(() => setText(button, button.dataset.copyText), 1200);
}
