"""The request of a grid, closed: each of its cells, in the order in which they are drawn."""

from __future__ import annotations

import logging

from modules.engine.engine_parts import EngineParts
from modules.engine.work.closing import close_request
from modules.engine.work.model_finder import ModelFinder
from modules.errors import SteadyError, StorageError
from modules.jobs.kinds.choice import Models
from modules.jobs.kinds.grid.cell_request import CellRequest, GridSeeds
from modules.jobs.kinds.grid.choice import GridChoice
from modules.jobs.kinds.grid.order import in_drawing_order
from modules.jobs.kinds.grid.request import GridRequest
from modules.jobs.kinds.grid.resolved import Cell, ResolvedGrid
from modules.jobs.kinds.registry import validate_request
from modules.jobs.rows import Job

logger = logging.getLogger(__name__)


def close_grid(parts: EngineParts, finder: ModelFinder, job: Job) -> ResolvedGrid:
    """Close what a grid's request leaves open, and keep it in its row. A cell that cannot be drawn is left out.

    Raises:
        Interrupted: the job was stopped meanwhile.
        SteadyError: no cell can be drawn.
    """
    request = validate_request(job.kind, job.request)
    assert isinstance(request, GridRequest)
    closing = _Closing(parts, finder, job)
    cells = [cell for number, one in enumerate(request.cells()) if (cell := closing.closed(number, one)) is not None]
    if not cells:
        raise SteadyError(next(iter(closing.refused)))
    loaded = parts.model_cache.loaded
    ordered = in_drawing_order(cells, None if loaded is None else loaded.key.sha256)
    grid = request.resolved(ordered, parts.options.values, ordered[0].drawn.environment)
    claims = parts.store.claims
    of_script = [("script", text) for text in request.plan.told]
    for kind, text in dict.fromkeys([*of_script, *closing.notes]):
        claims.note(job.id, kind, text)
    for message, count in closing.refused.items():
        cells_of_it = "A cell is" if count == 1 else f"{count:,} cells are"
        claims.note(job.id, "cell", f"{cells_of_it} left out: {message}")
    claims.set_resolved(job.id, grid.model_dump(mode="json"))  # Last: what is closed is not told of again.
    return grid


class _Closing:
    """Closes one cell after the other. The models of a choice are looked for once, and so is why they cannot be had."""

    def __init__(self, parts: EngineParts, finder: ModelFinder, job: Job) -> None:
        self._parts = parts
        self._finder = finder
        self._choice = GridChoice.in_row(job.request)
        self._seeds = GridSeeds(parts.draw_seed)
        self._found: dict[int, Models | SteadyError] = {}
        self.notes: list[tuple[str, str]] = []
        self.refused: dict[str, int] = {}  # how many cells, by the reason

    def closed(self, number: int, cell: CellRequest) -> Cell | None:
        """Return the cell with this number in the request with nothing left open; None: it cannot be drawn."""
        parts = self._parts
        parts.cancel.check()
        request = self._seeds.closed(cell)
        try:
            models = self._models_of(number)
            made = close_request(parts, self._finder, request, models, parts.draw_seed)
        except StorageError:
            raise  # The other cells would fare no better.
        except SteadyError as error:
            logger.warning("A cell of the grid is left out: %s", error)
            self.refused[str(error)] = self.refused.get(str(error), 0) + 1
            return None
        self.notes += made.notes
        return Cell(place=cell.place, drawn=made.resolved)

    def _models_of(self, number: int) -> Models:
        place = self._choice.cells[number]
        if place not in self._found:
            try:
                self._found[place] = self._finder.of_choice(self._choice.choices[place])
            except SteadyError as error:
                self._found[place] = error
        found = self._found[place]
        if isinstance(found, SteadyError):
            raise found
        return found
