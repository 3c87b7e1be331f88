"""A1111's X/Y/Z plot: a picture for each combination of the values of up to three axes."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from math import prod
from typing import Any

from modules.errors import InvalidRequest
from modules.jobs.kinds.drawing_request import DrawingRequest
from modules.jobs.kinds.grid.axes import NOTHING
from modules.jobs.kinds.grid.axis_option import Fields, Tab
from modules.jobs.kinds.grid.axis_request import SEEDS, AxisRequest, arguments_of, axis_requests, option_of
from modules.jobs.kinds.grid.cell_request import OF_ALL, CellRequest, OpenSeed, Plan, changed, check_count
from modules.jobs.kinds.grid.layout import LETTERS, Layout, Place
from modules.jobs.kinds.grid.script import ARGUMENTS, Arguments, Script, margin, on_off

TITLE = "X/Y/Z plot"


def plan(base: DrawingRequest, arguments: Arguments, tab: Tab) -> Plan:
    """Return the cells of a plot: those of z = 0 row by row, then those of z = 1.

    Raises:
        InvalidRequest: with the argument at fault.
    """
    axes = axis_requests(arguments, tab)
    for axis in axes:
        if axis.option.only_hires and tab == "txt2img" and not getattr(base, "enable_hr", True):
            message = f"{axis.letter.upper()} type: {axis.option.label} is of hires fix, which is off: turn it on."
            raise InvalidRequest(message, f"{ARGUMENTS}.{axis.letter}_type")
    shape = tuple(len(axis.values) for axis in axes)
    check_count(prod(shape), 0, ARGUMENTS)
    plot = _Plot(base, base.model_dump(mode="json"), axes, arguments)
    cells = tuple(plot.cell((x, y, z)) for z, y, x in product(*(range(count) for count in reversed(shape))))
    check_count(0, sum(cell.request.image_count for cell in cells), ARGUMENTS)
    fixed = () if arguments["no_fixed_seeds"] else axes
    return Plan(
        _layout(axes, arguments),
        cells,
        seed_axes={axis.letter: axis.seed_field for axis in fixed if axis.seed_field is not None},
        varied=frozenset(name for axis in axes for name in axis.option.fields),
        blamed=lambda error, _cell: plot.blamed(error),
        told=tuple(plot.told),
    )


@dataclass(frozen=True)
class _Plot:
    """Makes the cells of a plot of a request, whose `fields` these are. `told` grows: what people are to know."""

    base: DrawingRequest
    fields: Fields
    axes: tuple[AxisRequest, ...]
    arguments: Arguments
    told: dict[str, None] = field(default_factory=dict)

    def cell(self, place: Place) -> CellRequest:
        """Return the cell of a place.

        Raises:
            InvalidRequest: there is none; with the argument at fault.
        """
        own, keeps = dict(self.fields), self.arguments["no_fixed_seeds"]
        groups = dict.fromkeys(SEEDS, f"{place}" if keeps else OF_ALL)
        for axis, at in zip(self.axes, place, strict=True):
            axis.set(own, at)
            if axis.seed_field is not None and not keeps:
                groups[axis.seed_field] = f"{axis.letter}{at}"
        more = self._more(place)
        if own["seed"] != -1:
            own["seed"] += more
        try:
            request = self._request(own)
        except InvalidRequest as error:
            raise self._named(error, place) from error
        return CellRequest(place, request, OpenSeed(groups["seed"], more), OpenSeed(groups["subseed"]))

    def blamed(self, error: InvalidRequest) -> InvalidRequest:
        """Return what is wrong with the models of a cell as a fault of the axis that names them."""
        axis = next((axis for axis in self.axes if error.field in axis.option.fields), None)
        return error if axis is None else axis.at_fault(error)

    def _more(self, place: Place) -> int:
        """Return by how much a cell's seed is higher than that of the first: as A1111 varies seeds along axes."""
        more, step = 0, 1
        for axis, at in zip(self.axes, place, strict=True):
            if self.arguments[f"vary_seeds_{axis.letter}"]:
                more += at * step
                step *= len(axis.values)
        return more

    def _request(self, own: Fields) -> DrawingRequest:
        """Return a cell's request. As with A1111 a sampler of the axis that has its own noise levels goes by these."""
        try:
            return changed(self.base, own)
        except InvalidRequest as error:
            if error.field != "scheduler" or not any("sampler_name" in axis.option.fields for axis in self.axes):
                raise
            request = changed(self.base, own | {"scheduler": "Automatic"})
            told = f"{request.sampler_name} has noise levels of its own: in place of {own['scheduler']} it is drawn "
            self.told[f"{told}with Automatic."] = None
            return request

    def _named(self, error: InvalidRequest, place: Place) -> InvalidRequest:
        """Return what is wrong with a cell as a fault of the axis whose value is the reason, else of all together."""
        for axis, at in zip(self.axes, place, strict=True):
            alone = dict(self.fields)
            try:
                axis.option.apply(alone, axis.values[at], axis.values)
                changed(self.base, alone)
            except InvalidRequest as own:
                return axis.at_fault(own)
        values = [axis.layout().values[at] for axis, at in zip(self.axes, place, strict=True)]
        return InvalidRequest(f"{', '.join(filter(None, values))}: {error}", ARGUMENTS)


def _layout(axes: tuple[AxisRequest, ...], arguments: Arguments) -> Layout:
    """Return how a plot is seen, with what A1111 writes into its infotext."""
    pairs = {"Script": TITLE}
    for axis in axes:
        if axis.option is not NOTHING:
            letter = axis.letter.upper()
            pairs |= {f"{letter} Type": axis.option.label, f"{letter} Values": axis.text}
    x, y, z = (axis.layout() for axis in axes)
    return Layout(
        script=TITLE,
        x=x,
        y=y,
        z=z,
        legend=arguments["draw_legend"],
        margin=arguments["margin_size"],
        sub_grids=arguments["include_sub_grids"],
        lone_images=arguments["include_lone_images"],
        pairs=pairs,
    )


def _settle(arguments: dict[str, Any], tab: Tab) -> dict[str, Any]:
    """Return the arguments with labels of axes in place of numbers, which differ from tab to tab."""
    labels = {f"{letter}_type": option_of(letter, arguments, tab).label for letter in LETTERS}
    return arguments | labels


XYZ_PLOT = Script(
    TITLE,
    (
        *arguments_of("x", "Seed"),
        *arguments_of("y", "Nothing"),
        *arguments_of("z", "Nothing"),
        on_off("draw_legend", "Draw legend", True),
        on_off("include_lone_images", "Include Sub Images"),
        on_off("include_sub_grids", "Include Sub Grids"),
        on_off("no_fixed_seeds", "Keep -1 for seeds"),
        on_off("vary_seeds_x", "Vary seeds for X"),
        on_off("vary_seeds_y", "Vary seeds for Y"),
        on_off("vary_seeds_z", "Vary seeds for Z"),
        margin("Grid margins (px)"),
        on_off("csv_mode", "Use text inputs instead of dropdowns"),
    ),
    plan,
    _settle,
)
