// The fields of a tab that hold pictures (webui/tabs/drawing/rows/pictures.py): each has a place that shows what is in it,
// and a text out of sight that names it. Here the two are kept together.

import { pictureUrl, uploadPicture } from "../live/inputs.js";
import { make, setAttribute, setText } from "../page/dom.js";

export const SINGLE = "Single picture"; // webui/tabs/extras.py
const SINGLE_FIELD = "image";
const MOST_TOLD = 3; // files of which it is told one by one what was wrong

export class Pictures {
  known = {}; // by the field's name the sources that were put into it, in order, until Gradio tells of them
  told = {}; // the values of the fields, as Gradio told them last
  size = null; // {width, height} of the single picture that is shown
  filling = new Set(); // fields into which files are on their way: what Gradio tells of them is of before

  constructor(tab) {
    this.tab = tab;
    document.addEventListener("change", (/** @type {EventOn<HTMLInputElement>} */ event) => this.chosen(event));
    document.addEventListener("click", (event) => this.clicked(event));
  }

  // The texts of the fields, for Gradio.
  get values() {
    return Object.fromEntries(this.places.map((place) => [place.dataset.picture, textOf(place, this.sources(place))]));
  }

  /** @returns {HTMLElement[]} */
  get places() {
    return Array.from(this.tab.part("page")?.querySelectorAll("[data-picture]") || []);
  }

  // The place that is in sight, which takes what is dropped or pasted; null: this tab has none.
  get open() {
    return this.places.find((place) => place.offsetParent !== null) || null;
  }

  // What the page remembers of the fields is in the texts: the places show it.
  valuesAre(fields, told) {
    this.told = fields;
    for (const name of Object.keys(told)) if (!this.filling.has(name)) delete this.known[name];
    this.show();
  }

  sources(place) {
    const name = place.dataset.picture;
    return this.known[name] || sourcesIn(place, this.told[name]);
  }

  show() {
    for (const place of this.places) this.render(place);
  }

  // A picture that a job has drawn, by its address: into the field that holds one, which may not be in the page yet.
  receive(url) {
    this.tab.put({ source: SINGLE, [SINGLE_FIELD]: url });
  }

  changed() {
    this.show();
    this.tab.put(this.values);
  }

  chosen({ target }) {
    const place = target.closest?.("[data-picture]");
    if (!place || target.type !== "file" || !this.places.includes(place)) return;
    const files = Array.from(target.files);
    target.value = ""; // the same file may be chosen again
    this.take(files, place);
  }

  // Uploads files, and puts them into the field: of one that holds one picture the first, into the others behind what is there.
  async take(files, place = this.open) {
    const name = place?.dataset.picture;
    if (!name || !files.length) return;
    const many = "many" in place.dataset;
    const wanted = many ? files : files.slice(0, 1);
    const faults = [];
    this.filling.add(name);
    for (const [i, file] of wanted.entries()) {
      this.say(place, wanted.length > 1 ? `Uploading ${i + 1} of ${wanted.length} …` : "Uploading …");
      try {
        const { name: source } = await uploadPicture(file);
        this.known[name] = many ? [...this.sources(place), source] : [source];
        if (many) this.render(place);
      } catch (error) {
        faults.push(`${file.name || "The picture"}: ${error.message || error}`);
      }
    }
    this.filling.delete(name);
    this.changed();
    const more = faults.length - MOST_TOLD;
    if (faults.length) this.say(place, [...faults.slice(0, MOST_TOLD), ...(more > 0 ? [`And ${more} more.`] : [])].join(" "), true);
    this.tab.fields.problems.edited(place);
  }

  say(place, words, wrong = false) {
    const line = place.querySelector(".sd-source-words");
    setText(line, words);
    setAttribute(line, "data-tone", words && wrong ? "bad" : null);
  }

  clicked(event) {
    const button = this.tab.find(event, "page", "[data-take-out]");
    const place = button?.closest("[data-picture]");
    if (!place) return;
    this.known[place.dataset.picture] = this.sources(place).filter((_, i) => i !== Number(button.dataset.takeOut));
    this.changed();
    place.querySelector("[data-take-out], input[type=file]")?.focus({ preventScroll: true });
  }

  render(place) {
    const sources = this.sources(place);
    const box = place.querySelector(".sd-source-shown");
    const key = JSON.stringify(sources);
    if (box.dataset.key === key) return;
    box.dataset.key = key;
    place.dataset.has = sources.length ? "yes" : "no";
    box.replaceChildren(...sources.map((source, i) => this.tile(place, source, i, sources.length)));
    if (sources.length) this.say(place, "many" in place.dataset ? `${sources.length} ${sources.length === 1 ? "picture" : "pictures"}` : "");
  }

  tile(place, source, i, count) {
    const image = make("img", { src: pictureUrl(source), alt: "", loading: count > 1 ? "lazy" : null, decoding: "async" });
    const one = count === 1 && !("many" in place.dataset);
    image.addEventListener("load", () => one && this.measured(place, image));
    image.addEventListener("error", () => this.say(place, "This picture is not there any more: choose it again.", true));
    const words = count > 1 ? `Take picture ${i + 1} out` : "Take the picture out";
    return make("span", {}, image, make("button", { type: "button", class: "sd-close", "data-take-out": i, "aria-label": words, title: words }, "×"));
  }

  measured(place, { naturalWidth: width, naturalHeight: height }) {
    this.size = { width, height };
    this.say(place, `${width} × ${height}`);
    this.tab.fields.upscaling.render();
  }
}

function textOf(place, sources) {
  if ("many" in place.dataset) return JSON.stringify(sources);
  return sources[0] || "";
}

function sourcesIn(place, text) {
  if (!("many" in place.dataset)) return text ? [String(text)] : [];
  try {
    const list = JSON.parse(text || "[]");
    return Array.isArray(list) ? list.map(String) : [];
  } catch {
    return []; // what was remembered is broken
  }
}
