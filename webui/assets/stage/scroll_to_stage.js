// Who presses Generate wants to see the picture: on a phone that stands far down in the fields.

import { scrolling, visible } from "../page/dom.js";

const ENOUGH = 0.7; // of the stage

// Scrolls to the stage unless most of it is in sight already, above what lies over the page.
export function scrollToStage(tab) {
  const stage = tab.part("stage");
  if (!visible(stage)) return;
  const { top, bottom, height } = stage.getBoundingClientRect();
  const dock = tab.part("actions");
  const fixed = dock && getComputedStyle(dock).position === "fixed" ? dock.getBoundingClientRect().top : innerHeight;
  const seen = Math.min(bottom, fixed) - Math.max(top, 0);
  if (seen >= ENOUGH * Math.min(height, innerHeight)) return;
  scrollTo({ top: Math.max(0, scrollY + top - 12), behavior: scrolling() });
}
