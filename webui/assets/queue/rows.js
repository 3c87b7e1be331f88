// One row of the Queue tab for each job, by what it is now: drawn, waiting, paused or of the past.

import { clock, duration, short } from "../model/format.js";
import { finishedSize, kindOf, titleOf } from "../model/job_words.js";
import { isGrid, layoutOf } from "../model/grid.js";
import { imageCount, isMine } from "../model/model.js";
import { RETRIED } from "../model/statuses.js";
import { ended, pausedWords, seconds } from "../model/words.js";
import { logBox, make } from "../page/dom.js";
import { FROM_ANOTHER } from "../stage/stage.js";
import { sampleOfGrid, thumbnail } from "../stage/sample.js";

const THUMBNAILS_SHOWN = 6;
export const PRIORITIES = { High: 10, Normal: 0, Low: -10 };

const wordsOf = (job) => titleOf(job) || "(no prompt)";
const nameOf = (job) => short(wordsOf(job));
const act = (name, words, more = {}) => make("button", { type: "button", "data-act": name, class: "sd-small", ...more }, words);
const named = (job, words) => ({ "aria-label": `${words}: ${nameOf(job)}` });
const prompt = (job) => make("span", { class: "sd-row-prompt", title: job.request.prompt || null }, wordsOf(job));

export function runningRow(job, state) {
  const words = make("div", { class: "sd-row-words" }, prompt(job), make("span", { class: "sd-row-state" }));
  const stopping = job.requested === "interrupt" ? (job.stop_requests >= 2 ? "End the engine" : "Stopping …") : "Interrupt";
  const pausing = job.requested === "pause";
  const pause = act("pause", pausing ? "Pausing …" : "Pause", { ...named(job, "Pause"), disabled: pausing });
  const stop = act("interrupt", stopping, { ...named(job, stopping), class: "sd-small sd-stop" });
  const more = menu(job, [
    item("show", "Show"),
    item("skip", "Skip this image"),
    item("stop", "Stop after this image"),
    checked("forever", "Generate forever", job.forever),
  ]);
  const buttons = make("div", { class: "sd-row-buttons" }, pause, stop, more);
  const bar = make("div", { class: "sd-row-bar" });
  return make("div", { class: "sd-row", ...marks(job, state) }, pictures(job, beingDrawn()), words, buttons, bar);
}

export function waitingRow(job, state) {
  const grip = make("button", {
    type: "button",
    class: "sd-grip",
    "aria-label": `Move ${nameOf(job)}`,
    "aria-describedby": "steady_queue_hint",
    title: "Drag, or move with the arrow keys",
  });
  const words = make("div", { class: "sd-row-words" }, prompt(job), make("span", {}, kind(job, state)));
  const priorities = Object.entries(PRIORITIES).map(([name, value]) =>
    item("priority", `${name} priority`, { role: "menuitemradio", "aria-checked": job.priority === value, "data-value": value }),
  );
  const more = menu(job, [
    item("front", "Move to the front", { class: "sd-narrow" }),
    item("pause", "Pause"),
    ...priorities,
    checked("forever", "Generate forever", job.forever),
    item("edit", "Edit"),
    item("remove", "Cancel", { class: "sd-narrow sd-stop-item" }),
  ]);
  const buttons = make(
    "div",
    { class: "sd-row-buttons" },
    act("front", "To the front", { ...named(job, "Move to the front"), class: "sd-small sd-wide" }),
    act("remove", "Cancel", { ...named(job, "Cancel"), class: "sd-small sd-wide" }),
    more,
  );
  return make("li", { class: "sd-row", ...marks(job, state) }, grip, make("span", { class: "sd-row-place" }), words, buttons);
}

export function pausedRow(job, state) {
  const line = [pausedWords(job), kind(job, state)].filter(Boolean).join(" · ");
  const words = make("div", { class: "sd-row-words" }, prompt(job), make("span", { class: "sd-row-state" }, line));
  const buttons = make(
    "div",
    { class: "sd-row-buttons" },
    act("resume", "Resume", { ...named(job, "Resume"), class: "sd-small sd-go" }),
    act("interrupt", "Cancel", { ...named(job, "Cancel"), class: "sd-small sd-stop" }),
    menu(job, [item("show", "Show"), item("edit", "Edit a copy")]),
  );
  return make("li", { class: "sd-row", ...marks(job, state) }, pictures(job, ...keptPreview(job)), words, buttons);
}

// The preview that was kept when the job was paused; there may be none.
function keptPreview(job) {
  if (!job.preview) return [];
  const image = make("img", { src: job.preview, alt: "", loading: "lazy" });
  image.addEventListener("error", () => image.remove());
  return [image];
}

