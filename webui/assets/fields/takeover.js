// Settings from outside: an infotext that is pasted, a picture that is dropped or pasted, the last picture, an earlier
// job. The server reads them (webui/takeover.py); here they are put into the fields, told of, and taken back.

import { byId, make, press, setAttribute } from "../page/dom.js";
import { openTab } from "../header/header.js";
import { write } from "../page/memory.js";
import { ask } from "../live/rest.js";

const SETTINGS_LINE = /^\s*Steps: ?\d+\s*,.*:.*,.*:/m; // the server looks more closely
const MOST_BYTES = 45 * 2 ** 20; // as base64 it must fit into a request
const PICTURES = /^image\/(png|jpeg|webp)$/;
const LONGEST = 200_000; // characters of an infotext; what is longer is pasted as it is
const SHOWN = 8; // of what was not taken over; the rest is counted

// As text: a number of a browser ends at 2^53.
export const seedOf = (output) => output && (/(?:^|, )Seed: (\d+)/m.exec(output.infotext || "")?.[1] ?? String(output.seed));

export class Takeover {
  source = null; // what the server is asked to read
  from = ""; // where that comes from, in words
  before = null; // what the fields showed before
  edited = null; // id of the job whose values were put into the fields, until they are sent

  // `page` knows the fields.
  constructor(page) {
    this.page = page;
    this.drop = new Drop((file) => this.picture(file));
    document.addEventListener("paste", (event) => this.pasted(event), true);
    document.addEventListener("click", (event) => this.clicked(event));
  }

  clicked(event) {
    const what = event.target.closest?.("button")?.dataset.take;
    if (what === "paste") this.fromPrompt();
    else if (what === "back") press("txt2img_take_back");
    else if (what === "close") this.hide();
  }

