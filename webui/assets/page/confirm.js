// A question before something that cannot be undone, in a dialog of the page's own.

import { make } from "./dom.js";

// Resolves to null where it was not wanted, else to {ticked}: whether the box `tick` was ticked, where there is one.
export function confirmed({ title, words, action, tick = null }) {
  const box = tick && make("input", { type: "checkbox" });
  const yes = make("button", { type: "submit", class: "sd-small sd-danger", value: "yes" }, action);
  const no = make("button", { type: "submit", class: "sd-small", value: "", autofocus: true }, "Keep");
  const form = make(
    "form",
    { method: "dialog" },
    make("h2", { id: "steady_confirm_title" }, title),
    make("p", {}, words),
    ...(box ? [make("label", {}, box, tick)] : []),
    make("div", { class: "sd-confirm-buttons" }, no, yes),
  );
  const dialog = make("dialog", { class: "sd-confirm", "aria-labelledby": "steady_confirm_title" }, form);
  (document.querySelector(".gradio-container") || document.body).append(dialog);
  const back = /** @type {HTMLElement} */ (document.activeElement);
  dialog.addEventListener("click", (event) => {
    if (event.detail > 1) event.preventDefault(); // the second half of a double click was meant for what opened it
    else if (event.target === dialog) dialog.close(""); // beside it
  });
  dialog.addEventListener("keydown", (event) => event.key === "Escape" && event.stopPropagation()); // stops no job
  dialog.showModal();
  return new Promise((done) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (back?.isConnected) back.focus({ preventScroll: true });
      done(dialog.returnValue === "yes" ? { ticked: Boolean(box?.checked) } : null);
    });
  });
}
