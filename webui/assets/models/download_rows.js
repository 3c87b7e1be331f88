// One download as a row: how far it is, in words and as a bar, and what can be done with it.

import { duration } from "../model/format.js";
import { make, setAttribute, setText } from "../page/dom.js";
import { size } from "./cards.js";

const UNDER_WAY = { waiting: true, running: true, paused: true };
const MOST_CHOICES_OPEN = 6; // more of them are folded away

const button = (name, words, one, more = {}) => make("button", { type: "button", class: "sd-small", "data-download": name, "aria-label": `${words}: ${one.name}`, ...more }, words);

// What changes with each look is filled in by `renderRow`.
export function downloadRow(one) {
  const words = make(
    "div",
    { class: "sd-row-words" },
    make("span", { class: "sd-row-prompt", title: one.address }, one.name, make("span", { class: "sd-download-of" }, ` from ${one.repo}`)),
    make("span", { class: "sd-row-state", "data-status": one.status === "failed" && !one.choices.length ? "failed" : null }),
  );
  if (one.choices.length) words.append(choices(one));
  const buttons = make("div", { class: "sd-row-buttons" });
  if (["waiting", "running"].includes(one.status)) buttons.append(button("pause", "Pause", one), button("remove", "Cancel", one));
  else if (one.status === "done") buttons.append(button("remove", "OK", one));
  else {
    if (!one.choices.length) buttons.append(button("resume", "Resume", one, { class: "sd-small sd-go" }));
    buttons.append(button("remove", "Cancel", one));
  }
  const row = make("li", { class: "sd-row sd-download", "data-id": one.id, "data-status": one.status }, words, buttons);
  if (UNDER_WAY[one.status] || (one.status === "failed" && one.total_bytes)) {
    row.append(make("div", { class: "sd-row-bar", role: "progressbar", "aria-label": one.name, "aria-valuemin": 0, "aria-valuemax": 100 }));
  }
  return row;
}

export function renderRow(row, one, speed) {
  setText(row.querySelector(".sd-row-state"), state(one, speed));
  const bar = /** @type {HTMLElement | null} */ (row.querySelector(".sd-row-bar"));
  if (!bar) return;
  const share = one.total_bytes ? (100 * one.done_bytes) / one.total_bytes : 0;
  bar.style.setProperty("--filled", `${share.toFixed(2)}%`);
  setAttribute(bar, "aria-valuenow", Math.floor(share));
}

function state(one, speed) {
  const far = one.total_bytes ? `${size(one.done_bytes) || "0"} of ${size(one.total_bytes)}` : "";
  if (one.status === "done") return `Done, ${size(one.total_bytes)}. It lies in ${one.path}.`;
  if (one.status === "failed") return [one.message, far && `${far} is kept.`].filter(Boolean).join(" ");
  if (one.status === "paused") return [far ? `Paused at ${far}.` : "Paused.", one.message].filter(Boolean).join(" ");
  if (one.status === "waiting") return far ? `Waits for its turn · ${far}` : "Waits for its turn";
  if (one.phase === "placing") return "Is put in place …";
  if (one.phase === "waiting") return `${one.message.replace(/: check.*/, "")}: tried again in a moment · ${far}`;
  if (!far) return "Asks the Hub …";
  if (one.done_bytes >= one.total_bytes) return `${far} · is checked …`;
  const rest = speed ? `${size(speed)}/s · about ${duration((one.total_bytes - one.done_bytes) / speed)} left` : "";
  return [far, rest].filter(Boolean).join(" · ");
}

function choices(one) {
  const list = make("div", { class: "sd-chips", role: "group", "aria-label": `Files of ${one.repo}` });
  for (const { path, size: bytes } of one.choices) {
    list.append(make("button", { type: "button", class: "sd-chip", "data-download": "choose", "data-path": path }, `${path} · ${size(bytes)}`));
  }
  if (one.choices.length <= MOST_CHOICES_OPEN) return list;
  return make("details", {}, make("summary", {}, `Show all ${one.choices.length} files`), list);
}
