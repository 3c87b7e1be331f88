// The page's own part, beside Gradio: what is known of the server (model.js), shown.

import { Audit } from "./settings/audit.js";
import { Buttons } from "./drawing/buttons.js";
import { Connection } from "./live/connection.js";
import { byId, press } from "./page/dom.js";
import { renderJobLinks, wireJobLinks } from "./stage/job_links.js";
import { Fields } from "./fields/fields.js";
import { openTab, renderHeader, wireHeader } from "./header/header.js";
import { EarlierJobs } from "./live/earlier_jobs.js";
import { Inputs, randomId, readOwner } from "./page/memory.js";
import { wireLostPictures } from "./page/lost_pictures.js";
import { JobFolder } from "./stage/job_folder.js";
import { Menus } from "./page/menus.js";
import { initial, reduce, shownJob, stalledBeat } from "./model/model.js";
import { waitForTheServer } from "./live/resend.js";
import { OtherDevice } from "./settings/other_device.js";
import { PausedJobs } from "./live/paused_jobs.js";
import { scrollToStage } from "./stage/scroll_to_stage.js";
import { PictureActions } from "./stage/picture_actions.js";
import { renderProgress } from "./stage/progress.js";
import { Queue } from "./queue/queue.js";
import { countsAre, knows, lookForCounts } from "./page/reload.js";
import { ask, jobPath } from "./live/rest.js";
import { refuseClosed, renderRights } from "./page/rights.js";
import { renderProgram, RestartAnswer } from "./settings/restarts.js";
import { Settings } from "./settings/settings.js";
import { Stage } from "./stage/stage.js";
import { wireStripKeys } from "./stage/strip.js";
import { seedOf, Takeover } from "./fields/takeover.js";
import { WhenDone } from "./settings/when_done.js";

class Page {
  constructor() {
    this.state = initial(readOwner());
    this.facts = {}; // what the settings say about the page itself
    this.inputs = new Inputs();
    this.stage = new Stage();
    this.picture = new PictureActions(this);
    this.fields = new Fields(() => this.render());
    this.queue = new Queue(this);
    this.buttons = new Buttons(this);
    this.menus = new Menus();
    this.settings = new Settings();
    this.takeover = new Takeover(this);
    this.folder = new JobFolder((words) => this.problem(words));
    this.audit = new Audit();
    this.paused = new PausedJobs(this);
    this.earlier = new EarlierJobs(this);
    this.done = new WhenDone(this);
    this.restarts = new RestartAnswer(() => this.state);
    this.drawing = false;
    this.device = new OtherDevice(this.state.owner, () => this.render());
    wireHeader(() => this.render());
    refuseClosed();
    wireJobLinks(this);
    document.addEventListener("click", (event) => this.clicked(event));
    wireStripKeys((url) => this.select(url));
    wireLostPictures();
    new MutationObserver(() => this.parts()).observe(document.body, { childList: true, subtree: true });
    const standing = (value) => this.dispatch({ type: "standing", standing: value });
    waitForTheServer(() => this.state.standing === "open");
    this.connection = new Connection(this.state.owner, (message) => this.hear(message), standing);
    setInterval(() => stalledBeat(this.state) && this.render(), 1000); // how long there was no sign of life
    this.render();
  }

  hear(message) {
    this.paused.hear(message);
    this.earlier.hear(message);
    if (message.type === "snapshot") {
      if (this.state.page !== null && message.page !== this.state.page) {
        location.reload(); // another page is served now; what was typed is kept
        return;
      }
      this.queue.changed();
    } else if (message.type === "event") {
      if (message.kind !== "image") this.queue.changed();
      if (message.kind === "settings") press("steady_reload_settings");
    }
    this.dispatch({ ...message, now: performance.now() });
  }

  dispatch(message) {
    const before = this.state;
    this.state = reduce(before, message);
    this.done.look(before, this.state);
    // What the user did is shown before the next event, which may be the second half of a double click.
    if (["pressed", "answered"].includes(message.type)) this.draw();
    else this.render();
  }

  // At most once a frame; a hidden tab has no frames, and its title is to go on.
  render() {
    if (this.drawing) return;
    this.drawing = true;
    const later = document.hidden ? (run) => setTimeout(run, 250) : requestAnimationFrame;
    later(() => this.draw());
  }

  draw() {
    this.drawing = false;
    const facts = { ...this.facts, model: this.fields.model, told: this.done.title };
    if (knows(this.state)) this.buttons.render(this.state);
    renderProgress(this.state, facts);
    renderJobLinks(this.state);
    renderHeader(this.state, [this.device.banner]);
    renderRights(this.state);
    this.device.render(this.state);
    renderProgram(this.state);
    this.restarts.render(this.state);
    if (knows(this.state)) this.stage.render(this.state, facts);
    this.picture.render(this.state);
    this.folder.render(this.state.jobs[this.staged?.job] || shownJob(this.state));
    this.fields.renderSizes();
    this.queue.render(this.state);
    this.paused.read();
    this.earlier.read();
    this.settings.stands(this.state.standing);
  }

