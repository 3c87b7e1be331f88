"""A job of the kind grid, from its claimed row to its pictures on disk: one cell after the other."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from modules.engine.engine_parts import EngineParts
from modules.engine.models.out_of_memory import is_out_of_memory
from modules.engine.progress.bar import JobProgress
from modules.engine.progress.parts import parts_of
from modules.engine.work.cells import CellLeft, cells_of, plan_of
from modules.engine.work.closing_grid import close_grid
from modules.engine.work.economy import Economy
from modules.engine.work.failures import describe_failure
from modules.engine.work.model_finder import ModelFinder
from modules.engine.work.portion_drawing import PortionDrawing
from modules.engine.work.second_try import describe_second_try, keep_steps, release_device, release_for_another_try
from modules.engine.work.sheets import save_sheets
from modules.engine.work.turns import announce_picture, begin_picture
from modules.errors import Interrupted, SteadyError, StorageError
from modules.jobs.kinds.base import ResolvedJob
from modules.jobs.kinds.grid.resolved import ResolvedGrid
from modules.jobs.kinds.registry import read_resolved
from modules.jobs.rows import Job

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Failure:
    """Why a cell could not be drawn, and in which phase it failed."""

    message: str
    phase: str
    out_of_memory: bool


class GridWork:
    """The work on one claimed grid. `resolved` is None: what a cell lacks of memory is its own affair."""

    resolved: ResolvedJob | None = None

    def __init__(self, parts: EngineParts, job: Job, token: int, progress: JobProgress) -> None:
        self._parts = parts
        self._job = job
        self._token = token
        self._progress = progress
        self._finder = ModelFinder(parts)
        self._drawing: PortionDrawing | None = None
        self._failed: Counter[str] = Counter()  # cells, by why they could not be drawn

    def draw(self) -> bool:
        """Draw every picture that is not there yet; tell whether all of them were tried (False: stopped between two).

        A cell that cannot be drawn is noted, and the others are drawn.

        Raises:
            Interrupted: with the kind "interrupt", "pause" or "exit".
            SteadyError: no cell can be drawn, or the disk takes no pictures.
        """
        parts = self._parts
        self._progress.enter("load")
        with parts.cancel.keeping_skips():
            parts.cancel.check()
            grid = self._resolve()
        left = self._cells_left(grid)
        if left:
            announce_picture(parts, self._job, left[0].first_left)
            parts.snapshots.begin()
            self._plan(grid)
        tried = self._draw_cells(grid, left)
        self._tell_of_failures()
        if tried:
            save_sheets(parts, self._job, grid)
        return tried

    def keep_snapshot(self, amid: bool = True) -> None:
        """Write down where the cell that is drawn stands; if it is not to be `amid` a pass, else not."""
        if self._drawing is not None:
            self._drawing.keep_snapshot(amid)

    def _resolve(self) -> ResolvedGrid:
        """Close the request, or take what an earlier run of this job has closed."""
        parts, job = self._parts, self._job
        if job.resolved is None:
            return close_grid(parts, self._finder, job)
        resolved = read_resolved(job.kind, job.resolved)
        assert isinstance(resolved, ResolvedGrid)
        return resolved

    def _cells(self, grid: ResolvedGrid) -> list[CellLeft]:
        """Return all cells, with those of their batches that are left now."""
        complete = frozenset(image.index for image in self._parts.store.jobs.images(self._job.id))
        return cells_of(self._job, self._token, self._progress, grid, complete)

    def _cells_left(self, grid: ResolvedGrid) -> list[CellLeft]:
        return [cell for cell in self._cells(grid) if cell.missing]

    def _plan(self, grid: ResolvedGrid) -> None:
        planned, known = plan_of(self._parts, self._cells(grid))
        self._progress.plan(parts_of(*planned), *known)

    def _draw_cells(self, grid: ResolvedGrid, left: Sequence[CellLeft]) -> bool:
        """Draw what is left, and tell whether all of it was tried."""
        for number, cell in enumerate(left):
            if number:
                begin_picture(self._parts, self._job.id, cell.first_left)
            is_last = number + 1 == len(left)
            if not self._draw_or_note(grid, cell, resumed=number == 0, is_last=is_last):
                return False
            if self._parts.state.stopping_generation and not is_last:
                return False
        return True

    def _draw_or_note(self, grid: ResolvedGrid, cell: CellLeft, resumed: bool, is_last: bool) -> bool:
        """Draw what is left of a cell, once more with less memory if need be. Tell whether all of it was tried.

        One that is `resumed` may go on from a snapshot.
        """
        tried = self._try_cell(cell, resumed, is_last)
        if isinstance(tried, _Failure) and tried.out_of_memory:
            again = self._with_less_memory(grid, cell, tried)
            tried = tried if again is None else self._try_cell(again, resumed=True, is_last=is_last)
        if isinstance(tried, _Failure):
            self._drawing = self._parts.state.current_latent = None
            if tried.out_of_memory:
                release_device(self._parts)
            self._note_failure(grid, cell, tried.message)
            return True
        return tried

    def _try_cell(self, cell: CellLeft, resumed: bool, is_last: bool) -> bool | _Failure:
        """Draw what is left of a cell, and tell whether all of it was tried; or why it cannot be drawn.

        What is returned holds no frame of the failure, and so nothing that takes memory.
        """
        try:
            return self._draw_cell(cell, resumed, is_last)
        except StorageError:
            raise  # The other cells would have no place either.
        except Exception as error:
            logger.exception("Cell %d of job %s failed", cell.number + 1, self._job.id)
            phase, resolved = self._progress.phase, cell.portion.resolved
            out_of_memory = is_out_of_memory(error)
            if out_of_memory and self._drawing is not None:
                keep_steps(self._drawing, amid=phase != "sample")
            return _Failure(describe_failure(error, resolved, cell.portion.economy), phase, out_of_memory)

    def _draw_cell(self, cell: CellLeft, resumed: bool, is_last: bool) -> bool:
        parts, portion = self._parts, cell.portion
        self._drawing = None  # While the model of this cell is loaded, that of the one before can go.
        try:
            # What is loaded serves other pictures too: a skip is for when its own begins.
            with parts.cancel.keeping_skips(not is_last or cell.missing > 1):
                portion.enter("load")
                parts.cancel.check()
                models = self._finder.of_row(portion.resolved)
                drawing = PortionDrawing(parts, self._finder, portion, models, cell.batches, resumed)
                drawing.prepare()
        except Interrupted as stop:
            if stop.kind != "skip":
                raise
            return True
        self._drawing = drawing
        return drawing.draw()

    # --- Cells that cannot be drawn ---------------------------------------------------------------------------------

    def _with_less_memory(self, grid: ResolvedGrid, cell: CellLeft, failure: _Failure) -> CellLeft | None:
        """Give all memory back; return the cell with settings that may help, None: none do, or it had them."""
        parts, job, resolved = self._parts, self._job, cell.portion.resolved
        self._drawing = None
        if Economy.of_cell(job.economy, cell.number) is not None:
            return None
        economy = release_for_another_try(parts, resolved, failure.phase)
        if economy is None:
            return None
        stored = economy.stored_of_cell(job.economy, cell.number)
        parts.store.claims.set_economy(job.id, stored)
        what = f"{_name_of(grid, cell)}: out of memory"
        parts.store.claims.note(job.id, "out-of-memory", describe_second_try(what, resolved, economy))
        self._job = replace(job, economy=stored, image_index=parts.state.image_index)
        self._plan(grid)
        return self._cells(grid)[cell.number]

    def _note_failure(self, grid: ResolvedGrid, cell: CellLeft, message: str) -> None:
        """Tell people of it; of more cells that fail for the same reason how many there are, at the end."""
        self._failed[message] += 1
        if self._failed[message] == 1:
            self._parts.store.claims.note(self._job.id, "cell", f"{_name_of(grid, cell)}: {message}")

    def _tell_of_failures(self) -> None:
        """Tell how many cells failed.

        Raises:
            SteadyError: the job has no picture, since none of its cells can be drawn.
        """
        store = self._parts.store
        if self._failed and not store.jobs.images(self._job.id):
            raise SteadyError(next(iter(self._failed)))
        for message, count in self._failed.items():
            if count > 1:
                store.claims.note(self._job.id, "cell", f"{count - 1} more could not be drawn either: {message}")


def _name_of(grid: ResolvedGrid, cell: CellLeft) -> str:
    """Return what a cell is called: what varies, such as "Steps: 20, CFG Scale: 7"."""
    layout, place = grid.layout, grid.cells[cell.number].place
    values = (axis.values[at] for axis, at in zip((layout.x, layout.y, layout.z), place, strict=True))
    return ", ".join(value for value in values if value) or f"Picture {cell.portion.first + 1}"