  pasted(event) {
    const { target, clipboardData: data } = event;
    const file = Array.from(data?.files || []).find((one) => one.type.startsWith("image/"));
    const text = data?.getData("text/plain") || "";
    const inPrompt = Boolean(target.closest?.("#txt2img_prompt, #txt2img_neg_prompt"));
    const typing = !inPrompt && target.matches?.("input, textarea, [contenteditable]");
    if (typing || document.querySelector("dialog[open]")) return;
    if (SETTINGS_LINE.test(text) && text.length < LONGEST) this.take({ kind: "text", text }, "");
    else if (file && !text) this.picture(file);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // A1111's ↙: from the prompt where it holds an infotext, else from what was drawn last.
  fromPrompt() {
    const text = byId("txt2img_prompt")?.querySelector("textarea").value || "";
    if (SETTINGS_LINE.test(text)) this.take({ kind: "text", text }, "");
    else this.take({ kind: "last" }, "your last picture");
  }

  async picture(file) {
    openTab("txt2img");
    const name = file.name || "the picture";
    if (!PICTURES.test(file.type)) return this.refuse(`${name} is no picture of a kind that is read: use PNG, JPEG or WebP.`);
    if (file.size > MOST_BYTES) return this.refuse(`${name} is too large to be read: ${Math.round(file.size / 2 ** 20)} MiB.`);
    try {
      const { items, parameters } = await ask("POST", "/sdapi/v1/png-info", { image: await base64(file) });
      return this.take({ kind: "picture", items: kept(items), own: parameters }, name);
    } catch (error) {
      return this.refuse(String(error.message || error));
    }
  }

  take(source, from) {
    this.source = source;
    this.from = from;
    openTab("txt2img");
    press("txt2img_take");
  }

  takeFrom() {
    return JSON.stringify(this.source);
  }

  // The server has read it. Returns what the checkpoint and the fields show from now on.
  tookOver(names, json, [checkpoint, ...values]) {
    const told = JSON.parse(json || "{}");
    const stay = [checkpoint, ...values];
    if (!told.values) {
      this.refuse(told.problem || "This could not be read.");
      return stay;
    }
    this.edited = told.kind === "edit" ? this.source.job : null;
    this.before = stay;
    if (told.checkpoint) write("steady.checkpoint", told.checkpoint); // else the model's own defaults would come in their place
    this.page.fields.clear();
    this.page.fields.wanted = null; // a schedule type that was chosen for other settings
    this.show(told);
    return [told.checkpoint || checkpoint, ...names.map((name, i) => told.values[name] ?? values[i])];
  }

  takenBack(values) {
    const before = this.before;
    this.hide();
    this.edited = null;
    if (!before) return values;
    write("steady.checkpoint", before[0]);
    return before;
  }

  // The fields are sent. Returns the id of the job that they replace, "" for none.
  sends() {
    this.sent = this.edited;
    this.edited = null;
    return this.sent || "";
  }

  // They were not accepted: they may be mended and sent again.
  refused() {
    this.edited ??= this.sent;
  }

  // What was asked for with these settings is in the queue.
  accepted() {
    this.hide();
  }

  hide() {
    this.before = null;
    const box = byId("txt2img_taken");
    if (box) box.hidden = true;
  }

  refuse(words) {
    this.before = null;
    this.fill("bad", words, [close()]);
  }

  show({ kind, waits, taken, left }) {
    const from = this.from ? ` of ${this.from}` : "";
    const title = waits
      ? "This job still waits. Generate puts the edited one in its place."
      : left.length
        ? `Settings${from} are in the fields, save for what is listed here.`
        : `All settings${from} are in the fields.`;
    const more = left.length ? [rest(left)] : [];
    if (kind !== "edit" && left.length) more.unshift(make("p", { class: "sd-taken-list" }, `Taken over: ${taken.join(", ")}.`));
    this.fill("quiet", title, [back(waits ? "Leave it as it is" : "Undo"), close()], more);
  }

  fill(tone, words, buttons, more = []) {
    const box = byId("txt2img_taken");
    if (!box) return;
    box.hidden = false;
    setAttribute(box, "data-tone", tone);
    box.replaceChildren(make("p", {}, words), make("span", { class: "sd-taken-buttons" }, ...buttons), ...more);
    box.scrollIntoView({ block: "nearest" });
  }
}

const back = (words) => make("button", { type: "button", class: "sd-small", "data-take": "back" }, words);
const close = () => make("button", { type: "button", class: "sd-small sd-close", "data-take": "close", "aria-label": "Close" }, "×");

function rest(left) {
  const rows = left.slice(0, SHOWN).map(([label, value, why]) => {
    const ended = /[.!?]$/.test(why) ? why : `${why}.`;
    return make("li", {}, make("b", {}, value ? `${label} ${value}` : label), `: ${ended}`);
  });
  if (left.length > SHOWN) rows.push(make("li", {}, `And ${left.length - SHOWN} more.`));
  return make("ul", { "aria-label": "Not taken over" }, ...rows);
}

// What the server needs of a picture's text chunks: these whole, of others the beginning says whose they are.
function kept(items = {}) {
  const longest = (key) => (["parameters", "Comment", "Description"].includes(key) ? 100_000 : 200);
  const short = Object.entries(items).map(([key, value]) => [key, String(value).slice(0, longest(key))]);
  return Object.fromEntries(short.slice(0, 40));
}

async function base64(file) {
  const reader = new FileReader();
  reader.readAsDataURL(file);
  await new Promise((done, failed) => Object.assign(reader, { onload: done, onerror: () => failed(new Error(`${file.name} cannot be read.`)) }));
  return reader.result;
}

// A picture that is dragged over the page may be dropped anywhere on it.
class Drop {
  inside = false; // what is dragged comes from this page

  constructor(dropped) {
    this.dropped = dropped;
    this.veil = make("div", { class: "sd-drop", hidden: true }, make("p", {}, "Drop the picture: its settings go into the fields."));
    document.body.append(this.veil);
    document.addEventListener("dragstart", () => (this.inside = true), true);
    document.addEventListener("dragend", () => (this.inside = false), true);
    for (const name of ["dragenter", "dragover", "dragleave", "drop"]) document.addEventListener(name, (event) => this[name](event), true);
  }

  // A file from elsewhere. The browser would leave the page for it, so it is taken also where nothing is done with it.
  brings(event) {
    return !this.inside && Array.from(event.dataTransfer?.types || []).includes("Files");
  }

  wants(event) {
    return this.brings(event) && !document.querySelector("dialog[open]");
  }

  dragenter(event) {
    if (this.wants(event)) this.veil.hidden = false;
  }

  dragover(event) {
    if (!this.brings(event)) return;
    event.preventDefault();
    event.stopPropagation();
    event.dataTransfer.dropEffect = this.wants(event) ? "copy" : "none";
  }

  dragleave(event) {
    if (!event.relatedTarget) this.veil.hidden = true; // it has left the window
  }

  drop(event) {
    this.veil.hidden = true;
    if (!this.brings(event)) return;
    event.preventDefault();
    event.stopPropagation();
    const file = event.dataTransfer.files[0];
    if (file && this.wants(event)) this.dropped(file);
  }
}
