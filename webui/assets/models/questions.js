// Questions of the Models tab, in dialogs of the page's own.

import { confirmed } from "../page/confirm.js";
import { make } from "../page/dom.js";

// A dialog over the page. Keys in it reach nothing else: Esc closes it and stops no job. Resolves, when it is closed, to
// the value of the button that closed it.
export function openDialog(content, { wide = false, label }) {
  const dialog = make("dialog", { class: wide ? "sd-confirm sd-wide-dialog" : "sd-confirm", "aria-label": label }, content);
  (document.querySelector(".gradio-container") || document.body).append(dialog);
  const back = /** @type {HTMLElement} */ (document.activeElement);
  // Beside it. The second half of a double click was meant for what opened it, and presses no button of it either.
  dialog.addEventListener("mousedown", (event) => event.target === dialog && event.detail < 2 && dialog.close(""));
  dialog.addEventListener("click", (event) => event.detail > 1 && event.target.closest("button") && event.preventDefault());
  dialog.addEventListener("keydown", (event) => event.stopPropagation());
  dialog.showModal();
  const closed = new Promise((done) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (back?.isConnected) back.focus({ preventScroll: true });
      done(dialog.returnValue);
    });
  });
  return { dialog, closed };
}

export const confirmDelete = (name) =>
  confirmed({
    title: `Delete ${name}?`,
    words: "The model goes into the trash with its picture and notes. It can be brought back from there until the trash is emptied.",
    action: "Delete",
  });

// Resolves to the new name, null where none is wanted.
export async function askForName(model, name) {
  const field = make("input", { type: "text", value: name, maxlength: 150, "aria-label": "New name", class: "sd-field", autocomplete: "off", spellcheck: "false", required: true });
  const form = make(
    "form",
    { method: "dialog" },
    make("h2", {}, `Rename ${name}`),
    make("p", {}, "Its picture and notes are renamed with it. Pictures that it drew keep the old name in their infotext, and its hash."),
    field,
    make(
      "div",
      { class: "sd-confirm-buttons" },
      make("button", { type: "submit", class: "sd-small", value: "", formnovalidate: true }, "Cancel"),
      make("button", { type: "submit", class: "sd-small sd-go", value: "yes" }, "Rename"),
    ),
  );
  const { closed } = openDialog(form, { label: `Rename ${model.name}` });
  field.focus();
  field.select();
  // Enter presses the first button of a form: here it is to be the one that renames.
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    if (field.value.trim()) field.closest("dialog").close("yes");
  });
  return (await closed) === "yes" ? field.value.trim() : null;
}
