// Gradio's lists (6.31) under the keyboard's hand. Its own handler looks at a key a moment after it was pressed: so Tab,
// which has left the list by then, opened it again, and any letter or Shift narrowed it to names like the chosen one. Here
// a list opens by a click, Enter, Space or an arrow, closes when it is left, and keeps the focus after a choice.

const SILENT = ["Tab", "Shift", "Control", "Alt", "AltGraph", "Meta", "CapsLock"];
const OPENING = ["Enter", " ", "ArrowDown", "ArrowUp"];
const TYPED_MS = 800; // so long letters belong to one word

export class Dropdowns {
  opens = false; // the next focus is to open the list
  chosen = null; // the field in which a choice is being made: it keeps the focus

  constructor() {
    new MutationObserver(() => tame()).observe(document.body, { childList: true, subtree: true });
    for (const name of ["focus", "blur", "keydown", "mousedown"]) document.addEventListener(name, (event) => this[name](event), true);
  }

  // Gradio opens a list whenever its field gets the focus; what it does not hear of does not open.
  focus(event) {
    if (isField(event.target) && !this.opens) event.stopPropagation();
  }

  // Gradio takes the focus away after a choice, and the next Tab would begin at the top of the page.
  blur(event) {
    const field = this.chosen;
    if (event.target !== field || !field) return;
    this.chosen = null;
    queueMicrotask(() => document.activeElement === document.body && field.focus({ preventScroll: true }));
  }

  mousedown(event) {
    const field = event.target.closest?.(".wrap")?.querySelector(":scope > .wrap-inner input[role=combobox]");
    this.chosen = null;
    if (!field || field.disabled) return;
    if (event.target.closest("[role=listbox]")) {
      if (event.target.closest("[role=option]")) this.chosen = field;
    } else if (event.button === 0) {
      if (field !== event.target || field.readOnly) event.preventDefault();
      if (!isOpen(field)) this.open(field);
      else if (field.readOnly) this.close(field);
    }
  }

  keydown(event) {
    const field = event.target;
    this.chosen = null;
    if (!isField(field)) return;
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (SILENT.includes(event.key) || /^F\d+$/.test(event.key)) return event.stopPropagation();
    if (!isOpen(field) && OPENING.includes(event.key) && (plain || event.altKey) && !(event.altKey && event.key === "Enter")) {
      if (!field.readOnly && event.key === " ") return undefined; // a word is being typed
      stop(event);
      return this.open(field);
    }
    if (field.readOnly && plain && event.key.length === 1) {
      stop(event);
      if (event.key === " ") send(field, "Enter");
      else this.type(field, event.key);
      return undefined;
    }
    if (event.key === "Enter") this.chosen = field;
    return undefined;
  }

  open(field) {
    if (document.activeElement === field) field.blur(); // Gradio opens at a focus that is new
    this.opens = true;
    field.focus({ preventScroll: true });
    this.opens = false;
  }

  close(field) {
    field.blur();
    field.focus({ preventScroll: true });
  }

  // Letters go to the first name that begins with them, as in the lists of every system.
  async type(field, letter) {
    const now = performance.now();
    this.typed = now - (this.typedAt || 0) < TYPED_MS && this.typedIn === field ? this.typed + letter : letter;
    this.typedAt = now;
    this.typedIn = field;
    if (!isOpen(field)) {
      this.open(field);
      await drawn();
    }
    const names = optionsOf(field).map((option) => labelOf(option).toLowerCase());
    const place = names.findIndex((name) => name.startsWith(this.typed.toLowerCase()));
    if (place < 0) return;
    send(field, "Home");
    for (let i = 0; i < place; i += 1) send(field, "ArrowDown");
  }
}

// A long list is a stop of its own for the Tab key, which then vanishes with the list and takes the focus along.
function tame() {
  /** @type {NodeListOf<HTMLElement>} */
  const lists = document.querySelectorAll('ul[role="listbox"]:not([tabindex])');
  for (const list of lists) list.tabIndex = -1;
}

export const optionsOf = (field) =>
  isOpen(field) ? Array.from(document.getElementById(field.getAttribute("aria-controls"))?.querySelectorAll("[role=option]") || []) : [];

export const labelOf = (option) => option.getAttribute("aria-label") || option.textContent.trim();

const isField = (target) => Boolean(target.matches?.("input[role=combobox]"));
const isOpen = (field) => field.getAttribute("aria-expanded") === "true";
const drawn = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
const send = (field, key) => field.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));

function stop(event) {
  event.preventDefault();
  event.stopPropagation();
}
