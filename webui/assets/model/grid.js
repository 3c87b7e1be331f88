// Grids: jobs whose pictures have places along x, y and z (modules/jobs/kinds/grid/). Pure functions of what is known.

import { plural } from "./format.js";

const layouts = new WeakMap(); // by what the server told of a job
const byCells = new WeakMap(); // by a job's outputs; each change of these is another list
const WIDER = 1.6; // than high is a list on the stage

export const isGrid = (job) => job?.kind === "grid";

// The kind of job that each of its pictures would be by itself.
export const baseOf = (job) => (isGrid(job) ? job.request?.of || "txt2img" : job.kind);

// {script, hasSheet, axes, shape, cells, count}: the grid as it will be, known before its first picture is; null before the engine
// has begun. A cell is {number, place: [x, y, z], first, count}: the index in the job of its first picture, and how many
// it has; cells stand in the order in which they are drawn.
export function layoutOf(job) {
  const told = isGrid(job) ? job.resolved : null;
  if (!told?.grid || !told.places) return null;
  if (!layouts.has(told)) layouts.set(told, layOut(told));
  return layouts.get(told);
}

function layOut({ grid, places, cells: counts }) {
  let count = 0;
  const cells = places.map((place, number) => {
    const own = Array.isArray(counts) ? counts[number] : counts;
    count += own;
    return { number, place, first: count - own, count: own };
  });
  const at = new Map(cells.map((cell) => [String(cell.place), cell]));
  const hasSheet = grid.has_sheet ?? true; // else there are the pictures alone
  return { script: grid.script, hasSheet, axes: grid.axes, shape: grid.axes.map((axis) => axis.values.length), cells, at, count };
}

// The cell at a place; undefined where nothing is drawn.
export const cellAt = (layout, x, y, z) => layout.at.get(`${x},${y},${z}`);

// The cell that the picture with this index in the job belongs to; undefined for none. There may be thousands of both.
export function cellOf({ cells, count }, index) {
  if (!(index >= 0 && index < count)) return undefined;
  let [from, to] = [0, cells.length - 1];
  while (from < to) {
    const middle = (from + to + 1) >> 1;
    if (cells[middle].first <= index) from = middle;
    else to = middle - 1;
  }
  return cells[from];
}

// "4 × 3 grid", "4 × 3 × 2 grid", of a list "5 prompts"; before that is known the name of what asked for it.
export function gridWords(job) {
  const layout = layoutOf(job);
  if (!layout) return job.request?.script || "grid";
  if (!layout.hasSheet) return plural(layout.cells.length, "prompt", "prompts");
  const [x, y, z] = layout.shape;
  return `${[x, y, ...(z > 1 ? [z] : [])].join(" × ")} grid`;
}

// What stands at a place, in words: "Steps: 20, Euler a".
export function wordsAt({ axes }, place) {
  const parts = axes.map(({ values }, i) => values[place[i]]);
  return parts.filter((words) => words?.trim()).join(", ");
}

// A value under the name of its axis, which need not be said again.
export const bareValue = ({ label, values }, i) => (label && values[i].startsWith(`${label}: `) ? values[i].slice(label.length + 2) : values[i]);

const inOrder = (one, other) => one.place[2] - other.place[2] || one.place[1] - other.place[1] || one.place[0] - other.place[0];

// The pictures that are there, as one reads the grid: from left to right, row by row, sheet by sheet. Each with its `job`
// and with `words`, where it stands.
export function picturesOfGrid(job) {
  const layout = layoutOf(job);
  if (!layout) return job.outputs.map((output) => ({ ...output, job: job.id }));
  const placed = job.outputs.map((output) => ({ output, cell: cellOf(layout, output.index) })).filter(({ cell }) => cell);
  placed.sort((one, other) => inOrder(one.cell, other.cell) || one.output.index - other.output.index);
  return placed.map(({ output, cell }) => ({ ...output, job: job.id, words: wordsAt(layout, cell.place) }));
}

