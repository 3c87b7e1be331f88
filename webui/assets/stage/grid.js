// A grid on the stage: every cell has its place from the beginning, and grows its picture there. Legends stay in sight while
// it is scrolled, and each value of z is a tab.

import { jobPath } from "../live/rest.js";
import { batchAt } from "../model/batch.js";
import { bareValue, cellOf, gridWords, layoutOf, lineOf, missingIn, outputsByCell, stateOf, wordsAt } from "../model/grid.js";
import { previewOf, unfinished } from "../model/model.js";
import { make, setAttribute, setText } from "../page/dom.js";
import { GridCell } from "./grid_cell.js";
import { wireGrid } from "./grid_keys.js";

const CELL_LEAST = 118; // px of the stage that a cell of a list takes at least (stage/grid.css)

export class StageGrid {
  job = null; // the one whose grid is shown
  layout = null;
  z = 0; // the sheet that is shown
  line = null; // of a list how many cells stand side by side
  turned = false; // was that one chosen by hand?
  /** @type {Map<number, GridCell>} */
  cells = new Map(); // those in sight, by their numbers

  constructor(tab) {
    this.tab = tab;
    wireGrid(this);
  }

  get box() {
    return this.tab.part("grid");
  }

  // `job` is one with a layout, or null: then there is nothing of it. `chosen` is the output that was chosen in it.
  render(state, job, chosen) {
    const { box } = this;
    if (!box) return;
    box.hidden = !job;
    if (!job) return;
    const layout = layoutOf(job);
    const another = this.layout !== layout;
    if (another) this.turned = false;
    const now = this.drawnIn(state, job);
    this.job = job;
    this.layout = layout;
    this.follow(chosen, now, another);
    if (another || box.dataset.z !== String(this.z)) this.build(box);
    this.renderCells(state, chosen, now);
    this.renderBar(box);
  }

  // The index of the picture that is drawn now, null for none.
  drawnIn(state, job) {
    if (!unfinished(job) || job.status === "queued") return null;
    const progress = state.progress?.job === job.id ? state.progress.image : null;
    return previewOf(state, job.id)?.image ?? progress ?? null;
  }

  // Which sheet is shown: that of a picture that was chosen just now, else of what is drawn, until one is chosen by hand.
  follow(chosen, now, another) {
    const of = (index) => cellOf(this.layout, index)?.place[2] ?? 0;
    const before = this.chosenUrl;
    this.chosenUrl = chosen?.url || null;
    if (chosen && (another || chosen.url !== before)) {
      this.z = of(chosen.index);
      this.turned = true;
    } else if (!this.turned && now !== null) this.z = of(now);
    else if (another) this.z = 0;
  }

  turn(z) {
    this.turned = true;
    this.z = z;
    this.tab.page.draw();
  }

  // --- what never changes of it

  build(box) {
    const { axes, shape, cells } = this.layout;
    this.line = lineOf(this.layout, Math.floor(box.clientWidth / CELL_LEAST) || Infinity); // out of sight it has no width
    const { line } = this;
    const [columns, rows, sheets] = line ? [line, Math.ceil(cells.length / line), 1] : shape;
    const [x, y, z] = axes;
    const { width, height } = { ...this.job.request, ...this.job.resolved };
    box.dataset.z = String(this.z);
    box.style.setProperty("--columns", String(columns));
    box.style.setProperty("--rows", String(rows));
    box.style.setProperty("--ratio", String((width / height || 1).toFixed(4)));
    setAttribute(box, "data-x", x.label && !line ? "" : null);
    setAttribute(box, "data-y", y.label && !line ? "" : null);
    setAttribute(box, "data-list", line ? "" : null);
    this.cells.clear();
    const scroll = make("div", { class: "sd-grid-scroll", role: "grid", "aria-label": gridWords(this.job), "aria-rowcount": rows, "aria-colcount": columns });
    if (line) for (let from = 0; from < cells.length; from += line) scroll.append(this.piece(cells.slice(from, from + line)));
    else {
      if (x.label) scroll.append(this.head(x, y));
      for (let row = 0; row < rows; row += 1) scroll.append(this.row(row, y));
    }
    box.replaceChildren(this.bar(z, sheets), scroll);
    this.first?.element.setAttribute("tabindex", "0");
  }

