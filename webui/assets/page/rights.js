// What this visitor may do, as the server says it: what would be refused is not offered, and the reason is there to read.

import { byId, make, setAttribute, setText } from "./dom.js";

const COMMANDS = ["settings_restart_gradio", "settings_restart_engine", "settings_restart_when"];

export function renderRights({ rights }) {
  if (!rights) return;
  for (const id of COMMANDS) close(byId(id), rights.commands);
  close(byId("settings_submit"), rights.settings);
  close(byId("steady_queue_pause"), rights.others);
  for (const section of document.querySelectorAll("#steady_settings .sd-section:has(.sd-setting)")) {
    setAttribute(section, "inert", rights.settings ? "" : null);
  }
  setAttribute(byId("steady_audit"), "inert", rights.audit ? "" : null);
  document.documentElement.dataset.visitor = rights.guest ? "guest" : "known";
  setText(byId("settings_rights"), rights.settings || rights.commands || "");
  renderUser(byId("steady_user"), rights.user);
}

// Gradio's `disabled` would take the focus and the tooltip away; clicks are caught in `refuseClosed`.
function close(element, reason) {
  if (!element) return;
  setAttribute(element, "aria-disabled", reason ? "true" : null);
  setAttribute(element, "title", reason);
  setAttribute(element, "data-closed", reason ? "" : null);
}

export function refuseClosed() {
  const stop = (event) => {
    if (!event.target.closest?.("[data-closed]")) return;
    event.stopPropagation();
    event.preventDefault();
  };
  for (const kind of ["click", "keydown", "pointerdown", "mousedown"]) {
    document.addEventListener(kind, (/** @type {KeyboardEvent} */ event) => (event.key === "Tab" ? undefined : stop(event)), true);
  }
}

function renderUser(box, user) {
  if (!box || box.dataset.key === String(user)) return;
  box.dataset.key = String(user);
  box.hidden = !user;
  const form = make("form", { method: "post", action: "/logout" }, make("button", { class: "sd-small" }, "Log out"));
  box.replaceChildren(make("span", {}, `Logged in as ${user}.`), form);
}