export function pastRow(job, state) {
  const { phase } = ended(job);
  const took = seconds(job);
  const error = job.error ? String(job.error) : null;
  const line = [kindOf(job), phase, took === null ? null : duration(took), job.finished_at ? clock(job.finished_at) : null];
  const words = make("div", { class: "sd-row-words" }, prompt(job));
  words.append(make("span", { class: "sd-row-state", "data-status": job.status }, line.filter(Boolean).join(" · ")));
  if (error) words.append(make("span", { class: "sd-row-state", "data-status": job.status }, error));
  for (const note of job.notes || []) words.append(make("span", { class: "sd-row-state" }, note.text));
  if (job.retry_of) {
    const show = make("button", { type: "button", class: "sd-text", "data-act": "show", "data-of": job.retry_of }, "Show that one");
    words.append(make("span", { class: "sd-row-state" }, `${FROM_ANOTHER}. `, show));
  }
  if (job.log?.length) {
    const summary = make("summary", {}, "Last lines of the engine's log");
    words.append(make("details", { class: "sd-row-log" }, summary, logBox(job.log)));
  }
  const buttons = make("div", { class: "sd-row-buttons" });
  if (RETRIED.includes(job.status)) buttons.append(act("retry", "Try again", named(job, "Try again")));
  if (job.outputs.length) buttons.append(act("show", "Show", named(job, "Show")));
  buttons.append(act("edit", "Edit", named(job, "Edit and draw anew")), menu(job, ofThePast(job)));
  return make("li", { class: "sd-row", ...marks(job, state) }, pictures(job), words, buttons);
}

function ofThePast(job) {
  const count = job.outputs.length;
  const items = [item("forget", "Remove from the list")];
  if (count) items.push(item("delete", count === 1 ? "Delete with its picture" : `Delete with its ${count} pictures`, { class: "sd-stop-item", "data-count": count }));
  if (count > 1) items.unshift(item("save-all", `Save all ${count} pictures`));
  if (job.folder) items.unshift(item("folder", "Open the folder", { title: job.folder }));
  return items;
}

const marks = (job, state) => ({ "data-job": job.id, "data-mine": isMine(state, job) ? "yes" : "no" });

// What the job will draw, and what is special about it.
function kind(job, state) {
  const { width, height } = finishedSize(job);
  const n = imageCount(job);
  const level = Object.entries(PRIORITIES).find(([, value]) => value === job.priority)?.[0] || `${job.priority}.`;
  const parts = [
    kindOf(job),
    isGrid(job) && !layoutOf(job) ? null : n === 1 ? "1 picture" : `${n} pictures`, // of a grid known once it has begun
    width && height ? `${width} × ${height}` : null,
    job.priority ? `${level.toLowerCase()} priority` : null,
    job.forever ? "for ever" : null,
    job.retry_of ? FROM_ANOTHER.toLowerCase() : null,
    isMine(state, job) ? null : "from elsewhere",
  ];
  return parts.filter(Boolean).join(" · ");
}

const item = (name, words, more = {}) =>
  make("button", { type: "button", role: "menuitem", "data-act": name, ...more, "aria-checked": said(more) }, words);
const said = (more) => ("aria-checked" in more ? String(Boolean(more["aria-checked"])) : null);
const checked = (name, words, on) => item(name, words, { role: "menuitemcheckbox", "aria-checked": Boolean(on) });

function menu(job, items) {
  const button = make(
    "button",
    { type: "button", class: "sd-small sd-dots", "aria-haspopup": "menu", "aria-expanded": "false", ...named(job, "More for") },
    "⋯",
  );
  return make("span", { class: "sd-menu-holder" }, button, make("div", { class: "sd-menu", role: "menu", hidden: true }, ...items));
}

// Shows the preview, which the Queue tab puts into it as it comes.
function beingDrawn() {
  const words = "Show the picture that is being drawn";
  return make("button", { type: "button", "data-act": "show", "data-drawn": true, "aria-label": words }, make("img", { alt: "" }));
}

function pictures(job, ...first) {
  const box = make("span", { class: "sd-row-pictures" }, ...first);
  if (isGrid(job) && job.outputs.length) {
    const sample = make("button", { type: "button", "data-act": "show", "aria-label": "Show the grid" }, sampleOfGrid(job));
    box.append(sample);
    return box;
  }
  const shown = THUMBNAILS_SHOWN - first.length;
  for (const output of job.outputs.slice(0, shown)) {
    const image = make("img", { src: thumbnail(output), alt: "", loading: "lazy" });
    const words = `Show picture ${output.index + 1}${output.partial ? ", partial" : ""}`;
    box.append(make("button", { type: "button", "data-act": "show", "data-index": output.index, "aria-label": words }, image));
  }
  const more = job.outputs.length - shown;
  if (more > 0) box.append(make("span", { class: "sd-row-more" }, `+${more}`));
  return box;
}
