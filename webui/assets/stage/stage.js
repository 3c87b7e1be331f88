// The picture, or what stands in its place.

import { clock } from "../model/format.js";
import { isGrid, layoutOf, picturesOfGrid } from "../model/grid.js";
import { chainOf, shownJob, shownPreview, sizeOf, unfinished } from "../model/model.js";
import { FAILED } from "../model/statuses.js";
import { picturesOf } from "../model/strip_places.js";
import { noteWords } from "../model/words.js";
import { byId, logBox, make, setAttribute, setText } from "../page/dom.js";
import { StageGrid } from "./grid.js";
import { promptOf, renderInfotext } from "./infotext.js";
import { StageCompare } from "./stage_compare.js";
import { renderStrip } from "./strip.js";

export const FROM_ANOTHER = "Edited from an earlier job";
const CHIP = { type: "button", class: "sd-chip" };

export class Stage {
  // The address of the picture that the user chose in the strip; null follows what is being drawn.
  chosen = null;
  job = null; // the one that was on the stage
  wanted = ""; // the address last asked for; a slower, older decoding must not replace it

  constructor(tab) {
    this.tab = tab;
    this.compare = new StageCompare(tab);
    this.grid = new StageGrid(tab);
  }

  render(state, facts) {
    const job = shownJob(state);
    if (job?.id !== this.job?.id && !cameByItself(job, this.job)) this.chosen = null;
    this.job = job;
    const output = this.output(state);
    const preview = this.preview(state);
    const grid = this.gridJob(state);
    this.grid.render(state, grid, this.chosen ? output : null);
    if (grid) this.renderGrid(state, output);
    else this.renderPicture(state, job, output, preview);
    this.renderEmpty(job, output, facts);
    this.compare.render(state, preview || grid ? null : output);
    renderStrip(this.tab, state, preview ? null : output, facts);
    renderLive(this.tab.part("live"), this.chosen && !preview && grid?.id !== job?.id ? job : null);
    renderInfotext(byId(`html_info_${this.tab.prefix}`), this.tab.part("send"), { job, output, preview });
    renderNotes(this.tab.part("job_notes"), job);
  }

  // The job whose grid is on the stage: that of the picture that was chosen, else that of the job on the stage, while an own
  // one waits that of before; null for none.
  gridJob(state) {
    const own = shownJob(state);
    const output = this.chosen || own?.status === "queued" ? this.output(state) : null;
    const job = output?.job ? state.jobs[output.job] : own;
    return layoutOf(job) ? job : null;
  }

  // The preview on the stage: of what is being drawn, unless a picture was chosen. In a grid it stands in its cell.
  preview(state) {
    if (this.gridJob(state)) return null;
    return this.chosen && this.output(state)?.url === this.chosen ? null : shownPreview(state);
  }

  // The output on the stage: the chosen one; while drawing the newest; of a finished job the first; of a chain that was
  // stopped in between its last one; while an own job waits the one of before.
  output(state) {
    const chosen = this.chosen && picturesOf(state).find((one) => one.url === this.chosen);
    if (chosen) return chosen;
    const job = shownJob(state);
    if (job?.outputs.length) return unfinished(job) ? job.outputs.at(-1) : isGrid(job) ? picturesOfGrid(job)[0] : job.outputs[0];
    if (job?.status === "queued") return picturesOf(state).at(-1) || null;
    const links = job?.status === "interrupted" ? chainOf(state, job) : [];
    const link = links.findLast((one) => one.outputs.length);
    return link ? { ...link.outputs.at(-1), job: link.id } : null;
  }

  renderGrid(state, output) {
    const frame = this.tab.part("stage");
    if (!frame) return;
    const waits = shownJob(state)?.status === "queued"; // as after the engine's death: no cell shows what was drawn
    this.renderNote(state, waits ? null : shownPreview(state));
    frame.dataset.shows = "grid";
    setAttribute(this.tab.part("live_preview"), "alt", output ? promptOf(output.infotext) || "Picture" : "");
    this.tab.part("open").hidden = true;
  }

  // Words of what is being drawn.
  renderNote(state, preview) {
    const note = this.tab.part("note");
    const words = noteWords(state, preview);
    setText(note, words);
    setAttribute(note, "title", preview ? state.progress?.preview?.reason || null : null);
    note.hidden = !words;
  }

  renderPicture(state, job, output, preview) {
    const frame = this.tab.part("stage");
    if (!frame) return;
    const source = preview ? preview.data : output ? output.url : "";
    this.renderNote(state, preview);
    // Between a click and the first preview the last picture stays, dimmed: nothing blinks.
    const waits = !source && unfinished(job);
    const before = job?.follows ? "picture" : "before"; // the next link of a chain begins by itself, and dims nothing
    frame.dataset.shows = source ? (preview ? "preview" : "picture") : waits && this.wanted ? before : "nothing";
    const image = this.tab.part("live_preview");
    const alt = preview ? "Preview of the picture being drawn" : output ? promptOf(output.infotext) || "Picture" : "";
    setAttribute(image, "alt", alt);
    if (source) this.show(image, source, sizeOf(output ? { request: output } : job));
    else if (!waits) this.clear(image);
    this.tab.part("open").hidden = frame.dataset.shows === "nothing";
  }

