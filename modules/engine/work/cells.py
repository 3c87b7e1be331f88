"""The cells of a grid as portions of its job: what is left of each, and what the bar is told of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from modules.engine.engine_parts import EngineParts
from modules.engine.progress.bar import JobProgress
from modules.engine.progress.parts import Planned
from modules.engine.progress.timings import Experience
from modules.engine.work.economy import Economy
from modules.engine.work.portion import BatchLeft, Portion, experience_of
from modules.jobs.kinds.base import ResolvedJob
from modules.jobs.kinds.grid.resolved import ResolvedGrid
from modules.jobs.rows import Job

_AS_ASKED = Economy()
# The weights of a model and the number format that they are held in.
Weights = tuple[str, str]


@dataclass(frozen=True)
class CellLeft:
    """The cell with this number, as a portion of the job, and its batches, of which some may be done."""

    number: int
    portion: Portion
    batches: Sequence[BatchLeft]

    @property
    def missing(self) -> int:
        """How many of its batches are left."""
        return sum(bool(batch.missing) for batch in self.batches)

    @property
    def first_left(self) -> int:
        """The index in the job of the picture that is drawn first of those that are left."""
        return self.portion.in_job(next(batch.indices[0] for batch in self.batches if batch.missing))


def cells_of(
    job: Job, token: int, progress: JobProgress, grid: ResolvedGrid, complete: frozenset[int]
) -> list[CellLeft]:
    """Return all cells in order. `complete` are the indices of the pictures that are there."""
    cells: list[CellLeft] = []
    for number, cell in enumerate(grid.cells):
        economy = Economy.of_cell(job.economy, number) or _AS_ASKED
        first = grid.first_of(number)
        portion = Portion(job, token, progress, cell.drawn, economy, grid.image_count, first)
        cells.append(CellLeft(number, portion, portion.batches(complete)))
    counts = [cell.portion.jobs_of(len(cell.batches)) for cell in cells]
    total = sum(counts)
    return [
        replace(cell, portion=replace(cell.portion, jobs_before=done - count, jobs_after=total - done))
        for cell, count, done in zip(cells, counts, accumulate(counts), strict=True)
    ]


def plan_of(parts: EngineParts, cells: Sequence[CellLeft]) -> tuple[list[Planned], list[Experience]]:
    """Return what the bar is told: the cells, and what is known of each of their models.

    A model that was in memory is expected to stay there as long as its cells stand together.
    """
    experiences: dict[Experience, int] = {}
    planned: list[Planned] = []
    there = {(key.sha256, key.dtype) for key in parts.model_cache.keys}
    for cell in cells:
        portion, resolved = cell.portion, cell.portion.resolved
        model = experiences.setdefault(experience_of(parts, portion), len(experiences))
        first, *others = _weights_of(resolved)
        planned.append(
            Planned(
                resolved.passes,
                [(batch.indices, batch.missing) for batch in cell.batches],
                loads=first not in there,
                loads_another=any(one not in there for one in others),
                first=portion.first,
                model=model,
            )
        )
        if cell.missing:
            there |= {first, *others}
    return planned, list(experiences)


def _weights_of(resolved: ResolvedJob) -> list[Weights]:
    """Return the models of all passes, that of the first one first."""
    return [(resolved.checkpoint_of(number).hash, resolved.dtype) for number in range(len(resolved.passes))]
