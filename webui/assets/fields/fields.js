// The fields of the request: what is wrong with one is said beside it; chips and defaults follow the checkpoint.

import { byId, make, press, setAttribute, setText } from "../page/dom.js";
import { Dropdowns } from "./dropdowns.js";
import { read, write } from "../page/memory.js";
import { ScheduleList } from "./schedule_list.js";

const HOME = {
  prompt: "txt2img_prompt",
  negative_prompt: "txt2img_neg_prompt",
  steps: "txt2img_steps",
  cfg_scale: "txt2img_cfg_scale",
  sampler_name: "txt2img_sampling",
  sampler_index: "txt2img_sampling",
  scheduler: "txt2img_scheduler",
  width: "txt2img_width",
  height: "txt2img_height",
  n_iter: "txt2img_batch_count",
  batch_size: "txt2img_batch_size",
  seed: "txt2img_seed",
  override_settings: "setting_sd_model_checkpoint",
  sd_model_checkpoint: "setting_sd_model_checkpoint",
};
const NAMES = {
  txt2img_res_switch_btn: "Swap width and height",
  txt2img_random_seed: "Random seed for each picture",
  txt2img_pause: "Pause this job: it goes on later from where it was",
  txt2img_reuse_seed: "Reuse the seed of the picture shown",
  refresh_sd_model_checkpoint: "Look for checkpoints again",
};
const LAST_MODEL = "steady.checkpoint";
const TOLD_MS = 12000; // so long something stands that is wrong with no field
const ANY_SCHEDULE = "Automatic"; // goes with every sampler

export class Fields {
  schedules = {}; // by the sampler's name: the schedule types that go with it
  facts = {}; // by the checkpoint's name: title, native size, defaults, sizes, examples
  checkpoint = null;
  size = null;
  example = null;

  constructor(changed) {
    this.changed = changed;
    document.addEventListener("input", (event) => this.edited(event.target), true);
    document.addEventListener("click", (event) => this.check(event), true);
    document.addEventListener("click", (event) => this.clicked(event));
    new ScheduleList(() => this.possible); // before Dropdowns: what cannot be chosen is no choice
    new Dropdowns();
  }

  get model() {
    return this.facts[this.checkpoint] || null;
  }

  // Gradio's buttons have no name beyond the sign on them.
  nameButtons() {
    for (const [id, name] of Object.entries(NAMES)) {
      setAttribute(byId(id), "aria-label", name);
      setAttribute(byId(id), "title", name);
    }
    for (const id of ["txt2img_prompt", "txt2img_neg_prompt"]) setAttribute(byId(id)?.querySelector("textarea"), "dir", "auto");
    setAttribute(byId("txt2img_seed")?.querySelector("input"), "inputmode", "numeric");
  }

  know(checkpoints, schedules) {
    this.facts = checkpoints;
    this.schedules = schedules;
  }

  chose(name) {
    if (name !== this.checkpoint) this.edited(byId("setting_sd_model_checkpoint")); // what was said is of another one
    this.checkpoint = name;
    const last = read(LAST_MODEL);
    if (last === null) write(LAST_MODEL, name);
    else if (last !== name && this.facts[name]) press("txt2img_adopt_defaults");
    this.changed();
    return name;
  }

  // Values that were the last model's defaults become the new one's; what the user chose himself stays.
  adoptDefaults(name, ...values) {
    const keys = ["steps", "cfg_scale", "sampler_name", "scheduler", "width", "height"];
    const before = this.facts[read(LAST_MODEL)];
    const after = this.facts[name];
    write(LAST_MODEL, name);
    if (!after) return values;
    this.wanted = null;
    return values.map((value, i) => (!before || value === before[keys[i]] ? after[keys[i]] : value));
  }

  // --- sampler and schedule type

  // The schedule types that go with the sampler in the field; null while that is not known.
  get possible() {
    /** @type {HTMLInputElement | null} */
    const sampler = byId("txt2img_sampling")?.querySelector("[role=combobox]");
    return this.schedules[sampler?.value] || null;
  }

