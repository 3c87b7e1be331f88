"""A grid with nothing left open: its cells, each of which is drawn as a job of its own would be."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from modules.jobs.kinds.base import Resolved, ResolvedJob
from modules.jobs.kinds.frozen import Frozen
from modules.jobs.kinds.grid.layout import Layout, Place


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

    The job's pictures are those of the first cell, then those of the second, and so on.
    """

    layout: Layout
    cells: tuple[Cell, ...]

    @property
    def image_count(self) -> int:
        """How many pictures the job makes."""
        return self._firsts[-1]

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

    def size_of(self, index: int) -> tuple[int, int]:
        """Return width and height of a finished picture."""
        spot = self.spot_of(index)
        return self.cells[spot.cell].drawn.size_of(spot.index)

    def seed_of(self, index: int) -> int:
        """Return the seed of the picture with this index."""
        spot = self.spot_of(index)
        return self.cells[spot.cell].drawn.seed_of(spot.index)

    @cached_property
    def _firsts(self) -> tuple[int, ...]:
        """The index of the first picture of each cell, and of that which would follow the last."""
        return tuple(accumulate((cell.drawn.image_count for cell in self.cells), initial=0))
