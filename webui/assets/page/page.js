// The whole page: what is known of the server (model/), shown by the tabs and by the bar at the top.

import { DrawingTab } from "../drawing/drawing_tab.js";
import { renderSituation } from "../drawing/situation.js";
import { Checkpoints } from "../fields/checkpoints.js";
import { Dropdowns } from "../fields/dropdowns.js";
import { Radios } from "../fields/radios.js";
import { ScheduleList } from "../fields/schedule_list.js";
import { openTab, renderHeader, wireHeader } from "../header/header.js";
import { renderTitle } from "../header/title.js";
import { Connection } from "../live/connection.js";
import { EarlierJobs } from "../live/earlier_jobs.js";
import { PausedJobs } from "../live/paused_jobs.js";
import { waitForTheServer } from "../live/resend.js";
import { ask, jobPath } from "../live/rest.js";
import { baseOf } from "../model/grid.js";
import { initial, reduce, stalledBeat } from "../model/model.js";
import { Models } from "../models/models.js";
import { PngInfo } from "../png_info/png_info.js";
import { Queue } from "../queue/queue.js";
import { Audit } from "../settings/audit.js";
import { OtherDevice } from "../settings/other_device.js";
import { renderProgram, RestartAnswer } from "../settings/restarts.js";
import { Settings } from "../settings/settings.js";
import { WhenDone } from "../settings/when_done.js";
import { byId, press, setAttribute, visible } from "./dom.js";
import { rememberTab, reopenTab } from "./last_tab.js";
import { wireLostPictures } from "./lost_pictures.js";
import { readOwner } from "./memory.js";
import { Menus } from "./menus.js";
import { PictureDrop } from "./picture_drop.js";
import { PictureWays } from "./picture_ways.js";
import { knows, lookForCounts } from "./reload.js";
import { refuseClosed, renderRights } from "./rights.js";

const OPEN_LIST_MS = 300;
const FILLED = ["steady_status", "steady_queue", "steady_models", "steady_device", "steady_when_done"];
const FILLED_IN_TABS = ["stage", "sizes", "res_switch_btn", "editor", "styles_edit_button"];

export class Page {
  drawings = new Map(); // by its prefix each DrawingTab
  facts = {}; // what the settings say about the page itself
  checkpoints = new Checkpoints();
  frame = false; // is what is known to be drawn with the next frame?

  constructor() {
    this.state = initial(readOwner());
    this.queue = new Queue(this);
    this.models = new Models(this);
    this.menus = new Menus();
    this.settings = new Settings();
    this.audit = new Audit();
    this.paused = new PausedJobs(this);
    this.earlier = new EarlierJobs(this);
    this.done = new WhenDone(this);
    this.restarts = new RestartAnswer(() => this.state);
    this.device = new OtherDevice(this.state.owner, () => this.render());
    new ScheduleList(() => Array.from(this.drawings.values(), (tab) => tab.fields.sampling));
    new Dropdowns();
    new Radios();
    this.ways = new PictureWays(this);
    this.pngInfo = new PngInfo(this);
    new PictureDrop(() => this.ways.list);
    wireHeader(() => this.render());
    refuseClosed();
    wireLostPictures();
    document.addEventListener("paste", (event) => this.ways.pasted(event), true);
    document.addEventListener("click", (event) => this.clicked(event));
    new MutationObserver(() => this.parts()).observe(document.body, { childList: true, subtree: true });
    const standing = (value) => this.dispatch({ type: "standing", standing: value });
    waitForTheServer(() => this.state.standing === "open");
    this.connection = new Connection(this.state.owner, (message) => this.hear(message), standing);
    setInterval(() => stalledBeat(this.state) && this.render(), 1000); // how long there was no sign of life
    this.parts();
    this.render();
  }

  // --- the tabs that draw

  drawing(prefix) {
    if (!this.drawings.has(prefix)) this.drawings.set(prefix, new DrawingTab(this, prefix));
    return this.drawings.get(prefix);
  }

  // The one in sight, or that was the last one in sight.
  get current() {
    const tabs = Array.from(this.drawings.values());
    this.last = tabs.find((tab) => visible(tab.part("page"))) || this.last || tabs[0];
    return this.last;
  }

  // The one that draws jobs of this kind. One that was not opened yet has nothing but its name.
  tabOf(job) {
    const kind = baseOf(job) === "interrogate" ? "extras" : baseOf(job); // which has the button for it
    const fits = (tab) => (tab?.section?.dataset.kind ?? tab?.prefix) === kind;
    return fits(this.current) ? this.current : Array.from(this.drawings.values()).find(fits) || this.current;
  }