  // What was chosen comes back with the next sampler that it goes with.
  fitSchedule(sampler, schedule) {
    const possible = this.schedules[sampler];
    const wanted = this.wanted && schedule === ANY_SCHEDULE ? this.wanted : schedule;
    const fits = !possible || possible.includes(wanted);
    this.wanted = fits ? null : wanted;
    this.noteSchedule(fits ? "" : `${wanted} does not go with ${sampler}: ${ANY_SCHEDULE} is chosen.`);
    return fits ? wanted : ANY_SCHEDULE;
  }

  // A schedule type was chosen by hand, or came with settings from outside.
  choseSchedule(schedule) {
    if (schedule === ANY_SCHEDULE && this.wanted) return;
    this.wanted = null;
    this.noteSchedule("");
  }

  noteSchedule(words) {
    const home = byId("txt2img_scheduler");
    const note = home?.querySelector(".sd-said") || make("p", { class: "sd-said", role: "status" });
    if (home && !note.isConnected) home.append(note);
    setText(note, words);
  }

  // The size in the fields, which the chips compare themselves with.
  sizeIs(width, height) {
    this.now = { width, height };
    this.renderSizes();
  }

  renderSizes() {
    const box = byId("txt2img_sizes");
    if (!box) return;
    const sizes = this.model?.sizes || [];
    const key = JSON.stringify([this.checkpoint, sizes, this.now]);
    if (box.dataset.key === key) return;
    box.dataset.key = key;
    box.replaceChildren(...sizes.map((size) => this.chip(size)));
  }

  chip({ label, width, height }) {
    const on = this.now?.width === width && this.now?.height === height;
    const name = { type: "button", class: "sd-chip", "data-size": `${width}x${height}`, title: `${width} × ${height}` };
    return make("button", { ...name, "aria-pressed": on ? "true" : "false" }, label);
  }

  clicked(event) {
    const button = event.target.closest?.("button");
    if (button?.dataset.size) {
      this.size = button.dataset.size.split("x").map(Number);
      press("txt2img_size_chip");
    } else if (button?.dataset.example) {
      this.example = button.dataset.example;
      press("txt2img_example");
      const prompt = byId("txt2img_prompt")?.querySelector("textarea");
      prompt?.focus({ preventScroll: true }); // else a phone scrolls the stage away
    }
  }

  // --- what is wrong with a field

  // A number field shows what is no number and tells nobody: without this the model's own default would be drawn.
  check(event) {
    const button = event.target.closest?.("#txt2img_generate, #txt2img_generate_forever");
    /** @type {NodeListOf<HTMLInputElement>} */
    const numbers = document.querySelectorAll("#txt2img_page input[type=number]");
    const wrong = button && Array.from(numbers).find((one) => one.validity.badInput);
    if (!wrong) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const [field] = Object.entries(HOME).find(([, id]) => wrong.closest(`#${id}`)) || [null];
    this.tell("This is no number: use digits alone.", field);
  }

  tell(message, field) {
    this.clear();
    const id = HOME[field] || null;
    const home = byId(id) || byId("txt2img_actions");
    const words = make("p", { class: "sd-problem", role: "alert", id: `${home.id}_problem` }, message);
    if (id) {
      home.append(words);
      home.classList.add("sd-wrong");
      for (const input of home.querySelectorAll("input, textarea")) {
        input.setAttribute("aria-invalid", "true");
        input.setAttribute("aria-describedby", words.id);
      }
      const first = /** @type {HTMLElement} */ (home.querySelector("textarea, input[type=number], input"));
      first?.focus({ preventScroll: true });
      home.scrollIntoView({ block: "nearest", behavior: "smooth" });
    } else {
      home.after(words);
      setTimeout(() => words.remove(), TOLD_MS);
    }
  }

  clear() {
    for (const words of document.querySelectorAll("#txt2img_page .sd-problem, #steady_bar .sd-problem")) words.remove();
    for (const home of document.querySelectorAll(".sd-wrong")) {
      home.classList.remove("sd-wrong");
      for (const input of home.querySelectorAll("[aria-invalid]")) {
        input.removeAttribute("aria-invalid");
        input.removeAttribute("aria-describedby");
      }
    }
  }

  edited(target) {
    if (target?.closest?.(".sd-wrong")) this.clear();
  }
}
