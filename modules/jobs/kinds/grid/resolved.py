"""A grid with nothing left open: its cells, each of which is drawn as a job of its own would be."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Self

from modules.jobs.kinds.base import Resolved, ResolvedJob, Saving
from modules.jobs.kinds.frozen import Frozen
from modules.jobs.kinds.grid.layout import Layout, Place
from modules.jobs.kinds.grid.packing import Change, changes_from, with_changes
from modules.jobs.version import VERSION


class Cell(Frozen):
    """What is drawn at a place of the grid. It may be more than one picture: `drawn` has a batch size and a count."""

    place: Place
    drawn: ResolvedJob


@dataclass(frozen=True)
class Spot:
    """A picture of a grid: the number of its cell, and its index among the pictures of that cell."""

    cell: int
    index: int


class ResolvedGrid(Resolved):
    """The cells of a grid in the order in which they are drawn: those that share models stand together.

    The job's pictures are those of the first cell, then those of the second, and so on. Rows hold the first cell, and
    of each what is otherwise in it; `cells` are unpacked when somebody asks for them: the server tells of a grid with
    each event, and needs none.
    """

    layout: Layout
    places: tuple[Place, ...]
    first: ResolvedJob
    changes: tuple[tuple[Change, ...], ...]

    @classmethod
    def of(
        cls, layout: Layout, cells: Sequence[Cell], saving: Saving, environment: dict[str, str] | None = None
    ) -> Self:
        """Return the grid of these cells, of which there is one at least, in the order in which they are drawn."""
        first = cells[0].drawn.model_dump(mode="json")
        return cls(
            kind="grid",
            version=VERSION,
            saving=saving,
            environment=environment,
            layout=layout,
            places=tuple(cell.place for cell in cells),
            first=cells[0].drawn,
            changes=tuple(tuple(changes_from(first, cell.drawn.model_dump(mode="json"))) for cell in cells),
        )

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """All cells, whole."""
        first = self.first.model_dump(mode="json")
        return tuple(
            Cell(place=place, drawn=ResolvedJob.model_validate(with_changes(first, changes)) if changes else self.first)
            for place, changes in zip(self.places, self.changes, strict=True)
        )

    @property
    def image_count(self) -> int:
        """How many pictures the job makes."""
        return self._firsts[-1]

    @property
    def counts(self) -> tuple[int, ...]:
        """How many pictures each cell makes."""
        return tuple(self._counts())

    def first_of(self, cell: int) -> int:
        """Return the index in the job of the first picture of a cell."""
        return self._firsts[cell]

    def spot_of(self, index: int) -> Spot:
        """Return to which cell the picture with this index in the job belongs.

        Raises:
            IndexError: there is none.
        """
        if not 0 <= index < self.image_count:
            raise IndexError(index)
        cell = bisect_right(self._firsts, index) - 1
        return Spot(cell, index - self._firsts[cell])

    def by_place(self) -> list[int]:
        """Return the indices of the job's pictures as their places follow each other: row by row, sheet by sheet."""
        cells = sorted(range(len(self.places)), key=lambda cell: self.places[cell][::-1])
        return [index for cell in cells for index in range(self._firsts[cell], self._firsts[cell + 1])]

    def size_of(self, index: int) -> tuple[int, int]:
        """Return width and height of a finished picture."""
        spot = self.spot_of(index)
        return self.cells[spot.cell].drawn.size_of(spot.index)

    def seed_of(self, index: int) -> int:
        """Return the seed of the picture with this index."""
        spot = self.spot_of(index)
        return self.cells[spot.cell].drawn.seed_of(spot.index)

    def _counts(self) -> Iterator[int]:
        for changes in self.changes:
            own = {path[0]: value for path, value in changes if path in (("batch_size",), ("n_iter",))}
            yield own.get("batch_size", self.first.batch_size) * own.get("n_iter", self.first.n_iter)

    @cached_property
    def _firsts(self) -> tuple[int, ...]:
        """The index of the first picture of each cell, and of that which would follow the last."""
        return tuple(accumulate(self._counts(), initial=0))
