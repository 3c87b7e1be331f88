// Settings from outside: an infotext that is pasted, a picture that is dropped or pasted, the last picture, an earlier
// job. The server reads them (webui/takeover.py); here they are put into the fields, told of, and taken back.

import { openTab } from "../header/header.js";
import { ask } from "../live/rest.js";
import { make, press, pressWhenThere, setAttribute } from "../page/dom.js";

// A line of settings, in a time that grows with the text alone; the server looks more closely.
export const SETTINGS_LINE = /^[ \t]*Steps: ?\d+[ \t]*,[^:\n]*:[^,\n]*,[^:\n]*:/m;
const MOST_BYTES = 45 * 2 ** 20; // as base64 it must fit into a request
const PICTURES = /^image\/(png|jpeg|webp|avif|gif)$/;
const TEXTS = /^(text\/plain|application\/json)$/; // the side file of a picture, a graph of ComfyUI
const HEAD_BYTES = 2 ** 16;
const LONGEST = 200_000; // characters of an infotext; more than anybody writes, and a field with megabytes stands still
const SHOWN = 8; // of what was not taken over; the rest is counted

export class Takeover {
  source = null; // what the server is asked to read
  from = ""; // where that comes from, in words
  before = null; // what the fields showed before
  file = null; // the picture that was dropped or pasted last
  edited = null; // id of the job whose values were put into the fields, until they are sent

  constructor(tab) {
    this.tab = tab;
    document.addEventListener("click", (event) => this.clicked(event));
  }

  clicked(event) {
    const what = this.tab.find(event, "page", "button")?.dataset.take;
    if (what === "paste") this.fromPrompt();
    else if (what === "back") press(this.tab.id("take_back"));
    else if (what === "close") this.hide();
    else if (what === "template") this.tab.put(this.templates);
    else if (what === "start") this.tab.page.ways.start([this.file]);
    else if (what === "settings") this.picture(this.file);
  }

