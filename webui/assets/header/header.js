// The bar at the top: what the engine does, how long the queue is, and what is wrong.

import { duration, gigabytes } from "../model/format.js";
import { stalledBeat } from "../model/model.js";
import { stallWords } from "../model/words.js";
import { byId, logBox, make, press, setAttribute, setText } from "../page/dom.js";
import { read, write } from "../page/memory.js";
import { waitingWords } from "../settings/restarts.js";
import { swapColours } from "./colours.js";

const STATUS = { starting: "Engine starts", idle: "Ready", loading: "Loading", drawing: "Drawing", stopping: "Stopping" };

const READ_WARNING = "steady.warning"; // the words that were closed: they come back when they change
const dismissed = new Set();

// `others` are banners of other parts of the page, or null.
export function renderHeader(state, others = []) {
  const pill = byId("steady_status");
  if (!pill) return;
  const { tone, words, device } = status(state);
  pill.dataset.tone = tone;
  setText(pill.querySelector(".sd-words"), words);
  setText(pill.querySelector(".sd-device"), device || "");
  const instance = state.instance && state.standing === "open" ? state.instance.slice(0, 4) : "";
  setText(pill.querySelector(".sd-instance"), instance ? ` · server ${instance}` : "");
  setAttribute(pill, "title", more(state));
  setText(byId("steady_queue_pill"), `Queue ${state.queued}`);
  setAttribute(byId("steady_queue_pill"), "data-paused", state.paused ? "" : null);
  setAttribute(byId("steady_queue_pill"), "title", state.paused ? "The queue is paused. Open it" : "Open the queue");
  byId("steady_queue_pill").dataset.empty = state.queued ? "no" : "yes";
  renderBanners(byId("steady_banners"), [...others.filter(Boolean), ...banners(state)]);
}

// What there is no room for in the pill.
function more(state) {
  const limit = stalledBeat(state)?.recycle_after_seconds;
  const stalls = limit ? `The engine is ended after ${duration(limit)} without a sign; its job goes on after that.` : null;
  const instance = state.instance ? `Server instance ${state.instance}.` : null;
  return [stalls, waitingWords(state.supervisor?.waiting), instance].filter(Boolean).join(" ") || null;
}

function status(state) {
  if (state.standing === "lost") return { tone: "bad", words: "No connection" };
  if (state.standing === "reconnecting") return { tone: "waits", words: "Reconnecting …" };
  if (!state.instance) return { tone: "waits", words: "Connecting …" };
  const engine = state.supervisor?.engine;
  if (engine?.status === "given_up") return { tone: "bad", words: "Engine stopped" };
  if (engine?.status === "restarting") return { tone: "waits", words: "Engine starts again" };
  if (!state.engine) return { tone: "waits", words: "Engine starts" };
  const stalled = stalledBeat(state);
  if (stalled) {
    const words = stallWords(stalled, performance.now());
    return { tone: "stalls", words: words[0].toUpperCase() + words.slice(1) };
  }
  const tone = { starting: "waits", loading: "waits", drawing: "busy", stopping: "busy" }[state.engine.status] || "good";
  const device = state.engine.device ? [state.engine.device] : [];
  if (state.engine.memory_total_bytes && state.engine.memory_bytes > 2 ** 26) {
    device.push(`${gigabytes(state.engine.memory_bytes)} of ${gigabytes(state.engine.memory_total_bytes)} GB`);
  }
  if (state.supervisor?.waiting) device.push("restart waits");
  return { tone, words: STATUS[state.engine.status] || state.engine.status, device: device.map((part) => ` · ${part}`).join("") };
}

function banners(state) {
  const list = [];
  if (state.standing === "lost") {
    list.push({
      key: "lost",
      title: "The server does not answer.",
      text: "It is asked again every two seconds; what you typed is kept. If it was stopped, start it with python3 launch.py.",
    });
  }
  const { engine, server, swap } = state.supervisor || {};
  if (engine?.status === "given_up") {
    const text = `It ended ${engine.deaths} times in a row${engine.reason ? `, at last: ${engine.reason}` : ""}. Jobs wait in the queue.`;
    const refusal = state.rights?.commands; // no button that would be refused
    const actions = refusal ? [] : [{ label: "Start the engine", press: "steady_start_engine" }];
    list.push({ key: "engine", title: "The engine has stopped.", text: [text, refusal].filter(Boolean).join(" "), log: engine.log, actions });
  } else if (engine?.status === "restarting" && engine.reason) {
    list.push({ key: "engine", tone: "quiet", title: "The engine starts again.", text: `It ended: ${engine.reason}.` });
  }
  if (swap?.status === "failed") {
    const text = `The one before goes on${swap.reason ? `: ${swap.reason}` : ""}.`;
    list.push({ key: `swap-${swap.number}`, title: "The new server did not start.", text, log: server?.log, close: true });
  }
  const warning = state.rights?.warning;
  if (warning && read(READ_WARNING) !== warning) list.push({ key: READ_WARNING, tone: "calm", title: "", text: warning, close: true });
  for (const notice of state.notices) list.push({ key: `notice-${notice}`, title: "", text: String(notice), close: true });
  return list.filter((banner) => !dismissed.has(banner.key));
}

function renderBanners(box, list) {
  const key = JSON.stringify(list);
  if (!box || box.dataset.key === key) return;
  box.dataset.key = key;
  box.replaceChildren(...list.map(bannerElement));
}

function bannerElement(banner) {
  const words = make("div", { class: "sd-banner-words" }, make("b", {}, banner.title), ` ${banner.text}`);
  if (banner.log?.length) {
    words.append(make("details", {}, make("summary", {}, "Last lines of the log"), logBox(banner.log)));
  }
  const element = make("div", { class: "sd-banner", "data-tone": banner.tone || "bad" }, words);
  for (const { label, press: id, do: deed } of banner.actions || []) {
    element.append(make("button", { type: "button", "data-press": id, "data-do": deed }, label));
  }
  if (banner.close) element.append(make("button", { type: "button", "data-close": banner.key, "aria-label": "Close" }, "×"));
  return element;
}

export function wireHeader(rerender) {
  document.addEventListener("click", (/** @type {EventOn<HTMLElement>} */ event) => {
    const button = event.target.closest?.("button");
    if (!button) return;
    if (button.dataset.opens) openTab(button.dataset.opens);
    else if (button.id === "steady_colours") swapColours();
    else if (button.closest("#steady_banners, #settings_waiting") && button.dataset.press) press(button.dataset.press);
    else if (button.dataset.close) {
      dismissed.add(button.dataset.close);
      if (button.dataset.close === READ_WARNING) write(READ_WARNING, button.parentElement.textContent.replace(/×$/, "").trim());
      rerender();
    }
  });
}

export function openTab(name) {
  /** @type {HTMLElement | null} */
  const tab = document.querySelector(`[role=tab][data-tab-id="${name}"]`);
  tab?.click();
  tab?.scrollIntoView({ block: "nearest", inline: "nearest" }); // on a phone not all are in sight
}
