// The trash: what was deleted, brought back or deleted for good.

import { ask } from "../live/rest.js";
import { clock, plural } from "../model/format.js";
import { confirmed } from "../page/confirm.js";
import { make } from "../page/dom.js";
import { size } from "./cards.js";
import { openDialog } from "./questions.js";

const TRASH = "/sdapi/v1/model-trash";

// `done(deed)` does something and tells why it could not be done. Resolves to true once the dialog is closed.
export async function showTrash(done) {
  const list = make("ul", { class: "sd-trash" });
  const empty = make("button", { type: "button", class: "sd-small sd-stop" }, "Empty the trash");
  const close = make("button", { type: "submit", class: "sd-small", value: "" }, "Close");
  const form = make("form", { method: "dialog" }, make("h2", {}, "Trash"), list, make("div", { class: "sd-confirm-buttons" }, empty, close));
  const { dialog, closed } = openDialog(form, { label: "Trash", wide: true });
  const render = async () => {
    const deleted = await ask("GET", TRASH).catch(() => []);
    if (!deleted.length) dialog.close("");
    list.replaceChildren(...deleted.map(row));
    empty.dataset.count = String(deleted.length);
  };
  // What is told of a refusal stands on the page, behind the dialog.
  const act = async (deed) => ((await done(deed)) ? render() : dialog.close(""));
  list.addEventListener("click", (event) => {
    const button = /** @type {HTMLElement} */ (event.target).closest("button");
    if (button) act(() => ask("POST", `${TRASH}/${button.dataset.restore}/restore`, {}));
  });
  empty.addEventListener("click", async () => {
    const count = Number(empty.dataset.count);
    const title = `Delete ${plural(count, "model", "models")} for good?`;
    if (await confirmed({ title, words: "This cannot be undone.", action: "Delete for good" })) act(() => ask("DELETE", TRASH));
  });
  await render();
  await closed;
  return true;
}

function row({ id, name, size_bytes: bytes, deleted_at: at }) {
  const facts = [`deleted ${clock(at)}`, size(bytes)].filter(Boolean).join(" · ");
  const words = make("div", { class: "sd-row-words" }, make("span", { class: "sd-row-prompt" }, name), make("span", {}, facts));
  return make("li", { class: "sd-row" }, words, make("button", { type: "button", class: "sd-small", "data-restore": id, "aria-label": `Bring back ${name}` }, "Bring back"));
}
