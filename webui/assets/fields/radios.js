// Gradio's radio buttons (6.31) under the keyboard's hand: each has a name of its own there, so each is a group and a tab
// stop by itself. Under one name they are a group to the browser: one tab stop, the one that is chosen, and arrow keys
// that choose the next one.

export class Radios {
  constructor() {
    document.addEventListener("focusin", (event) => this.focused(event.target));
  }

  // The first time that a group gets the focus it may be by the button that comes first, whichever is chosen.
  focused(target) {
    const group = target.matches?.("input[type=radio]") && target.closest("fieldset");
    if (!group) return;
    const buttons = Array.from(/** @type {NodeListOf<HTMLInputElement>} */ (group.querySelectorAll("input[type=radio]")));
    if (buttons.every((button) => button.name === group.id)) return;
    const chosen = buttons.find((button) => button.checked);
    group.role = "radiogroup";
    label(group);
    for (const button of buttons) button.name = group.id;
    if (chosen) chosen.checked = true; // of those under one name the browser keeps one
    if (chosen && chosen !== target && target.matches(":focus-visible")) chosen.focus();
  }
}

// It is called by the words above it, which may be there for those who hear the page alone.
function label(group) {
  const words = group.querySelector("[data-testid=block-info]");
  if (!words) return;
  words.id ||= `${group.id}_words`;
  group.setAttribute("aria-labelledby", words.id);
}
