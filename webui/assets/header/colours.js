// Light or dark: the setting, or what the header's button chose in this browser, whichever came last.

import { read, write } from "../page/memory.js";

const CHOICE = "steady.colours";
const OVER = "steady.colours.over"; // the setting that the choice was made against
const SETTING = "steady.colours.setting"; // read before anything is painted (theme.py)
const root = document.documentElement;

export function swapColours() {
  const next = root.dataset.theme === "dark" ? "light" : "dark";
  write(CHOICE, next);
  write(OVER, root.dataset.coloursSetting);
  window.steadyColours();
  root.dataset.theme = next; // also where storage is off
  document.body.classList.toggle("dark", next === "dark");
}

// The setting was read: a choice that was made against another one is older than it.
export function followSetting(setting) {
  if (!setting) return;
  const over = read(OVER);
  if (over === null) write(OVER, setting);
  else if (over !== setting) {
    write(CHOICE, "");
    write(OVER, setting);
  }
  write(SETTING, setting);
  root.dataset.coloursSetting = setting;
  window.steadyColours();
}
