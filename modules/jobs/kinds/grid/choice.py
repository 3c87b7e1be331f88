"""The models of a grid's cells: each choice stands in its row once, and of each cell which one it has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

from modules.errors import InvalidRequest
from modules.jobs.kinds.choice import CHOSEN, Choice
from modules.jobs.kinds.frozen import Frozen
from modules.jobs.kinds.grid.axis_option import SETTINGS
from modules.jobs.kinds.grid.cell_request import CellRequest, changed
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.vae_catalogue import AUTOMATIC, NONE

# What no model, nor whether one can be used, depends on: cells that differ by these alone have the same.
_OF_NO_MODEL = frozenset({"seed", "subseed", "subseed_strength", "steps", "cfg_scale", "denoising_strength", "hr_cfg"})
_LISTED_AT_MOST = 6


class GridChoice(Frozen):
    """What was chosen when a grid was sent. `cells` says of each of `GridRequest.cells` which of `choices` it has."""

    choices: tuple[Choice, ...]
    cells: tuple[int, ...]

    @classmethod
    def of(cls, cells: Sequence[CellRequest], choose: Callable[[CellRequest], Choice]) -> Self:
        """Return the choice of cells; `choose` is asked once of those that must have the same.

        Raises:
            InvalidRequest, ModelError: as `choose`.
        """
        known: dict[str, int] = {}
        choices: dict[str, int] = {}
        found: list[Choice] = []
        of_cells: list[int] = []
        for cell in cells:
            asked = cell.request.model_dump_json(exclude=set(_OF_NO_MODEL))
            if asked not in known:
                choice = choose(cell)
                written = choice.model_dump_json()
                if written not in choices:
                    choices[written] = len(found)
                    found.append(choice)
                known[asked] = choices[written]
            of_cells.append(known[asked])
        return cls(choices=tuple(found), cells=tuple(of_cells))

    @classmethod
    def in_row(cls, request: dict[str, Any]) -> Self:
        """Return what a row's request holds.

        Raises:
            KeyError, ValidationError: it holds none; `submission` writes one with each grid.
        """
        return cls.model_validate(request[CHOSEN])

    def of_cell(self, number: int) -> Choice:
        """Return the choice of a cell, by its number in `GridRequest.cells`."""
        return self.choices[self.cells[number]]


class FullNames:
    """Names of models as people write them along an axis: a part of a name is enough where one model alone has it."""

    def __init__(self, catalogue: CheckpointCatalogue) -> None:
        self._catalogue = catalogue
        self._known: dict[tuple[str, str], str] = {}

    def of(self, cell: CellRequest, fields: frozenset[str]) -> CellRequest:
        """Return a cell with whole names in those of these fields of its request that name models.

        Raises:
            InvalidRequest: several models could be meant; with the field.
        """
        whole: dict[str, Any] = {}
        overrides = cell.request.override_settings
        for name in fields & overrides.keys() & {"sd_model_checkpoint", "sd_vae"}:
            named = self._whole(name, str(overrides[name]))
            whole[SETTINGS] = {**whole.get(SETTINGS, overrides), name: named}
        for name in fields & {"refiner_checkpoint", "hr_checkpoint_name"}:
            if (asked := getattr(cell.request, name, None)) is not None:
                whole[name] = self._whole(name, asked)
        if not whole:
            return cell
        request = changed(cell.request, cell.request.model_dump(mode="json") | whole)
        return CellRequest(cell.place, request, cell.seed, cell.subseed)

    def _whole(self, field: str, name: str) -> str:
        if (field, name) not in self._known:
            self._known[field, name] = self._found(field, name)
        return self._known[field, name]

    def _found(self, field: str, name: str) -> str:
        if field == "sd_vae":
            names = [one.name for one in self._catalogue.vaes.list()]
            if name in (AUTOMATIC, NONE) or self._catalogue.vaes.known(name) is not None:
                return name
        else:
            names = [one.name for one in self._catalogue.list()]
            if self._catalogue.known(name) is not None:
                return name
        matching = [one for one in names if name.strip().casefold() in one.casefold()]
        if len(matching) > 1:
            listed = ", ".join(matching[:_LISTED_AT_MOST]) + (", …" if len(matching) > _LISTED_AT_MOST else "")
            raise InvalidRequest(f"{name!r} could be {listed}: write more of the name.", field)
        return matching[0] if matching else name
