// What a script leads to, in words. Pure functions of what the server answered (webui/tabs/drawing/script_plan.py) and of
// what is known.

import { duration, plural } from "./format.js";
import { imageCount, isMine, sizeOf, unfinished } from "./model.js";

// "4 × 3 = 12 pictures, 2 models; about 3 min"; what is wrong, where the fields say no more than that.
export function planWords(answer, state) {
  if (!answer) return "Counting …";
  const { shape, pictures, models, problem } = answer;
  if (problem && !problem.field?.startsWith("script_args.")) return problem.message;
  if (problem || !pictures) return "";
  const sides = (shape || []).filter((side) => side > 1);
  const cells = sides.reduce((product, side) => product * side, 1);
  const each = cells > 0 && pictures % cells === 0 ? pictures / cells : 1;
  const factors = [...sides, ...(each > 1 ? [each] : [])];
  const sum = factors.length > 1 ? `${factors.join(" × ")} = ` : "";
  const pace = paceOf(state);
  const time = pace && answer.work ? `; about ${duration(pace * answer.work)}` : "";
  return `${sum}${plural(pictures, "picture", "pictures")}${models > 1 ? `, ${models} models` : ""}${time}`;
}

// How many seconds a step of a pixel takes, by what this browser has drawn last; null where nothing is known.
function paceOf(state) {
  const done = Object.values(state.jobs).filter((job) => isMine(state, job) && !unfinished(job) && job.status === "done" && job.started_at && job.outputs.length);
  const last = done.reduce((one, other) => (one && one.finished_at > other.finished_at ? one : other), null);
  if (!last) return null;
  const { width, height } = sizeOf(last);
  const steps = last.resolved?.steps || last.request.steps;
  const work = width && height && steps ? width * height * steps * imageCount(last) : 0;
  return work ? (last.finished_at - last.started_at) / work : null;
}