// The outputs of a job by their cells' numbers.
export function outputsByCell(job) {
  const layout = layoutOf(job);
  const known = byCells.get(job.outputs);
  if (known?.layout === layout) return known.found;
  const found = new Map();
  for (const output of job.outputs) {
    const cell = layout && cellOf(layout, output.index);
    if (cell && !found.get(cell.number)?.push(output)) found.set(cell.number, [output]);
  }
  byCells.set(job.outputs, { layout, found });
  return found;
}

// How a cell stands: "there", "partial", "drawn" (now), "awaited", or "missing" of a job that has passed it or has ended.
// `ended`: does nothing more of the job come? `now` is the index of the picture that is drawn, null for none; `wanted`
// are those of the pictures that are drawn again, null: all.
export function stateOf(cell, outputs, { ended, now, wanted = null }) {
  if (outputs.length === cell.count) return outputs.some((output) => output.partial) ? "partial" : "there";
  if (now !== null && now >= cell.first && now < cell.first + cell.count) return "drawn";
  if (ended || (now !== null && now >= cell.first + cell.count)) return "missing";
  if (wanted && !missingIn(cell, outputs).some((index) => wanted.has(index))) return "missing";
  return "awaited";
}

// The indices of a cell's pictures that are not there, or only in part.
export function missingIn(cell, outputs) {
  const whole = new Set(outputs.filter((output) => !output.partial).map((output) => output.index));
  return Array.from({ length: cell.count }, (_, i) => cell.first + i).filter((index) => !whole.has(index));
}

// Where a key leads to from a place: the next place with a cell; the same one where there is none.
export function stepFrom(layout, [x, y, z], key, control = false) {
  const [columns, rows] = layout.shape;
  const [right, down] = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[key] || [0, 0];
  if (right || down) return nearest(layout, [x + right, y + down, z], [right, down]) || [x, y, z];
  if (key === "Home") return nearest(layout, [0, control ? 0 : y, z], [1, 0]) || [x, y, z];
  if (key === "End") return nearest(layout, [columns - 1, control ? rows - 1 : y, z], [-1, 0]) || [x, y, z];
  return [x, y, z];
}

// A list, which has no sheet, is laid out in lines of so many cells, of no more than there is room for; null: it is a grid,
// whose columns mean something.
export function lineOf({ hasSheet, cells }, room = Infinity) {
  return hasSheet ? null : Math.max(1, Math.min(cells.length, room, Math.ceil(Math.sqrt(cells.length * WIDER))));
}

// Where a key leads to in a list with lines of this length, from the cell with this number.
export function stepInList(layout, line, number, key) {
  const last = layout.cells.length - 1;
  const to = { ArrowRight: number + 1, ArrowLeft: number - 1, ArrowDown: number + line, ArrowUp: number - line, Home: 0, End: last }[key];
  return to >= 0 && to <= last ? to : number;
}

function nearest(layout, [x, y, z], [right, down]) {
  const [columns, rows] = layout.shape;
  for (let [i, j] = [x, y]; i >= 0 && j >= 0 && i < columns && j < rows; i += right, j += down) {
    if (cellAt(layout, i, j, z)) return [i, j, z];
    if (!right && !down) return null;
  }
  return null;
}

// A few pictures that stand for the whole grid: {columns, outputs}, `outputs` row by row, null where one is not there.
export function sampleOf(job, most = 4) {
  const layout = layoutOf(job);
  if (!layout) return { columns: 1, outputs: job.outputs.slice(0, 1) };
  const byCell = outputsByCell(job);
  const line = lineOf(layout);
  if (line) {
    const columns = Math.min(line, most);
    const numbers = chosen(layout.cells.length, columns * Math.min(columns, Math.ceil(layout.cells.length / columns)));
    return { columns, outputs: numbers.map((number) => byCell.get(number)?.[0] || null) };
  }
  const [columns, rows] = layout.shape;
  const [across, down] = [chosen(columns, most), chosen(rows, most)];
  const pictureAt = (x, y) => byCell.get(cellAt(layout, x, y, 0)?.number)?.[0] || null;
  return { columns: across.length, outputs: down.flatMap((y) => across.map((x) => pictureAt(x, y))) };
}

// At most so many of the numbers below `count`, spread over all of them.
function chosen(count, most) {
  const number = Math.min(count, most);
  return Array.from({ length: number }, (_, i) => Math.floor((i * count) / number));
}