  head(x, y) {
    const corner = make("div", { class: "sd-grid-corner", role: "columnheader" }, make("span", {}, x.label, " →"), y.label ? make("span", {}, y.label, " ↓") : "");
    const values = x.values.map((_value, i) => legend("columnheader", "sd-grid-x", x, i));
    return make("div", { role: "row", class: "sd-grid-row" }, ...(y.label ? [corner] : []), ...values);
  }

  row(row, y) {
    const columns = Array.from({ length: this.layout.shape[0] }, (_, column) => {
      const cell = this.layout.at.get(`${column},${row},${this.z}`);
      if (!cell) return make("div", { class: "sd-cell", "data-state": "nothing", role: "gridcell" });
      return this.cell(cell);
    });
    return make("div", { role: "row", class: "sd-grid-row" }, ...(y.label ? [legend("rowheader", "sd-grid-y", y, row)] : []), ...columns);
  }

  // A part of a list: each cell says itself what it is.
  piece(cells) {
    return make("div", { role: "row", class: "sd-grid-row" }, ...cells.map((cell) => this.cell(cell, true)));
  }

  cell(cell, captioned = false) {
    const made = new GridCell(cell, wordsAt(this.layout, cell.place), captioned);
    this.cells.set(cell.number, made);
    return made.element;
  }

  get first() {
    return this.cells.values().next().value;
  }

  bar(z, sheets) {
    const tabs = sheets > 1 ? z.values.map((value, i) => make("button", { type: "button", role: "tab", class: "sd-chip", "data-z": i, title: value }, bareValue(z, i) || String(i + 1))) : [];
    const list = make("div", { class: "sd-grid-sheets", role: "tablist", "aria-label": z.label || "Sheets" }, ...(tabs.length ? [make("span", {}, z.label), ...tabs] : []));
    const redraw = make("button", { type: "button", class: "sd-small", "data-grid": "missing", hidden: true });
    const again = make("button", { type: "button", class: "sd-small", "data-grid": "edit", title: "What this grid was asked for into the fields, its script too" }, "Edit");
    const sheet = make("a", { class: "sd-small", "data-grid": "sheet", target: "_blank", rel: "noopener", title: "The grid as one picture, with its legends" }, "Sheet");
    const save = make("a", { class: "sd-small", "data-grid": "save", download: "", title: "Save the grid as one picture" }, "Save sheet");
    return make("div", { class: "sd-grid-bar" }, list, make("span", { class: "sd-grid-words" }), redraw, again, sheet, save);
  }

  // --- what changes

  renderCells(state, chosen, now) {
    const { job } = this;
    const outputs = outputsByCell(job);
    const ended = !unfinished(job);
    const wanted = job.wanted && new Set(job.wanted);
    const preview = previewOf(state, job.id);
    const width = (this.first?.element.clientWidth || 0) * devicePixelRatio; // asked once: all have the same
    const drawing = preview && { ...preview, ...batchAt(job, preview.image) };
    for (const shown of this.cells.values()) {
      const own = outputs.get(shown.cell.number) || [];
      const kind = stateOf(shown.cell, own, { ended, now, wanted });
      shown.show({ kind, outputs: own, preview: kind === "drawn" ? drawing : null, ended, chosen, width });
    }
  }

  renderBar(box) {
    const { job, layout } = this;
    const outputs = outputsByCell(job);
    const missing = unfinished(job) ? 0 : layout.cells.reduce((sum, cell) => sum + missingIn(cell, outputs.get(cell.number) || []).length, 0);
    const part = (name) => box.querySelector(`[data-grid="${name}"]`);
    setText(box.querySelector(".sd-grid-words"), gridWords(job).replace(/ grid$/, ""));
    setText(part("missing"), `Draw ${missing} missing`);
    part("missing").hidden = !missing;
    for (const name of ["sheet", "save"]) {
      part(name).hidden = !layout.hasSheet;
      setAttribute(part(name), "href", job.outputs.length ? `${jobPath(job.id)}/sheet/${this.z}.png` : null);
      setAttribute(part(name), "aria-disabled", job.outputs.length ? null : "true");
    }
    for (const tab of box.querySelectorAll("[data-z]")) {
      setAttribute(tab, "aria-selected", String(Number(tab.dataset.z) === this.z));
      setAttribute(tab, "tabindex", Number(tab.dataset.z) === this.z ? 0 : -1);
    }
  }
}

const legend = (role, name, axis, i) => make("div", { role, class: name, title: axis.values[i] }, make("span", {}, bareValue(axis, i)));