  // The old picture stays until the new one is decoded.
  async show(image, source, { width, height }) {
    if (source === this.wanted) return;
    this.wanted = source;
    const next = new Image();
    next.src = source;
    try {
      await next.decode();
    } catch {
      if (this.wanted !== source) return;
      this.wanted = ""; // the next news try it again
      if (!image.src.startsWith("data:")) this.clear(image); // another picture would stand under this one's words
      return;
    }
    if (this.wanted !== source) return;
    image.src = source;
    const ratio = ratioOf(next, width / height);
    this.tab.part("stage").style.setProperty("--ratio", ratio.toFixed(4));
  }

  clear(image) {
    this.wanted = "";
    image.removeAttribute("src");
  }

  renderEmpty(job, output, facts) {
    const empty = this.tab.part("empty");
    const failed = job && FAILED.includes(job.status);
    const caption = job?.notes?.find((note) => note.kind === "caption")?.text;
    const bare = job && !failed && !unfinished(job) && !output && !job.follows;
    const key = JSON.stringify([failed && [job.id, job.error], caption, bare && job.status, !job && facts.model]);
    if (!empty || empty.dataset.key === key) return;
    empty.dataset.key = key;
    if (failed) {
      const words = job.error || "The log says why.";
      const title = job.status === "quarantined" ? "Set aside: it ended the engine twice" : "This job could not be drawn";
      empty.replaceChildren(make("strong", {}, title), make("p", {}, String(words)));
      if (job.log?.length) empty.append(logBox(job.log));
      const buttons = [make("button", { ...CHIP, "data-retry": job.id }, "Try again"), make("button", { ...CHIP, "data-edit": job.id }, "Edit")];
      empty.append(make("div", { class: "sd-chips" }, ...buttons));
    } else if (caption) {
      empty.replaceChildren(make("strong", {}, "What is on the picture"), make("p", {}, caption));
    } else if (bare) {
      const words = "A setting keeps what stopped pictures had become: Settings, “Keep partial images”.";
      empty.replaceChildren(make("strong", {}, "Stopped before the first picture was done"), make("p", {}, words));
    } else if (!job && facts.model) {
      const own = this.tab.section?.dataset.welcome;
      empty.replaceChildren(...(own ? [make("p", {}, own)] : welcome(facts.model)));
    } else {
      empty.replaceChildren();
    }
  }

  // A thumbnail was chosen; null is the place of what is being drawn, and follows the drawing again.
  select(url) {
    this.chosen = url;
  }
}

// The way back to the drawing, for who looks at a picture that is done.
function renderLive(button, job) {
  setAttribute(button, "hidden", unfinished(job) && job.status !== "paused" ? null : "");
}

// Did a job take the place of another without anybody asking for it at that moment? Then who looks at an earlier picture
// goes on looking at it.
const cameByItself = (job, before) => Boolean(job?.follows) || Boolean(before && job) && job.created_at < before.finished_at;

// The picture's own: a preview of several pictures is a grid. A small preview's is rounded, so what was asked counts there.
function ratioOf(image, asked) {
  const own = image.naturalWidth / image.naturalHeight;
  return Math.abs(own / asked - 1) < 0.04 ? asked : own;
}

function welcome(model) {
  const chips = model.examples.map((words) => make("button", { type: "button", class: "sd-chip", "data-example": words }, words));
  return [
    make("strong", {}, model.problem ? `${model.title} cannot be used` : `${model.title} is ready to draw`),
    make("p", {}, model.problem || `It draws pictures of ${model.width} × ${model.height}. Try one of these:`),
    make("div", { class: "sd-chips" }, ...(model.problem ? [] : chips)),
  ];
}

// What people should be told of a job: what it was made from, that it went on at some step, or was drawn with less memory.
function renderNotes(list, job) {
  const notes = job?.notes || [];
  const origin = job?.retry_of || null;
  const key = JSON.stringify([origin, notes]);
  if (!list || list.dataset.key === key) return;
  list.dataset.key = key;
  list.hidden = !notes.length && !origin;
  list.replaceChildren(...notes.map(({ at, text }) => make("li", {}, make("time", {}, clock(at)), text)));
  if (!origin) return;
  const show = make("button", { type: "button", class: "sd-text", "data-origin": origin }, "Show that one");
  list.prepend(make("li", {}, `${FROM_ANOTHER}. `, show));
}
