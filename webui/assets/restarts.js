// Restarts of server and engine: shown while they wait, and taken back. The Settings tab asks for them.

import { byId, make } from "./dom.js";
import { clock, gigabytes } from "./words.js";

const MOMENTS = { "-after-image": "after this image", "-when-idle": "when nothing is drawn and nothing waits" };

export function renderProgram(state) {
  renderWaiting(byId("settings_waiting"), state.supervisor?.waiting);
  renderAbout(byId("steady_about"), state);
}

export function waitingWords(waiting) {
  if (!waiting) return "";
  const what = waiting.command.includes("engine") ? "engine" : "server";
  const ending = Object.keys(MOMENTS).find((one) => waiting.command.endsWith(one));
  return `The ${what} restarts ${MOMENTS[ending] || "soon"}.`;
}

function renderWaiting(box, waiting) {
  const words = waitingWords(waiting);
  if (!box || box.dataset.key === words) return;
  box.dataset.key = words;
  box.hidden = !words;
  const button = make("button", { type: "button", class: "sd-small", "data-press": "settings_cancel_restart" }, "Do not restart");
  box.replaceChildren(...(words ? [make("span", {}, `${words} Asked for at ${clock(waiting.since)}.`), button] : []));
}

// Which processes this page talks to: the first thing to know when something is not as expected.
function renderAbout(list, state) {
  if (!list) return;
  const { engine, supervisor, instance, server } = state;
  const since = server ? `, process ${server.pid}, since ${clock(server.started_at)}` : "";
  const keeper = supervisor?.engine;
  const memory = engine?.memory_total_bytes ? `${gigabytes(engine.memory_bytes || 0)} of ${gigabytes(engine.memory_total_bytes)} GB` : null;
  const rows = [
    ["Server", instance ? `instance ${instance}${since}` : "not connected"],
    ["Engine", [engine?.status || "starting", engine?.device, memory].filter(Boolean).join(" · ")],
    ["Engine’s last end", keeper?.reason || null],
  ].filter(([, words]) => words);
  const key = JSON.stringify(rows);
  if (list.dataset.key === key) return;
  list.dataset.key = key;
  list.replaceChildren(...rows.flatMap(([name, words]) => [make("dt", {}, name), make("dd", {}, words)]));
}
