// The small fields of a script's arguments: each has its argument's name in `data-arg`, and a home of A1111's id, at which
// is told what is wrong with it.

import { make } from "../page/dom.js";

// `at(name)` makes the id of an argument's home; a field may have one together with another one (`home`).
const homed = (at, { name, home = name }, classes, ...children) => make("div", { class: `sd-arg ${classes}`, id: at(home) }, ...children);

export const tick = (at, spec, value) =>
  homed(at, spec, "sd-arg-tick", make("label", { title: spec.title }, make("input", { type: "checkbox", "data-arg": spec.name, checked: Boolean(value) }), make("span", {}, spec.label)));

export function select(at, spec, options, value) {
  const list = make("select", { class: "sd-select", "data-arg": spec.name, "aria-label": spec.hidden ? spec.label : null });
  const named = options.map((one) => (Array.isArray(one) ? one : [one, one]));
  if (!named.some(([, own]) => own === value)) named.push([String(value), value]); // what is not known here is refused by its name
  for (const [words, own] of named) list.append(make("option", { value: own, selected: own === value }, words));
  return homed(at, spec, "sd-arg-select", labelled(spec, list));
}

export const text = (at, spec, value, more = {}) => {
  const area = make("textarea", { rows: 1, spellcheck: "false", autocomplete: "off", "data-arg": spec.name, "aria-label": spec.hidden ? spec.label : null, ...more });
  area.value = value ?? "";
  return homed(at, spec, "sd-arg-text", labelled(spec, area));
};

export const number = (at, spec, value) =>
  homed(at, spec, "sd-arg-number", labelled(spec, make("input", { type: "number", "data-arg": spec.name, min: spec.least ?? 0, max: spec.most, step: 1, value })));

const labelled = (spec, field) => (spec.hidden ? field : make("label", {}, make("span", {}, spec.label), field));

// What a field says.
export function saidBy(field) {
  if (field.type === "checkbox") return field.checked;
  if (field.type === "number") return field.value === "" ? 0 : Number(field.value);
  return field.value;
}

// The fields of a list of specifications, in its order.
export function fieldsOf(at, specs, args) {
  return specs.map((spec) => {
    const value = args[spec.name];
    if (spec.options) return select(at, spec, spec.options, value);
    if (typeof spec.value === "boolean") return tick(at, spec, value);
    return typeof spec.value === "number" ? number(at, spec, value) : text(at, spec, value);
  });
}
