// The strip of thumbnails: a place for each picture, the newest last and in sight.

import { batchAt, drawnNow, partOf } from "../model/batch.js";
import { gridWords } from "../model/grid.js";
import { shownJob, shownPreview, shownProgress, sizeOf, unfinished } from "../model/model.js";
import { placesOf } from "../model/strip_places.js";
import { make, setAttribute } from "../page/dom.js";
import { sampleOfGrid, thumbnail } from "./sample.js";

const INNER = 88; // per cent of a place that its picture takes, as the padding of stage.css leaves it
const MARGIN = 9; // px that a place in sight keeps from the strip's ends
const MARKED = ["partial", "skipped", "not drawn"];

// `shown` is the output on the stage, null while that follows what is being drawn.
export function renderStrip(tab, state, shown, facts) {
  const strip = tab.part("gallery");
  if (!strip) return;
  const preview = shownPreview(state);
  const drawn = drawnNow(state);
  const places = placesOf(state).map((place, i) => ({ ...place, number: i + 1, kind: kindOf(place, drawn, preview), id: idOf(place) }));
  const grid = tab.stage.gridJob(state);
  const key = JSON.stringify([places.map((place) => [place.id, place.kind]), shown?.url, grid?.id]);
  if (strip.dataset.key === key) return follow(strip, state, facts);
  strip.dataset.key = key;
  const focused = strip.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement).dataset.place : null;
  const known = new Map(Array.from(strip.children, (/** @type {HTMLElement} */ element) => [element.dataset.place, element]));
  const buttons = places.map((place) => {
    const button = known.get(place.id) || element(place);
    return place.index === null ? fillGrid(button, place, grid, state) : fill(button, place, grid ? GRID : shown);
  });
  for (const old of known.values()) if (!buttons.includes(old)) old.remove();
  buttons.forEach((button, i) => strip.children[i] === button || strip.insertBefore(button, strip.children[i] || null));
  if (focused !== null) /** @type {HTMLElement} */ (strip.querySelector(`[data-place="${focused}"]`))?.focus({ preventScroll: true });
  follow(strip, state, facts);
  bringIntoSight(strip, strip.querySelector("[aria-pressed=true]"));
}

// Scrolls the strip alone, whichever way it lies: the page stays where its reader is.
function bringIntoSight(strip, place) {
  if (!place) return;
  const [box, frame] = [place.getBoundingClientRect(), strip.getBoundingClientRect()];
  const past = (from, to, first, last) => Math.max(0, to + MARGIN - last) || Math.min(0, from - MARGIN - first);
  strip.scrollBy(past(box.left, box.right, frame.left, frame.right), past(box.top, box.bottom, frame.top, frame.bottom));
}

// The drawing goes on in its place while another picture is looked at. Each picture of a batch shows its part of the grid.
function follow(strip, state, { show_progress_grid: grid = true }) {
  const preview = shownPreview(state);
  const drawn = drawnNow(state);
  if (!preview || !drawn) return;
  const { width, height } = sizeOf(shownJob(state));
  for (const place of strip.querySelectorAll("[data-state=drawn]")) {
    const index = Number(place.dataset.index);
    const part = grid ? partOf(drawn, index, preview, shownProgress(state)) : null;
    const image = place.firstElementChild;
    if (!part && index !== preview.image) image.removeAttribute("src");
    else if (image.src !== preview.data) image.src = preview.data;
    image.dataset.part = part ? "yes" : "no";
    image.style.cssText = part ? cut(part, width / height || 1) : "";
  }
}

// The image is as large as the grid of which one part fits the place; the rest is cut off.
function cut({ column, row, columns, rows }, ratio) {
  const [width, height] = ratio > 1 ? [INNER, INNER / ratio] : [INNER * ratio, INNER];
  const inset = [row / rows, 1 - (column + 1) / columns, 1 - (row + 1) / rows, column / columns].map((share) => `${share * 100}%`);
  const left = (100 - width) / 2 - width * column;
  const top = (100 - height) / 2 - height * row;
  return `width:${width * columns}%;height:${height * rows}%;left:${left}%;top:${top}%;clip-path:inset(${inset.join(" ")} round 5px)`;
}

const GRID = { url: "" }; // a grid is on the stage, and no picture of the strip

// The place of a whole grid. That of the job on the stage follows what is drawn, an earlier one begins with its first picture.
function fillGrid(button, { job, kind }, grid, state) {
  if (button.dataset.state !== kind) {
    button.dataset.state = kind;
    button.dataset.grid = "";
    if (job.id !== state.shown) button.dataset.url = job.outputs[0].url;
    button.replaceChildren(sampleOfGrid(job), make("span", { class: "sd-sample-words" }, gridWords(job).replace(/ grid$/, "")));
  }
  setAttribute(button, "aria-label", `${gridWords(job)}, ${job.outputs.length} drawn`);
  setAttribute(button, "aria-pressed", String(grid?.id === job.id));
  return button;
}

// "skipped" and "not drawn" are places without a picture: those before what is or was drawn last, and the others of a job
// that ended, or that are not among those which are drawn again.
function kindOf({ job, index, output }, drawn, preview) {
  if (index === null) return `grid of ${job.outputs.length} ${Boolean(job.resolved)}`;
  if (output) return output.partial ? "partial" : "there";
  const now = drawn?.job === job.id ? drawn : null;
  if (now && preview && index >= now.first && index <= now.last) return "drawn";
  if (unfinished(job) && job.wanted && !job.wanted.includes(index)) return "not drawn";
  if (unfinished(job)) return now && index < now.first ? "skipped" : "awaited";
  return job.status === "done" || index < batchAt(job, job.image_index ?? 0).first ? "skipped" : "not drawn";
}

const idOf = ({ job, index }) => `${job.id}/${index}`;
const element = ({ id, index }) => make("button", { type: "button", "data-place": id, "data-index": index });

function fill(button, { number, kind, output }, shown) {
  if (button.dataset.state !== kind) {
    button.dataset.state = kind;
    if (output) button.dataset.url = output.url;
    button.disabled = !output && kind !== "drawn";
    setAttribute(button, "data-mark", MARKED.includes(kind) ? kind : null);
    const image = output ? { src: thumbnail(output), alt: "", loading: "lazy" } : { alt: "" };
    button.replaceChildren(...(button.disabled ? [] : [make("img", image)]));
  }
  const words = output ? saidOf(output) : `: ${kind === "drawn" ? "being drawn" : kind}`;
  button.setAttribute("aria-label", `Picture ${number}${words}`);
  const chosen = shown ? output?.url === shown.url : kind === "drawn";
  button.setAttribute("aria-pressed", chosen ? "true" : "false");
  return button;
}

// What was not drawn has no seed.
const saidOf = ({ seed, partial }) => `${seed < 0 ? "" : `, seed ${seed}`}${partial ? ", partial: stopped before it was done" : ""}`;

// The arrow keys walk from place to place, whichever way the strip lies.
export function wireStripKeys(tab) {
  document.addEventListener("keydown", (/** @type {KeyboardEvent & EventOn<HTMLElement>} */ event) => {
    /** @type {HTMLButtonElement | null} */
    const place = tab.find(event, "gallery", "button");
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!place || !step) return;
    event.preventDefault();
    const next = /** @type {HTMLButtonElement} */ (step > 0 ? place.nextElementSibling : place.previousElementSibling);
    if (!next || next.disabled) return;
    next.focus({ preventScroll: true });
    tab.select(next.dataset.url || null);
  });
}
