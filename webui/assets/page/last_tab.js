// After a reload the tab is open that was open before it. Each tab of the browser remembers its own.

import { openTab } from "../header/header.js";
import { read, write } from "./memory.js";

const TAB = "steady.tab";
const TABS = "[role=tab][data-tab-id]";
const ofThisTab = () => sessionStorage;

let reopened = false;

export function rememberTab(event) {
  const tab = event.target.closest?.(TABS);
  if (tab) write(TAB, tab.dataset.tabId, ofThisTab);
}

// As soon as the tabs are there.
export function reopenTab() {
  if (reopened || !document.querySelector(TABS)) return;
  reopened = true;
  const name = read(TAB, ofThisTab);
  if (name) openTab(name);
}
