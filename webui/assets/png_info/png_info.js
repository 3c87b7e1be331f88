// The PNG Info tab: what a picture's file says, whatever program wrote it, and the ways to go on with it. All of it is put
// into the page as text.

import { pictureInfo, SETTINGS_LINE } from "../fields/takeover.js";
import { openTab } from "../header/header.js";
import { copyText } from "../page/clipboard.js";
import { byId, make, setAttribute, setText, visible, whenThere } from "../page/dom.js";

const MOST_BYTES = 45 * 2 ** 20; // as base64 it must fit into a request
const LONGEST_SHOWN = 600; // letters of a value; the whole one comes when it is opened
const COPIED_MS = 1500;

export const PNG_INFO = "png_info"; // the id of its tab

export class PngInfo {
  file = null; // what is shown
  info = null; // what the server read out of it
  asked = 0; // the number of the newest question: an older answer is dropped

  constructor(page) {
    this.page = page;
    document.addEventListener("click", (event) => this.clicked(event));
    document.addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("change", (/** @type {EventOn<HTMLInputElement>} */ event) => event.target.id === "pnginfo_file" && this.picked(event.target));
  }

  get inSight() {
    return visible(byId("pnginfo"));
  }

  // --- ways in

  picked(field) {
    const [file] = field.files;
    field.value = ""; // the same file may be chosen again
    if (file) this.read(file);
  }

  // Returns whether what was pasted is for this tab.
  pasted(event) {
    const { target, clipboardData: data } = event;
    if (!this.inSight || target.matches?.("input, textarea, [contenteditable]") || document.querySelector("dialog[open]")) return false;
    const text = data?.getData("text/plain") || "";
    const file = Array.from(data?.files || []).find((one) => one.type.startsWith("image/"));
    if (!file && !SETTINGS_LINE.test(text)) return false;
    event.preventDefault();
    event.stopPropagation();
    this.read(file || new File([text], "Pasted text", { type: "text/plain" }));
    return true;
  }

  key(event) {
    if (event.target.id === "pnginfo_image" && ["Enter", " "].includes(event.key)) {
      event.preventDefault();
      byId("pnginfo_file").click();
    }
  }

  async read(file) {
    openTab(PNG_INFO);
    await whenThere("pnginfo");
    const asked = ++this.asked;
    this.file = file;
    this.info = null;
    this.picture(file);
    try {
      if (file.size > MOST_BYTES) throw new Error(`${file.name} is too large to be read: ${Math.round(file.size / 2 ** 20)} MiB.`);
      const info = await pictureInfo(file);
      if (asked === this.asked) this.show(info);
    } catch (error) {
      if (asked === this.asked) this.show(null, String(error.message || error));
    }
  }

  // --- what is to be seen

  picture(file) {
    const image = /** @type {HTMLImageElement} */ (byId("pnginfo_picture"));
    URL.revokeObjectURL(image.src);
    const shows = file.type.startsWith("image/");
    image.hidden = !shows;
    if (shows) image.src = URL.createObjectURL(file);
    else image.removeAttribute("src");
    image.alt = shows ? file.name : "";
    setText(byId("pnginfo_empty").querySelector("b"), shows ? "" : file.name);
    byId("pnginfo_empty").hidden = shows;
  }

  show(info, problem = "") {
    this.info = info;
    byId("pnginfo_found").hidden = false;
    const words = problem ? this.file.name : titleOf(info, this.file);
    setText(byId("pnginfo_title"), words);
    setText(byId("pnginfo_said"), problem || words);
    byId("pnginfo_problem").hidden = !problem;
    setText(byId("pnginfo_problem"), problem);
    byId("pnginfo_text").hidden = !info?.info;
    setText(byId("pnginfo_infotext"), info?.info || "");
    byId("pnginfo_models").replaceChildren(...part("Models", (info?.models || []).map(modelLine)));
    byId("pnginfo_left").replaceChildren(...part("Has no place here", (info?.left || []).map(leftLine)));
    byId("pnginfo_rows").replaceChildren(...table(info?.rows || []));
    this.showButtons();
  }