  async showJob(id, index) {
    const job = await ask("GET", jobPath(id));
    const tab = this.tabOf(job);
    this.dispatch({ type: "show", job });
    openTab(tab.prefix);
    this.draw();
    const output = job.outputs.find((one) => one.index === index);
    if (output) tab.select(output.url);
  }

  edit(job) {
    this.tabOf(job).edit(job);
  }

  // A picture that a job has drawn goes to another tab, to be worked on there.
  sendTo(prefix, mode, output) {
    this.ways.send(prefix, mode, output).catch((error) => this.problem(String(error.message || error)));
  }

  problem(message) {
    this.current?.problem(message);
  }

  // --- what is known

  hear(message) {
    this.paused.hear(message);
    this.earlier.hear(message);
    if (message.type === "snapshot") {
      if (this.state.page !== null && message.page !== this.state.page) {
        location.reload(); // another page is served now; what was typed is kept
        return;
      }
      this.queue.changed();
      this.models.changed();
      this.modelsAre(message.models);
    } else if (message.type === "models") {
      this.models.changed();
      this.modelsAre(message.models);
    } else if (message.type === "event") {
      if (message.kind !== "image") this.queue.changed();
      if (message.kind === "settings") press("steady_reload_settings");
    }
    this.dispatch({ ...message, now: performance.now() });
  }

  // A token of the server's that is another one when models came, changed or went.
  modelsAre(token) {
    if (token && this.token && token !== this.token) {
      this.readModels();
      for (const tab of this.drawings.values()) tab.fields.script.plan.forget();
    }
    this.token = token || this.token;
  }

  // Not while the list is open: Gradio's loses its way when names go from under it.
  readModels() {
    clearTimeout(this.reading);
    const open = byId("setting_sd_model_checkpoint")?.querySelector("[aria-expanded=true]");
    if (open) this.reading = setTimeout(() => this.readModels(), OPEN_LIST_MS);
    else press("steady_reload_models");
  }

  dispatch(message) {
    const before = this.state;
    this.state = reduce(before, message);
    this.done.look(before, this.state);
    // What the user did is shown before the next event, which may be the second half of a double click.
    if (["pressed", "answered"].includes(message.type)) this.draw();
    else this.render();
  }

  know(facts, checkpoint) {
    this.facts = facts.page || {};
    this.checkpoints.know(facts);
    this.choseCheckpoint(checkpoint);
  }

  choseCheckpoint(name) {
    const chooser = byId("setting_sd_model_checkpoint");
    if (name !== this.checkpoints.chosen) for (const tab of this.drawings.values()) tab.fields.problems.edited(chooser); // what was said is of another one
    this.checkpoints.chosen = name;
    for (const tab of this.drawings.values()) tab.fields.choseCheckpoint(name);
    this.render();
  }

  // --- what is to be seen

  // At most once a frame; a hidden tab has no frames, and its title is to go on.
  render() {
    if (this.frame) return;
    this.frame = true;
    const later = document.hidden ? (run) => setTimeout(run, 250) : requestAnimationFrame;
    later(() => this.draw());
  }

  draw() {
    this.frame = false;
    const facts = { ...this.facts, model: this.checkpoints.model };
    if (knows(this.state)) renderSituation(this.state);
    for (const tab of this.drawings.values()) tab.render(facts);
    renderTitle(this.state, facts, this.done.title);
    renderHeader(this.state, [this.device.banner]);
    renderRights(this.state);
    this.device.render(this.state);
    renderProgram(this.state);
    this.restarts.render(this.state);
    this.queue.render(this.state);
    this.models.render();
    this.paused.read();
    this.earlier.read();
    this.settings.stands(this.state.standing);
  }

  // Gradio has put parts of the page in place: those that the scripts fill must be filled.
  parts() {
    lookForCounts();
    reopenTab();
    /** @type {NodeListOf<HTMLElement>} */
    const sections = document.querySelectorAll(".sd-stage[data-prefix]");
    const tabs = Array.from(sections, (section) => this.drawing(section.dataset.prefix));
    const seen = [...FILLED, ...tabs.flatMap((tab) => FILLED_IN_TABS.map(tab.id))];
    const key = seen.filter((id) => byId(id)).join();
    if (key === this.seen) return;
    this.seen = key;
    for (const tab of tabs) tab.fields.nameButtons();
    setAttribute(byId("refresh_sd_model_checkpoint"), "aria-label", "Look for checkpoints again");
    setAttribute(byId("refresh_sd_model_checkpoint"), "title", "Look for checkpoints again");
    this.done.render();
    window.steadyColours();
    this.render();
  }

  clicked(event) {
    rememberTab(event);
    if (event.target.closest?.("[role=tab]")) setTimeout(() => this.render(), 50);
  }
}