  // Something was pasted while this tab is in sight, or was the last one that was.
  pasted(event) {
    const { target, clipboardData: data } = event;
    const file = Array.from(data?.files || []).find((one) => one.type.startsWith("image/"));
    const text = data?.getData("text/plain") || "";
    const typing = !this.tab.isPrompt(target) && target.matches?.("input, textarea, [contenteditable]");
    if (typing || document.querySelector("dialog[open]")) return;
    if (text.length >= LONGEST) this.refuse(`What was pasted has ${text.length.toLocaleString("en")} characters: an infotext has less than ${LONGEST.toLocaleString("en")}, and a prompt at most 10,000.`);
    else if (SETTINGS_LINE.test(text)) this.take({ kind: "text", text }, "");
    else if (file && !text) this.picture(file);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // A1111's ↙: from the prompt where it holds an infotext, else from what was drawn last.
  fromPrompt() {
    const text = this.tab.promptField?.value || "";
    if (SETTINGS_LINE.test(text)) this.take({ kind: "text", text }, "");
    else this.take({ kind: "last" }, "your last picture");
  }

  // A picture was opened here to be worked on: where it holds settings too, they may be taken over.
  async offer(file) {
    this.file = file;
    if (await holdsSettings(file)) this.fill("quiet", `${file.name || "The picture"} holds settings too.`, [take("settings", "Take them over"), close()]);
  }

  async picture(file) {
    this.file = file;
    openTab(this.tab.prefix);
    const name = file.name || "the picture";
    if (!PICTURES.test(file.type) && !TEXTS.test(file.type)) {
      return this.refuse(`${name} is no picture of a kind that is read: use PNG, JPEG, WebP, AVIF or GIF.`);
    }
    if (file.size > MOST_BYTES) return this.refuse(`${name} is too large to be read: ${Math.round(file.size / 2 ** 20)} MiB.`);
    try {
      return this.takeInfo(await pictureInfo(file), name);
    } catch (error) {
      return this.refuse(String(error.message || error));
    }
  }

  // What a picture says was read already.
  takeInfo({ settings, parameters, program, left }, name) {
    this.take({ kind: "picture", settings, own: parameters, program, left }, name);
  }

  take(source, from) {
    this.source = source;
    this.from = from;
    if (source.kind !== "picture") this.file = null;
    openTab(this.tab.prefix);
    pressWhenThere(this.tab.id("take"));
  }

  takeFrom() {
    return JSON.stringify(this.source);
  }

  // The server has read it. Returns what the checkpoint and the fields show from now on.
  tookOver(told, shown) {
    if (!told.values) {
      this.refuse(told.problem || "This could not be read.");
      return {};
    }
    const { fields } = this.tab;
    this.edited = told.kind === "edit" ? this.source.job : null;
    this.before = shown;
    if (told.checkpoint) fields.last = told.checkpoint; // else the model's own defaults would come in their place
    fields.problems.clear();
    fields.sampling.wanted = null; // a schedule type that was chosen for other settings
    this.show(told);
    if (told.kind !== "send") this.tab.start.pictured.takeIn(told.values); // else it comes by itself
    const taken = Object.entries(told.values).filter(([, value]) => value !== null);
    return { ...Object.fromEntries(taken), checkpoint: told.checkpoint || shown.checkpoint };
  }

  takenBack() {
    const before = this.before;
    this.hide();
    this.edited = null;
    if (before) this.tab.fields.last = before.checkpoint;
    return before && { ...before, ...this.tab.start.pictured.takeBack() };
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
    const box = this.tab.part("taken");
    if (box) box.hidden = true;
  }

  refuse(words) {
    this.before = null;
    this.fill("bad", words, [...this.startButton, close()]);
  }

  // The picture that was asked for its settings may be worked on, too.
  get startButton() {
    const { ways } = this.tab.page;
    const fits = this.file && PICTURES.test(this.file.type) && !this.tab.takesPictures && ways.canStart;
    return fits ? [take("start", "Open in img2img")] : [];
  }

  show({ kind, waits, taken, left, values, templates }) {
    this.templates = templates;
    const template = templates ? [take("template", "Its template")] : [];
    const more = left.length ? [rest(left)] : [];
    if (!["edit", "send"].includes(kind) && left.length) more.unshift(make("p", { class: "sd-taken-list" }, `Taken over: ${taken.join(", ")}.`));
    const start = kind === "picture" ? this.startButton : [];
    const back = take("back", waits ? "Leave it as it is" : "Undo");
    this.fill("quiet", titleOf({ kind, waits, left, values }, this.from), [...start, ...template, back, close()], more);
  }

  fill(tone, words, buttons, more = []) {
    const box = this.tab.part("taken");
    if (!box) return;
    box.hidden = false;
    setAttribute(box, "data-tone", tone);
    box.replaceChildren(make("p", {}, words), make("span", { class: "sd-taken-buttons" }, ...buttons), ...more);
    box.scrollIntoView({ block: "nearest" });
  }
}

function titleOf({ kind, waits, left, values }, from) {
  if (kind === "send" && !("prompt" in values)) return "The picture is here. It holds no words that it was drawn from.";
  if (kind === "send") return "The picture is here, and in the fields its prompt, its steps and its seed.";
  if (waits) return "This job still waits. Generate puts the edited one in its place.";
  const of = from ? ` of ${from}` : "";
  return left.length ? `Settings${of} are in the fields, save for what is listed here.` : `All settings${of} are in the fields.`;
}

const take = (what, words) => make("button", { type: "button", class: "sd-small", "data-take": what }, words);
const close = () => make("button", { type: "button", class: "sd-small sd-close", "data-take": "close", "aria-label": "Close" }, "×");

function rest(left) {
  const rows = left.slice(0, SHOWN).map(([label, value, why]) => {
    const ended = /[.!?]$/.test(why) ? why : `${why}.`;
    return make("li", {}, make("b", {}, value ? `${label} ${value}` : label), `: ${ended}`);
  });
  if (left.length > SHOWN) rows.push(make("li", {}, `And ${left.length - SHOWN} more.`));
  return make("ul", { "aria-label": "Not taken over" }, ...rows);
}

// What the server reads out of a picture's file: see docs/api.md.
export const pictureInfo = async (file) => ask("POST", "/sdapi/v1/png-info", { image: await base64(file) });

// Chunks of text and EXIF stand at the beginning of a file.
async function holdsSettings(file) {
  const head = new TextDecoder("latin1").decode(await file.slice(0, HEAD_BYTES).arrayBuffer());
  return /parameters|steady|workflow|invokeai_metadata|sd-metadata|sui_image_params|S\0?t\0?e\0?p\0?s\0?:/.test(head);
}

async function base64(file) {
  const reader = new FileReader();
  reader.readAsDataURL(file);
  await new Promise((done, failed) => Object.assign(reader, { onload: done, onerror: () => failed(new Error(`${file.name} cannot be read.`)) }));
  return reader.result;
}
