// How the picture on the stage was made, or will be, and what can be done with it.

import { isDrawn } from "../model/again.js";
import { titleOf } from "../model/job_words.js";
import { imageCount, unfinished } from "../model/model.js";
import { make, setAttribute } from "../page/dom.js";
import { linkTo } from "./viewer.js";

export function renderInfotext(info, actions, { job, output, preview }) {
  if (!info) return;
  const text = output && !preview ? output.infotext : "";
  const waiting = job && (preview || !output || unfinished(job)) ? asked(job) : "";
  const key = text || `…${waiting}`;
  allowSending(actions, Boolean(text));
  if (info.dataset.key === key) return;
  info.dataset.key = key;
  info.replaceChildren();
  if (text) {
    info.append(...withPrompt(text));
    linkTo(actions, output);
  } else if (waiting) {
    info.append(...withPrompt(waiting));
  } else {
    info.append("The settings of each picture are shown here and kept in its file.");
  }
}

function allowSending(box, on) {
  if (box.dataset.on === (on ? "yes" : "no")) return;
  box.dataset.on = on ? "yes" : "no";
  for (const button of box.querySelectorAll("button")) button.disabled = !on;
  for (const link of box.querySelectorAll("a")) {
    setAttribute(link, "aria-disabled", on ? null : "true");
    setAttribute(link, "tabindex", on ? null : "-1");
  }
}

export function promptOf(text) {
  const cut = text.search(/\n(Negative prompt: |Steps: |Postprocess )/);
  return cut < 0 ? (/^(Steps: |Postprocess )/.test(text) ? "" : text) : text.slice(0, cut);
}

// The infotext with its prompt set off.
function withPrompt(text) {
  const prompt = promptOf(text);
  return [make("b", {}, prompt), text.slice(prompt.length)];
}

// What is being drawn, in the words of the infotext that it will have.
function asked(job) {
  if (!isDrawn(job)) return titleOf(job);
  // Of several pictures each may have words of its own: then it is what they are made of.
  const prompt = job.resolved?.template && imageCount(job) > 1 ? job.request.prompt : (job.resolved?.prompt ?? job.request.prompt);
  const { steps, sampler_name, scheduler, cfg_scale, width, height } = { ...job.request, ...(job.resolved || {}) };
  const size = width && height ? `${width}x${height}` : null;
  const pairs = { Steps: steps, Sampler: sampler_name, "Schedule type": scheduler, "CFG scale": cfg_scale, Size: size };
  const known = Object.entries(pairs).filter(([, value]) => value !== null && value !== undefined);
  return `${prompt || ""}\n${known.map(([name, value]) => `${name}: ${value}`).join(", ")}`;
}
