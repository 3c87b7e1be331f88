// What the buttons of the Models tab do: use a model, copy what is written of it, note, rename, delete, bring back.

import { openTab } from "../header/header.js";
import { ask } from "../live/rest.js";
import { copyText } from "../page/clipboard.js";
import { byId, press, setText } from "../page/dom.js";
import { nameAndFolder } from "./cards.js";
import { askForDetails } from "./details.js";
import { askForName, confirmDelete } from "./questions.js";
import { showTrash } from "./trash.js";

const TOLD_MS = 12000;
const COPIED_MS = 1400;
const KEYS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"];

const path = (model) => `/sdapi/v1/models/${encodeURIComponent(model.id)}`;

export class ModelActions {
  used = null; // the name that "Use" was pressed for, until the listener has taken it

  constructor(models) {
    this.models = models;
    document.addEventListener("click", (event) => this.clicked(event));
    document.addEventListener("keydown", (event) => this.key(event));
  }

  clicked(event) {
    /** @type {HTMLElement | null} */
    const button = event.target.closest?.("#steady_models button, #steady_models .sd-card-picture:not(.sd-card-problem)");
    if (!button) return;
    const card = /** @type {HTMLElement | null} */ (button.closest("[data-model]"));
    const model = this.models.find(card?.dataset.model);
    if (button.dataset.copy) this.copy(button);
    else if (button.dataset.models === "trash") this.trash();
    else if (!model) return;
    else if (button.classList.contains("sd-card-picture")) this.use(model);
    else if (button.dataset.act) this[button.dataset.act](model);
  }

  // --- what each does

  // The bar's own listener chooses it (webui/header.py), as if it had been chosen in the list there.
  use(model) {
    if (model.problem || !["checkpoint", "denoiser"].includes(model.kind)) return;
    this.used = model.name;
    press("steady_use_checkpoint");
    this.models.say(`${model.name} is used.`);
    openTab(this.models.page.current.prefix);
  }

  async copy(button) {
    await copyText(button.dataset.copy);
    this.models.say("Copied.");
    if (button.getAttribute("role") === "menuitem" || button.dataset.copied) return;
    const before = button.textContent;
    button.style.minWidth = `${button.getBoundingClientRect().width}px`; // nothing beside it moves
    button.dataset.copied = "yes";
    setText(button, "Copied");
    setTimeout(() => {
      setText(button, before);
      button.style.minWidth = "";
      delete button.dataset.copied;
    }, COPIED_MS);
  }

  async details(model) {
    const changes = await askForDetails(model, this.models.page.state.rights?.settings);
    if (changes) this.done(() => ask("POST", `${path(model)}/notes`, changes), "The notes are kept.");
  }

  // As A1111's editor of a card takes the picture that is chosen under the prompt.
  async picture(model) {
    const { picture } = this.models.page.current;
    const { output } = picture;
    if (!output) return this.tell("There is no picture on the stage: draw one, or choose one in the strip.");
    const job = picture.jobOf(output)?.id ?? picture.tab.state.shown;
    const { name } = nameAndFolder(model);
    return this.done(() => ask("POST", `${path(model)}/picture`, { job, index: output.index }), `The picture is on the card of ${name}.`);
  }

  async rename(model) {
    const { name } = nameAndFolder(model);
    const wanted = await askForName(model, name);
    if (wanted && wanted !== name) this.done(() => ask("POST", `${path(model)}/rename`, { name: wanted }), `${name} is called ${wanted} now.`);
  }

  async delete(model) {
    const { name } = nameAndFolder(model);
    if (await confirmDelete(name)) this.done(() => ask("DELETE", path(model)), `${name} is in the trash.`);
  }

  async trash() {
    if (await showTrash((deed) => this.done(deed))) this.models.again();
  }

  // How many are in the trash is told by its button, which is there as long as there are some.
  async readTrash() {
    const { rights } = this.models.page.state;
    if (!rights || rights.guest) return;
    const deleted = await ask("GET", "/sdapi/v1/model-trash").catch(() => []);
    const button = byId("steady_models_trash");
    button.hidden = !deleted.length;
    setText(button, `Trash ${deleted.length}`);
  }

  // Returns whether it was done.
  async done(deed, words = "") {
    try {
      await deed();
      this.tell("");
      this.models.say(words);
      return true;
    } catch (error) {
      this.tell(String(error.message || error));
      return false;
    } finally {
      this.models.again();
      press("steady_reload_models"); // the list of checkpoints at the top
    }
  }

  // Why the server refused stands over the cards for a while.
  tell(words) {
    const box = byId("steady_models_problem");
    if (!box) return;
    clearTimeout(this.telling);
    setText(box, words);
    box.hidden = !words;
    if (!words) return;
    box.scrollIntoView({ block: "nearest" });
    this.telling = setTimeout(() => this.tell(""), TOLD_MS);
  }

  // --- the keyboard: arrows walk from card to card

  key(event) {
    const card = event.target.closest?.("#steady_models_grid > [data-model]");
    if (!card || !KEYS.includes(event.key) || event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
    const cards = Array.from(card.parentElement.children);
    const columns = cards.filter((one) => one.offsetTop === cards[0].offsetTop).length;
    const at = cards.indexOf(card);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - columns, ArrowDown: at + columns, Home: 0, End: cards.length - 1 }[event.key];
    const next = cards[to];
    if (!next) return;
    event.preventDefault();
    const button = next.querySelector("[data-act=use]:enabled, .sd-card-buttons button:enabled");
    button.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  }
}
