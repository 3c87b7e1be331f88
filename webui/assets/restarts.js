// Restarts of server and engine: asked for in the Settings tab, shown while they wait, and taken back there.

import { byId, make, setText } from "./dom.js";
import { ask } from "./rest.js";
import { clock, gigabytes } from "./words.js";

const WHEN = {
  now: "now",
  "after-image": "after this image",
  idle: "when nothing is drawn and nothing waits",
};
const DONE_BY = { "-after-image": WHEN["after-image"], "-when-idle": WHEN.idle };

export class Restarts {
  constructor() {
    document.addEventListener("click", (event) => {
      if (event.target.closest?.("#settings_waiting button")) this.cancel();
    });
  }

  // Returns what the tab says about it, as HTML for Gradio's component.
  async ask(what, when) {
    try {
      await ask("POST", `/sdapi/v1/${what}-restart`, { when });
    } catch (error) {
      return message("problem", String(error.message || error));
    }
    if (when !== "now") return message("quiet", `The ${what} restarts ${WHEN[when]}. Jobs are kept.`);
    return what === "server"
      ? message("quiet", "The server is being replaced. This page and a running job go on.")
      : message("quiet", "The engine starts again. The queue is kept, a running job goes on.");
  }

  async cancel() {
    const said = byId("settings_waiting")?.querySelector("span");
    try {
      await ask("POST", "/sdapi/v1/restart-cancel", {});
    } catch (error) {
      setText(said, String(error.message || error));
    }
  }

  render(state) {
    renderWaiting(byId("settings_waiting"), state.supervisor?.waiting);
    renderAbout(byId("steady_about"), state);
  }
}

export function waitingWords(waiting) {
  if (!waiting) return "";
  const what = waiting.command.includes("engine") ? "engine" : "server";
  const ending = Object.keys(DONE_BY).find((one) => waiting.command.endsWith(one));
  return `The ${what} restarts ${DONE_BY[ending] || "soon"}.`;
}

function renderWaiting(box, waiting) {
  const words = waitingWords(waiting);
  if (!box || box.dataset.key === words) return;
  box.dataset.key = words;
  box.hidden = !words;
  const button = make("button", { type: "button", class: "sd-small" }, "Do not restart");
  box.replaceChildren(...(words ? [make("span", {}, `${words} Asked for at ${clock(waiting.since)}.`), button] : []));
}

// Which processes this page talks to: the first thing to know when something is not as expected.
function renderAbout(list, state) {
  if (!list) return;
  const { engine, supervisor, instance } = state;
  const keeper = supervisor?.engine;
  const memory = engine?.memory_total_bytes ? `${gigabytes(engine.memory_bytes || 0)} of ${gigabytes(engine.memory_total_bytes)} GB` : null;
  const rows = [
    ["Server", instance ? `instance ${instance}` : "not connected"],
    ["Engine", [engine?.status || "starting", engine?.device, memory].filter(Boolean).join(" · ")],
    ["Engine’s last end", keeper?.reason || null],
  ].filter(([, words]) => words);
  const key = JSON.stringify(rows);
  if (list.dataset.key === key) return;
  list.dataset.key = key;
  list.replaceChildren(...rows.flatMap(([name, words]) => [make("dt", {}, name), make("dd", {}, words)]));
}

function message(tone, words) {
  return make("div", {}, make("p", { class: "sd-answer", "data-tone": tone, role: "status" }, words)).innerHTML;
}
