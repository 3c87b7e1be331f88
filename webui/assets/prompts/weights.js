// Ctrl and an arrow up or down, in a prompt: more or less weight for what is selected, or for the word at the cursor.

import { replace } from "./field.js";
import { reweighed } from "./text.js";

const DIRECTIONS = { ArrowUp: 1, ArrowDown: -1 };

export function wireWeights(tab) {
  document.addEventListener("keydown", (event) => {
    const direction = DIRECTIONS[event.key];
    const { target } = event;
    if (!direction || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
    if (!(target instanceof HTMLTextAreaElement) || !tab.isPrompt(target)) return;
    const change = reweighed(target.value, target.selectionStart, target.selectionEnd, direction);
    event.preventDefault();
    if (change) replace(target, change);
  });
}