  // Gradio has put parts of the page in place: those that this file fills must be filled.
  parts() {
    lookForCounts();
    const seen = ["txt2img_stage", "steady_status", "steady_queue", "txt2img_sizes", "txt2img_res_switch_btn", "steady_device", "steady_when_done"];
    const key = seen.filter((id) => byId(id)).join();
    if (key === this.seen) return;
    this.seen = key;
    this.fields.nameButtons();
    this.done.render();
    window.steadyColours();
    this.render();
  }

  // The output on the stage; null while a preview is there.
  get staged() {
    return this.stage.preview(this.state) ? null : this.stage.output(this.state);
  }

  clicked(event) {
    const place = event.target.closest?.("#txt2img_gallery button");
    if (place) this.select(place.dataset.url || null);
    else if (event.target.closest?.("#txt2img_live")) this.follow(event);
    else if (event.target.dataset?.retry) this.buttons.ask(`${jobPath(event.target.dataset.retry)}/retry`, {});
    else if (event.target.dataset?.edit) this.edit(shownJob(this.state));
    else if (event.target.dataset?.origin) this.showJob(event.target.dataset.origin).catch((error) => this.problem(String(error.message || error)));
    else if (event.target.closest?.("[role=tab]")) setTimeout(() => this.render(), 50);
  }

  // A picture by its address; null: what is being drawn.
  select(url) {
    this.stage.select(url);
    this.render();
  }

  follow(event) {
    this.stage.select(null);
    this.draw();
    if (event.detail === 0) byId("txt2img_open").focus({ preventScroll: true }); // pressed by keyboard
  }

  async showJob(id, index) {
    const job = await ask("GET", jobPath(id));
    this.dispatch({ type: "show", job });
    openTab("txt2img");
    this.draw();
    const output = job.outputs.find((one) => one.index === index);
    if (output) this.select(output.url);
  }

  // Edit and draw anew: what the job was asked for is in the fields again.
  edit(job) {
    this.takeover.take({ kind: "edit", job: job.id }, "that job");
    requestAnimationFrame(() => byId("txt2img_prompt")?.querySelector("textarea")?.focus()); // in sight from then on
  }

  know({ checkpoints, page, schedules }, checkpoint) {
    this.facts = page || {};
    this.fields.know(checkpoints || {}, schedules || {});
    this.fields.chose(checkpoint);
    this.render();
  }

  problem(message, field = null) {
    this.fields.tell(message, field);
  }
}

// What Gradio's listeners (webui/tabs) call.
function api(page) {
  return {
    restore(names, values) {
      const restored = page.inputs.restore(names, values);
      countsAre(names, restored);
      page.fields.sizeIs(restored[names.indexOf("width")], restored[names.indexOf("height")]);
      return [...restored, page.state.owner];
    },
    remember(values) {
      const { names } = page.inputs;
      page.inputs.remember(values);
      if (names) page.fields.sizeIs(values[names.indexOf("width")], values[names.indexOf("height")]);
    },
    answered(json) {
      const answer = JSON.parse(json || "{}");
      if (answer.job) page.dispatch({ type: "answered", job: answer.job });
      page.buttons.answered(answer.job || null);
      if (answer.message) {
        page.takeover.refused();
        return page.problem(answer.message, answer.field);
      }
      page.takeover.accepted();
      if (answer.job?.id === page.state.shown) scrollToStage();
      page.fields.clear();
      return undefined;
    },
    // Why the server refused what a button asked for, as JSON; "" where it did not.
    refused(json) {
      if (!json) return;
      page.dispatch({ type: "pressed", pressed: null });
      page.problem(JSON.parse(json).message);
    },
    newJob: randomId,
    takeEdited: () => page.takeover.sends(),
    takeFrom: () => page.takeover.takeFrom(),
    tookOver: (names, json, values) => page.takeover.tookOver(names, json, values),
    takenBack: (values) => page.takeover.takenBack(values),
    choseSchedule: (schedule) => page.fields.choseSchedule(schedule),
    fitSchedule: (sampler, schedule) => page.fields.fitSchedule(sampler, schedule),
    settingsRead: (json, ...values) => page.settings.read(json, values),
    settingsChanged: (...values) => page.settings.changed(values),
    settingsUnsaved: () => page.settings.unsaved(),
    settingsAnswered: (html) => page.settings.answered(html),
    shownJob: () => page.state.shown || "",
    interrupting: () => `${page.state.pressed?.again ? "again" : "first"} ${page.state.shown || ""}`,
    shownSeed: (seed) => seedOf(page.picture.output) ?? seed,
    chosenSize: () => page.fields.size,
    chosenExample: () => page.fields.example,
    adoptDefaults: (...values) => page.fields.adoptDefaults(...values),
    choseCheckpoint: (name) => page.fields.chose(name),
    know: (json, checkpoint) => page.know(JSON.parse(json || "{}"), checkpoint),
    state: () => page.state,
  };
}

const page = new Page();
window.steady = api(page);
window.steadyIsReady(window.steady); // a promise in theme.py: Gradio may have finished first
