"""A request of many pictures that differ by what a script says: a txt2img or img2img request, and that script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, Self, cast

from pydantic import (
    Field,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)
from pydantic.json_schema import SkipJsonSchema

from modules.errors import InvalidRequest
from modules.jobs.kinds.base import ResolvedJob, Saving
from modules.jobs.kinds.choice import Choice
from modules.jobs.kinds.drawing_request import DrawingRequest
from modules.jobs.kinds.faults import fault_at, first_fault
from modules.jobs.kinds.grid.axis_option import Tab
from modules.jobs.kinds.grid.cell_request import CellRequest, Plan, check_count
from modules.jobs.kinds.grid.choice import FullNames, GridChoice
from modules.jobs.kinds.grid.layout import LETTERS, Axis, Layout, Place
from modules.jobs.kinds.grid.resolved import Cell, ResolvedGrid
from modules.jobs.kinds.grid.script import ARGUMENTS
from modules.jobs.kinds.grid.scripts import SCRIPTS, find_script
from modules.jobs.kinds.img2img import Img2ImgRequest
from modules.jobs.kinds.own_words import all_prompts
from modules.jobs.kinds.request import JobRequest
from modules.jobs.kinds.starts import Pictures
from modules.jobs.kinds.txt2img import Txt2ImgRequest
from modules.jobs.kinds.writing import written
from modules.jobs.lenient import show
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.options import Settings

BASES: Mapping[str, type[DrawingRequest]] = {one.kind: one for one in (Txt2ImgRequest, Img2ImgRequest)}
_OWN = ("of", "script", ARGUMENTS)
# The fields that the size of a picture follows from, where it is not that of all cells.
_SIZES = ("width", "height", "scale", "hr_scale")


class GridRequest(JobRequest):
    """A grid. Beside its own fields stand those of a request of the kind `of`, which `base` is read from.

    `script` is A1111's title, `script_args` that script's arguments: a list in A1111's order, or an object by their
    names. A row holds all of them by name.
    """

    kind: ClassVar[str] = "grid"

    of: Tab
    script: str
    script_args: dict[str, Any] = Field(default_factory=dict)
    base: SkipJsonSchema[DrawingRequest] = Field(exclude=True)

    @model_validator(mode="before")
    @classmethod
    def _read(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        try:
            of = data.get("of")
            if not isinstance(of, str) or of not in BASES:
                raise InvalidRequest(f"of {show(of)} is not possible: use {' or '.join(BASES)}.", "of")
            script = find_script(data.get("script"), of)
            arguments = script.read(data.get(ARGUMENTS), cast(Tab, of))
            base = BASES[of].model_validate({name: value for name, value in data.items() if name not in _OWN})
        except ValidationError as error:
            raise fault_at(first_fault(error)) from error
        except InvalidRequest as error:
            raise fault_at(error) from error
        return {**data, "script": script.title, ARGUMENTS: arguments, "base": base}

    @model_validator(mode="after")
    def _check_cells(self) -> Self:
        try:
            if not self.plan.cells:
                raise InvalidRequest(f"{self.script} has nothing to draw.", ARGUMENTS)
        except InvalidRequest as error:
            raise fault_at(error) from error
        return self

    @model_serializer(mode="wrap")
    def _flat(self, handler: SerializerFunctionWrapHandler, info: SerializationInfo) -> dict[str, Any]:
        own: dict[str, Any] = handler(self)
        return self.base.model_dump(mode=info.mode) | own

    @cached_property
    def plan(self) -> Plan:
        """What the script makes of the request: cells, all of them valid, and how they are seen."""
        return SCRIPTS[self.script].plan(self.base, self.script_args, self.of)

    def cells(self) -> tuple[CellRequest, ...]:
        """Return a request for each cell, in the order of their places. Their seeds may be open: `GridSeeds`."""
        return self.plan.cells

    @property
    def image_count(self) -> int:
        """How many pictures the job makes."""
        return sum(cell.request.image_count for cell in self.cells())

    def check_inputs(self, pictures: Pictures) -> None:
        """Check that the pictures are there and the sizes possible, of each size once; a mask is the same in all cells.

        Raises:
            InvalidRequest, InputGone: as a cell's request; where a value of the script is the reason, with its field.
        """
        of_sizes = {tuple(getattr(cell.request, name, None) for name in _SIZES): cell for cell in self.cells()}
        for cell in of_sizes.values():
            try:
                cell.request.check_sizes(pictures)
            except InvalidRequest as error:
                raise self.plan.blamed(error, cell) from error
        self.cells()[0].request.check_inputs(pictures)

    def chosen(self, catalogue: CheckpointCatalogue, settings: Settings) -> GridChoice:
        """Return the models of all cells.

        Raises:
            InvalidRequest, ModelError: as a cell's request; where a value of the script is the reason, with its field.
        """
        names = FullNames(catalogue)

        def choose(cell: CellRequest) -> Choice:
            try:
                return names.of(cell, self.plan.varied).request.chosen(catalogue, settings)
            except InvalidRequest as error:
                raise self.plan.blamed(error, cell) from error

        choice = GridChoice.of(self.cells(), choose)
        self._check_combinations(catalogue, settings)
        return choice

    def _check_combinations(self, catalogue: CheckpointCatalogue, settings: Settings) -> None:
        """Check that all that the cells' prompts can become is not too much together."""
        if not (self.base.combinatorial and self.base.settings_over(settings).dynamic_prompts):
            return
        wildcards, styles = catalogue.library.wildcards.now(), catalogue.library.styles
        counts: dict[tuple[Any, ...], int] = {}
        pictures = 0
        for request in (cell.request for cell in self.cells()):
            key = (request.prompt, request.styles, request.batches)
            if key not in counts:
                words = written(request.texts()[0], styles.find(request.styles), request.settings_over(settings))
                counts[key] = max(1, len(all_prompts(words.prompt, wildcards, request.batches[1])))
            pictures += counts[key] * request.image_count
        check_count(0, pictures, "combinatorial")

    def saving(self, settings: Settings) -> Saving:
        """Return what becomes of the pictures: as of those of the request that the grid is made of."""
        return self.base.saving(self.base.settings_over(settings))

    def resolved(
        self, cells: Sequence[Cell], settings: Settings, environment: dict[str, str] | None = None
    ) -> ResolvedGrid:
        """Return the grid with nothing left open, of cells in the order in which they are to be drawn."""
        return ResolvedGrid.of(self._seen(cells), cells, self.saving(settings), environment)

    def _seen(self, cells: Sequence[Cell]) -> Layout:
        """Return the layout, in which stand the seeds that were drawn for it."""
        layout, pairs = self.plan.layout, dict(self.plan.layout.pairs)
        update: dict[str, Any] = {}
        drawn = {cell.place: cell.drawn for cell in cells}
        for letter, field in self.plan.seed_axes.items():
            axis: Axis = getattr(layout, letter)
            seeds = self._seeds_along(LETTERS.index(letter), field, drawn)
            values = (f"{axis.label}: {seeds[at]}" if at in seeds else old for at, old in enumerate(axis.values))
            update[letter] = axis.model_copy(update={"values": tuple(values)})
            pairs[f"Fixed {letter.upper()} Values"] = ", ".join(str(seed) for _at, seed in sorted(seeds.items()))
        return layout.model_copy(update=update | {"pairs": pairs})

    def _seeds_along(self, direction: int, field: str, drawn: Mapping[Place, ResolvedJob]) -> dict[int, int]:
        """Return the seeds along an axis, as that has them: without what varies them besides."""
        seeds: dict[int, int] = {}
        for cell in self.cells():
            job = drawn.get(cell.place)
            if job is not None:
                variation = cell.request.subseed if job.variation is None else job.variation.seed
                seeds.setdefault(cell.place[direction], variation if field == "subseed" else job.seed - cell.seed.more)
        return seeds
