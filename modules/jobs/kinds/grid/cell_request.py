"""The cells of a grid before it is drawn: a request each, and whose seeds theirs are where they are left open."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pydantic import ValidationError

from modules.errors import InvalidRequest
from modules.jobs.kinds.drawing_request import DrawingRequest
from modules.jobs.kinds.faults import first_fault
from modules.jobs.kinds.grid.layout import Layout, Place

CELLS_MOST = 1000
PICTURES_MOST = 10_000
OF_ALL = "all"


class OpenSeed(NamedTuple):
    """Where a seed is -1: cells with the same `group` have the one that is drawn for it, plus `more`."""

    group: str = OF_ALL
    more: int = 0


@dataclass(frozen=True)
class CellRequest:
    """What is asked for at a place of the grid: a request as of a job of its own, whose seeds may be open (-1)."""

    place: Place
    request: DrawingRequest
    seed: OpenSeed
    subseed: OpenSeed


@dataclass(frozen=True)
class Plan:
    """What a script makes of a request: cells in the order of their places, and how they are seen.

    `seed_axes` are the letters of the axes whose values are seeds, with the field that each sets: what stands beside
    their pictures is known when seeds are drawn. `varied` are the fields of requests that its values set. `blamed`
    returns what is wrong with a cell as a fault of the value that is the reason. `told` is what people are to know.
    """

    layout: Layout
    cells: tuple[CellRequest, ...]
    seed_axes: Mapping[str, str] = field(default_factory=dict)
    varied: frozenset[str] = frozenset()
    blamed: Callable[[InvalidRequest, CellRequest], InvalidRequest] = lambda error, _cell: error
    told: tuple[str, ...] = ()


class GridSeeds:
    """The seeds of a grid that its request leaves open, drawn as cells ask for them."""

    def __init__(self, draw_seed: Callable[[], int]) -> None:
        self._draw_seed = draw_seed
        self._drawn: dict[tuple[str, str], int] = {}

    def closed(self, cell: CellRequest) -> DrawingRequest:
        """Return a cell's request with both seeds."""
        request = cell.request
        drawn: dict[str, int] = {}
        if request.seed == -1:
            drawn["seed"] = self._of("seed", cell.seed)
        if request.subseed == -1 and request.subseed_strength:
            drawn["subseed"] = self._of("subseed", cell.subseed)
        return request.model_copy(update=drawn) if drawn else request

    def _of(self, name: str, seed: OpenSeed) -> int:
        key = (name, seed.group)
        if key not in self._drawn:
            self._drawn[key] = self._draw_seed()
        return self._drawn[key] + seed.more


def changed(base: DrawingRequest, fields: Mapping[str, Any]) -> DrawingRequest:
    """Return a request of the same kind with other fields.

    Raises:
        InvalidRequest: it is not possible.
    """
    try:
        return type(base).model_validate(fields)
    except ValidationError as error:
        raise first_fault(error) from error


def check_count(cells: int, pictures: int, field: str) -> None:
    """Check that a grid is not too large.

    Raises:
        InvalidRequest: it is.
    """
    if cells > CELLS_MOST:
        message = f"The grid has {cells:,} cells: {CELLS_MOST:,} are possible, write fewer values."
        raise InvalidRequest(message, field)
    if pictures > PICTURES_MOST:
        message = (
            f"The grid has {pictures:,} pictures: {PICTURES_MOST:,} are possible, write fewer values, or lower "
            "n_iter and batch_size."
        )
        raise InvalidRequest(message, field)
