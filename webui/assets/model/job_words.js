// What a job is called. Pure functions of what is known.

import { baseOf, gridWords, isGrid } from "./grid.js";
import { hiresSize } from "./hires.js";
import { TO, upscalersOf } from "./upscaling.js";

// The prompt, "" for none; of a job that needs none what it does.
export function titleOf(job) {
  const { request, kind } = job;
  if (kind === "extras") return upscalingOf(request);
  if (kind === "interrogate") return "Describe a picture";
  return request.prompt || firstLine(request.script_args?.prompt_txt) || "";
}

const firstLine = (text) => String(text || "").trim().split("\n")[0];

// The kind as people call it, "" for the usual one.
export function kindOf(job) {
  if (isGrid(job)) return [gridWords(job), kindOf({ kind: baseOf(job), request: job.request })].filter(Boolean).join(" of ");
  const { kind, request } = job;
  if (kind === "img2img") return isOutpaint(request) ? "outpaint" : request.mask ? "inpaint" : "img2img";
  if (kind === "txt2img") return request.firstpass_image ? "hires fix of a picture" : request.enable_hr ? "hires fix" : "";
  return kind || "";
}

const isOutpaint = (request) => ["left", "right", "top", "bottom"].some((side) => request[`outpaint_${side}`] > 0);

// The size that its pictures will have, {width, height} with null where that is not known.
export function finishedSize(job) {
  const { width, height, ...more } = { ...job.request, ...(job.resolved || {}) };
  const second = more.enable_hr && width && height ? hiresSize({ width, height, ...more }) : null;
  return second || { width: width || null, height: height || null };
}

// "Upscale 2× by 4x-UltraSharp", "Upscale to 1024 × 1024 by Lanczos, restore faces".
function upscalingOf(request) {
  const { resize_mode: mode, upscaling_resize: times, upscaling_resize_w: w, upscaling_resize_h: h } = request;
  const size = mode === 1 || mode === TO ? `to ${w} × ${h}` : `${times}×`;
  const by = upscalersOf(request);
  const faces = request.gfpgan_visibility > 0 || request.codeformer_visibility > 0;
  const deeds = [...(by.length ? [`upscale ${size} by ${by.join(" and ")}`] : []), ...(faces ? ["restore faces"] : [])];
  const words = deeds.join(", ") || "leave as it is";
  return words[0].toUpperCase() + words.slice(1);
}
