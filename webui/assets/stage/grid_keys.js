// What people do with the grid on the stage: cells are walked with the arrow keys and opened with Enter or a click.

import { jobPath } from "../live/rest.js";
import { cellAt, missingIn, outputsByCell, stepFrom, stepInList } from "../model/grid.js";
import { unfinished } from "../model/model.js";

const WALKS = ["ArrowRight", "ArrowLeft", "ArrowDown", "ArrowUp", "Home", "End"];

export function wireGrid(grid) {
  document.addEventListener("click", (event) => clicked(grid, event));
  document.addEventListener("keydown", (event) => key(grid, event));
}

function clicked(grid, event) {
  const { tab } = grid;
  const button = tab.find(event, "grid", "[role=tab][data-z], [data-grid], [data-redraw]");
  if (button?.dataset.z) return grid.turn(Number(button.dataset.z));
  if (button?.dataset.redraw) return redraw(grid, grid.layout.cells[Number(button.dataset.redraw)]);
  if (button?.dataset.grid === "missing") return tab.buttons.ask(`${jobPath(grid.job.id)}/redraw`, {});
  if (button?.dataset.grid === "edit") return tab.page.edit(grid.job);
  const element = button ? null : tab.find(event, "grid", ".sd-cell[data-cell]");
  if (!element) return undefined;
  const cell = grid.layout.cells[Number(element.dataset.cell)];
  return open(grid, cell, event.target.dataset.index);
}

// The picture with this index, else the first one of the cell, in full size.
function open(grid, cell, index) {
  const own = outputsByCell(grid.job).get(cell.number) || [];
  const output = own.find((one) => one.index === Number(index)) || own[0];
  if (!output) return;
  grid.tab.select(output.url);
  grid.tab.page.draw();
  grid.tab.picture.enlarge();
}

function redraw(grid, cell) {
  const images = missingIn(cell, outputsByCell(grid.job).get(cell.number) || []);
  return grid.tab.buttons.ask(`${jobPath(grid.job.id)}/redraw`, { images });
}

function key(grid, event) {
  const { tab } = grid;
  if (event.defaultPrevented || event.altKey || event.metaKey) return;
  if (tab.find(event, "grid", "[role=tab]")) return void turnByKey(grid, event);
  const element = tab.find(event, "grid", ".sd-cell[data-cell]");
  if (!element || event.target !== element) return;
  const cell = grid.layout.cells[Number(element.dataset.cell)];
  if (WALKS.includes(event.key)) {
    event.preventDefault();
    const { layout } = grid;
    const to = grid.line ? layout.cells[stepInList(layout, grid.line, cell.number, event.key)] : cellAt(layout, ...stepFrom(layout, cell.place, event.key, event.ctrlKey));
    if (to !== cell) goTo(grid, to);
  } else if (event.key === "Enter" && !event.ctrlKey) {
    event.preventDefault();
    const own = outputsByCell(grid.job).get(cell.number) || [];
    if (!unfinished(grid.job) && missingIn(cell, own).length === cell.count) redraw(grid, cell);
    else open(grid, cell, null);
  } else if (event.key === "PageDown" || event.key === "PageUp") {
    event.preventDefault();
    turnTo(grid, grid.z + (event.key === "PageDown" ? 1 : -1));
  }
}

function turnByKey(grid, event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  turnTo(grid, grid.z + step);
  grid.box.querySelector(`[data-z="${grid.z}"]`)?.focus({ preventScroll: true });
}

function turnTo(grid, z) {
  if (z >= 0 && z < grid.layout.shape[2]) grid.turn(z);
}

// The focus goes to a cell, and its picture is the one that is told of. The grid is scrolled alone, not the page.
function goTo(grid, cell) {
  for (const { element } of grid.cells.values()) element.tabIndex = -1;
  const { element } = grid.cells.get(cell.number);
  element.tabIndex = 0;
  element.focus({ preventScroll: true });
  bringIntoSight(grid.box.querySelector(".sd-grid-scroll"), element);
  const output = (outputsByCell(grid.job).get(cell.number) || [])[0];
  if (output) grid.tab.select(output.url);
}

function bringIntoSight(scroll, element) {
  const [box, frame] = [element.getBoundingClientRect(), scroll.getBoundingClientRect()];
  const { scrollPaddingLeft, scrollPaddingTop } = getComputedStyle(scroll);
  const past = (from, to, first, last) => Math.max(0, to - last) || Math.min(0, from - first);
  const left = frame.left + (Number.parseFloat(scrollPaddingLeft) || 0);
  const top = frame.top + (Number.parseFloat(scrollPaddingTop) || 0);
  scroll.scrollBy(past(box.left, box.right, left, frame.right), past(box.top, box.bottom, top, frame.bottom));
}