  showButtons() {
    const picture = this.file.type.startsWith("image/");
    const settings = Boolean(this.info && (this.info.settings || "steps" in this.info.parameters));
    byId("pnginfo_send").hidden = !picture && !settings;
    setText(byId("pnginfo_send").querySelector("span"), settings ? "Use these settings in" : "Open the picture in");
    for (const button of byId("pnginfo_send").querySelectorAll("button")) {
      const { pnginfo: way } = button.dataset;
      button.hidden = way === "txt2img" ? !settings : !picture && (way !== "img2img" || !settings);
    }
  }

  // --- ways on

  clicked(event) {
    const button = event.target.closest?.("[data-pnginfo]");
    const way = button?.dataset.pnginfo;
    if (way === "copy") this.copy(button);
    else if (way) this.go(way).catch((error) => this.page.problem(String(error.message || error)));
    const cut = event.target.closest?.("#pnginfo_rows [data-whole]");
    if (cut) this.whole(cut);
  }

  async copy(button) {
    await copyText(this.info.info);
    setAttribute(button, "data-copied", "");
    setText(button, "Copied");
    setTimeout(() => {
      setAttribute(button, "data-copied", null);
      setText(button, "Copy");
    }, COPIED_MS);
  }

  whole(button) {
    const [, value] = this.info.rows[Number(button.dataset.whole)];
    button.parentElement.replaceChildren(value);
  }

  // The settings go into the fields, and into all tabs but txt2img the picture before them.
  async go(way) {
    const { file, info, page } = this;
    const prefix = way === "inpaint" ? "img2img" : way;
    const tab = page.drawing(prefix);
    if (way === "extras") return void (await page.ways.open(prefix, [file]));
    openTab(prefix);
    await whenThere(tab.id("stage"));
    const settings = Boolean(info.settings || "steps" in info.parameters);
    if (tab.start.there && file.type.startsWith("image/")) {
      const opens = () => tab.start.open(file, way);
      await (settings ? tab.start.quietly(opens) : opens());
    }
    if (settings) tab.takeover.takeInfo(info, file.name);
  }
}

function titleOf({ program, rows, info }, file) {
  if (program) return `${file.name}: settings of ${program}`;
  if (rows.length) return info ? `${file.name}: a text, and no settings` : `${file.name}: no settings that are known`;
  return `${file.name} says nothing about how it was made`;
}

function part(title, lines) {
  return lines.length ? [make("h3", {}, title), make("ul", {}, ...lines)] : [];
}

function modelLine({ kind, name, hash, here }) {
  const named = [name, hash && `[${hash}]`].filter(Boolean).join(" ");
  const same = here && here.replace(/\.[a-z]+$/, "") === name;
  const state = here ? (same ? "you have it" : `you have it as ${here}`) : "you do not have it";
  return make("li", { "data-here": here ? "yes" : "no" }, make("b", {}, kind), ` ${named} `, make("span", { class: "sd-chip" }, state));
}

function leftLine([label, value, why]) {
  return make("li", {}, make("b", {}, label), value ? ` ${value}: ` : ": ", `${why}.`);
}

function table(rows) {
  if (!rows.length) return [];
  const lines = rows.map(([key, value, place], i) => make("tr", {}, make("th", { scope: "row" }, key), valueCell(value, i), make("td", {}, place)));
  const titles = ["Key", "Value", "Where it stands"].map((title) => make("th", { scope: "col" }, title));
  return [make("h3", {}, "Everything found"), make("table", {}, make("thead", {}, make("tr", {}, ...titles)), make("tbody", {}, ...lines))];
}

function valueCell(value, i) {
  if (value.length <= LONGEST_SHOWN) return make("td", { dir: "auto" }, value);
  const more = make("button", { type: "button", class: "sd-text", "data-whole": i }, `all ${value.length.toLocaleString("en")} letters`);
  return make("td", { dir: "auto" }, `${value.slice(0, LONGEST_SHOWN)} … `, more);
}
