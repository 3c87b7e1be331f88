// From a finished picture to another job: what is asked for. Pure functions of what is known.

import { isGrid } from "./grid.js";

export const VARIATIONS = 4;
// So much of the noise is another seed's: the picture is still to be recognised.
export const VARIATION_STRENGTH = 0.2;

// What every kind that draws has, and a second pass over a finished picture needs.
const DRAWN_WITH = [
  "prompt",
  "negative_prompt",
  "steps",
  "sampler_name",
  "scheduler",
  "cfg_scale",
  "distilled_cfg_scale",
  "shift",
  "refiner_checkpoint",
  "refiner_switch_at",
];

const NOT_DRAWN = ["extras", "interrogate"];

// Is it a job that draws from words? Else its pictures have no seed, and no second pass.
export const isDrawn = (job) => Boolean(job) && !NOT_DRAWN.includes(job.kind);

// Is what it asked for that of each of its pictures? Else another job cannot begin with it.
export const isOfOne = (job) => isDrawn(job) && !isGrid(job);

// What the job asked for, with the model that it was drawn with, whatever the settings say by now.
function asked(job) {
  const { request, resolved } = job;
  const overrides = { ...(request.override_settings || {}) };
  if (resolved?.checkpoint) overrides.sd_model_checkpoint = resolved.checkpoint;
  return { ...request, override_settings: overrides };
}

// The words of this picture, where wildcards and variants chose them by its seed: another seed would choose others.
function ownWords({ resolved }, { infotext = "" }) {
  if (!resolved?.template && !resolved?.negative_template) return {};
  const words = `\n${infotext}`.slice(0, `\n${infotext}`.lastIndexOf("\nSteps: "));
  const [prompt, negative = ""] = words.split(/\nNegative prompt: (.*)/s);
  return { prompt: prompt.trim(), negative_prompt: negative, styles: [], combinatorial: false };
}

// The same again with some of the noise of other seeds; `seed` is that of the picture. Of several pictures that a job
// began with, from the one that this came from.
export function variationsOf(job, output, seed) {
  const varied = { seed, subseed: -1, subseed_strength: VARIATION_STRENGTH };
  const request = { ...asked(job), ...ownWords(job, output), ...varied, n_iter: VARIATIONS, batch_size: 1 };
  const inits = request.init_images;
  if (Array.isArray(inits) && inits.length > 1) request.init_images = [inits[output.index % inits.length]];
  return { kind: job.kind, request };
}

// The second pass alone over this picture; `hires` are the values of its fields, `seed` is that of the picture.
export function secondPassOf(job, output, hires, seed) {
  const known = { ...asked(job), ...(job.resolved || {}), ...ownWords(job, output), override_settings: asked(job).override_settings };
  const shared = Object.fromEntries(DRAWN_WITH.filter((name) => known[name] !== undefined).map((name) => [name, known[name]]));
  const size = { width: output.width, height: output.height };
  const second = { ...hires, enable_hr: true, firstpass_image: output.url };
  return { kind: "txt2img", request: { ...shared, ...size, ...second, seed, override_settings: known.override_settings } };
}
