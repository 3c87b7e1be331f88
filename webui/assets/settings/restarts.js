// Restarts of server and engine: shown while they wait, and taken back. The Settings tab asks for them.

import { clock, gigabytes } from "../model/format.js";
import { byId, make, setText } from "../page/dom.js";

export const MOMENTS = { "-after-image": "after this image", "-when-idle": "when nothing is drawn and nothing waits" };

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

const BUTTONS = { settings_restart_gradio: "server", settings_restart_engine: "engine" };
const DONE = { server: "Done: the server was replaced.", engine: "Done: the engine has started again." };

// What the server says to a restart is of the moment before it; once it is done the same line says that.
export class RestartAnswer {
  asked = null; // {kind, before}: the button that was pressed last, and who was there then

  constructor(state) {
    document.addEventListener("click", (/** @type {EventOn<HTMLElement>} */ event) => this.pressed(event.target.closest?.("button")?.id, state()), true);
  }

  pressed(id, state) {
    if (id in BUTTONS) {
      this.asked = { kind: BUTTONS[id], before: who(BUTTONS[id], state) };
      const line = answerLine(); // Gradio does not write anew what it believes to stand there
      if (line?.dataset.words) say(line, line.dataset.words, "quiet");
    } else if (["settings_submit", "settings_cancel_restart"].includes(id)) {
      this.asked = null;
    }
  }

  render(state) {
    const now = this.asked && who(this.asked.kind, state);
    if (!now || now === this.asked.before) return;
    const line = answerLine();
    const words = DONE[this.asked.kind];
    this.asked = null;
    if (line?.dataset.tone !== "quiet") return;
    line.dataset.words = line.textContent;
    say(line, words, "good");
  }
}

const answerLine = () => /** @type {HTMLElement} */ (byId("settings_result")?.querySelector(".sd-answer"));
const who = (kind, { instance, engine }) => (kind === "server" ? instance : engine?.status === "starting" ? null : engine?.pid);

function say(line, words, tone) {
  line.dataset.tone = tone;
  setText(line, words);
}
