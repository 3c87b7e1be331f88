// One tab that draws: its fields, its buttons, its stage. Its elements have ids that begin with its prefix, so that there
// may be several (webui/tabs/drawing/).

import { Fields } from "../fields/fields.js";
import { Pictures } from "../fields/pictures.js";
import { Takeover } from "../fields/takeover.js";
import { jobPath } from "../live/rest.js";
import { shownJob } from "../model/model.js";
import { byId, pressWhenThere } from "../page/dom.js";
import { randomId } from "../page/memory.js";
import { knows } from "../page/reload.js";
import { Cards } from "../prompts/cards.js";
import { wireMarks } from "../prompts/marks.js";
import { Suggestions } from "../prompts/suggestions.js";
import { wireWeights } from "../prompts/weights.js";
import { JobFolder } from "../stage/job_folder.js";
import { renderJobLinks, wireJobLinks } from "../stage/job_links.js";
import { PictureActions } from "../stage/picture_actions.js";
import { renderProgress } from "../stage/progress.js";
import { scrollToStage } from "../stage/scroll_to_stage.js";
import { Stage } from "../stage/stage.js";
import { wireStripKeys } from "../stage/strip.js";
import { Start } from "../starting/start.js";
import { Buttons } from "./buttons.js";
import { RememberedFields } from "./remembered_fields.js";

export class DrawingTab {
  puts = {}; // values that scripts want in the fields

  // `page` knows the state of things, and what the settings and the checkpoints are.
  constructor(page, prefix) {
    this.page = page;
    this.prefix = prefix;
    this.memory = new RememberedFields(prefix);
    this.stage = new Stage(this);
    this.picture = new PictureActions(this);
    this.start = new Start(this);
    this.fields = new Fields(this);
    this.pictures = new Pictures(this);
    this.buttons = new Buttons(this);
    this.takeover = new Takeover(this);
    this.folder = new JobFolder(this);
    this.cards = new Cards(this);
    this.suggestions = new Suggestions(this);
    wireJobLinks(this);
    document.addEventListener("click", (event) => this.clicked(event));
    wireStripKeys(this);
    wireWeights(this);
    wireMarks(this);
  }

  get state() {
    return this.page.state;
  }

  // --- its elements

  id = (part) => `${this.prefix}_${part}`;
  part = (name) => byId(this.id(name));

  // Which part of this tab an element is, "" for none.
  partOf = (element) => (element?.id.startsWith(`${this.prefix}_`) ? element.id.slice(this.prefix.length + 1) : "");

  // The element that an event is about, if it is of this kind and lies in that part of the tab.
  find(event, part, selector) {
    const found = event.target.closest?.(selector);
    return found && this.part(part)?.contains(found) ? found : null;
  }

  // The element that says what kind of jobs this tab draws, and where its fields are.
  get section() {
    return /** @type {HTMLElement} */ (document.querySelector(`.sd-stage[data-prefix="${this.prefix}"]`));
  }

  isPrompt(element) {
    return ["prompt", "neg_prompt"].some((part) => this.part(part)?.contains(element));
  }

  get promptField() {
    return this.part("prompt")?.querySelector("textarea");
  }

  // --- what is to be seen

  render(facts) {
    const { state } = this;
    if (knows(state)) this.buttons.render(state);
    renderProgress(this, state);
    renderJobLinks(this, state);
    if (knows(state)) this.stage.render(state, facts);
    this.picture.render(state);
    this.folder.render(state.jobs[this.staged?.job] || shownJob(state));
    this.fields.renderSizes();
    for (const part of [this.fields.guidance, this.fields.hires, this.fields.upscaling]) part.render();
    this.fields.script.settle();
    this.pictures.show();
    this.start.render();
  }

  // The output on the stage; null while a preview is there.
  get staged() {
    return this.stage.preview(this.state) ? null : this.stage.output(this.state);
  }

  problem(message, field = null) {
    this.fields.problems.tell(message, field);
  }

  // --- what people do

  clicked(event) {
    const place = this.find(event, "gallery", "button");
    if (place) this.select(place.dataset.url || null);
    else if (this.find(event, "live", "button")) this.follow(event);
    else if (!this.find(event, "page", "[data-retry], [data-edit], [data-origin]")) return;
    else if (event.target.dataset.retry) this.buttons.ask(`${jobPath(event.target.dataset.retry)}/retry`, {});
    else if (event.target.dataset.edit) this.edit(shownJob(this.state));
    else if (event.target.dataset.origin) this.page.showJob(event.target.dataset.origin).catch((error) => this.problem(String(error.message || error)));
  }

  // A picture by its address; null: what is being drawn.
  select(url) {
    this.stage.select(url);
    this.page.render();
  }

  follow(event) {
    this.stage.select(null);
    this.page.draw();
    if (event.detail === 0) this.part("open").focus({ preventScroll: true }); // pressed by keyboard
  }

  // Is it one that starts from pictures? Then those that are dropped or pasted while it is in sight are for it.
  get takesPictures() {
    return this.start.there || Boolean(this.pictures.open);
  }

  takePictures(files) {
    if (!this.start.there) return void this.pictures.take(files);
    this.start.take(files);
    this.takeover.offer(files[0]);
  }

  // A picture that a job has drawn, to be worked on here; `mode` is the sub-tab.
  async receive(mode, output) {
    if (!this.start.there) return this.pictures.receive(output.url);
    this.takeover.take({ kind: "send", job: output.job, index: output.index }, "");
    await this.start.pictured.receive(output.url, mode);
  }

  // Values for fields, by their names.
  put(values) {
    Object.assign(this.puts, values);
    pressWhenThere(this.id("put"));
  }

  takePuts() {
    const values = this.puts;
    this.puts = {};
    return values;
  }

  // Generate was pressed. Returns what goes along with the fields; a promise while a picture is on its way. Where that
  // fails it is told, and by its rejection nothing is sent.
  begins() {
    const script = this.fields.script.there ? { script: this.fields.script.text } : {}; // a key ago Gradio knew less
    const about = { job: randomId(), retry_of: this.takeover.sends(), ...script };
    return this.start.there ? this.sends(about) : about;
  }

  async sends(about) {
    this.buttons.sending(true);
    try {
      return { ...about, ...(await this.start.send()) };
    } catch (error) {
      this.answered({ message: String(error.message || error), field: error.field || "init_images" });
      throw error;
    } finally {
      this.buttons.sending(false);
    }
  }

  // Edit and draw anew: what the job was asked for is in the fields again.
  edit(job) {
    this.takeover.take({ kind: "edit", job: job.id }, "that job");
    requestAnimationFrame(() => this.promptField?.focus()); // in sight from then on
  }

  // --- what the server answers

  // Generate was answered: with a job, or with why there is none.
  answered({ job = null, message, field }) {
    if (job) this.page.dispatch({ type: "answered", job });
    this.buttons.answered(job);
    if (message) {
      this.takeover.refused();
      if (["init_images", "mask"].includes(field)) this.start.editor?.refresh(); // where the server has lost it
      this.problem(message, field);
      return;
    }
    this.takeover.accepted();
    if (job?.id === this.state.shown) scrollToStage(this);
    this.fields.problems.clear();
  }

  refused(message) {
    this.page.dispatch({ type: "pressed", pressed: null });
    this.problem(message);
  }
}
