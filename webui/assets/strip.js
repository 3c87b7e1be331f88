// The strip of thumbnails: a place for each picture, the newest last and in sight.

import { byId, make } from "./dom.js";
import { shownPreview, unfinished } from "./model.js";
import { placesOf } from "./series.js";

export const thumbnail = (output) => output.url.replace(/\.png$/, "/thumbnail");

// `shown` is the output on the stage, null while that follows what is being drawn.
export function renderStrip(state, shown) {
  const strip = byId("txt2img_gallery");
  if (!strip) return;
  const preview = shownPreview(state);
  const places = placesOf(state).map((place, i) => ({ ...place, number: i + 1, kind: kindOf(place, preview), id: idOf(place) }));
  const key = JSON.stringify([places.map((place) => [place.id, place.kind]), shown?.url]);
  if (strip.dataset.key === key) return;
  strip.dataset.key = key;
  const focused = strip.contains(document.activeElement) ? document.activeElement.dataset.place : null;
  const known = new Map(Array.from(strip.children, (element) => [element.dataset.place, element]));
  const buttons = places.map((place) => fill(known.get(place.id) || element(place), place, shown));
  for (const old of known.values()) if (!buttons.includes(old)) old.remove();
  buttons.forEach((button, i) => strip.children[i] === button || strip.insertBefore(button, strip.children[i] || null));
  if (focused !== null) strip.querySelector(`[data-place="${focused}"]`)?.focus();
  strip.querySelector("[aria-pressed=true]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

function kindOf({ job, index, output }, preview) {
  if (output) return "there";
  if (preview?.job === job.id && preview.image === index) return "drawn";
  return unfinished(job) ? "awaited" : "missing";
}

const idOf = ({ job, index }) => `${job.id}/${index}`;
const element = ({ id, index }) => make("button", { type: "button", "data-place": id, "data-index": index });

function fill(button, { number, kind, output }, shown) {
  if (button.dataset.state !== kind) {
    button.dataset.state = kind;
    if (output) button.dataset.url = output.url;
    button.disabled = kind === "awaited" || kind === "missing";
    const image = output ? { src: thumbnail(output), alt: "", loading: "lazy" } : { alt: "" };
    button.replaceChildren(...(button.disabled ? [] : [make("img", image)]));
  }
  const words = output ? `seed ${output.seed}${output.partial ? ", partial" : ""}` : kind;
  button.setAttribute("aria-label", output ? `Picture ${number}, ${words}` : `Picture ${number}: ${words}`);
  const chosen = shown ? output?.url === shown.url : kind === "drawn";
  button.setAttribute("aria-pressed", chosen ? "true" : "false");
  return button;
}
