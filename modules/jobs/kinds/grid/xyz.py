"""A1111's X/Y/Z plot: a picture for each combination of the values of up to three axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

from modules.errors import InvalidRequest
from modules.jobs.kinds.drawing_request import DrawingRequest
from modules.jobs.kinds.grid.axes import NOTHING, find_option, options_of
from modules.jobs.kinds.grid.axis_option import AxisOption, Fields, Tab
from modules.jobs.kinds.grid.cell_request import OF_ALL, CellRequest, OpenSeed, Plan, changed, check_count
from modules.jobs.kinds.grid.layout import LETTERS, Axis, Layout, Place, shortened
from modules.jobs.kinds.grid.script import ARGUMENTS, Argument, Arguments, Script, margin, on_off, words
from modules.jobs.kinds.grid.value_forms import Value, as_text, texts_in
from modules.jobs.lenient import fault, is_blank, show, text

TITLE = "X/Y/Z plot"
_VALUES_LONGEST = 20_000
_NAMES_MOST = 1000
_SEEDS = ("seed", "subseed")


@dataclass(frozen=True)
class AxisRequest:
    """An axis as it was asked for: `text` is how its values were written."""

    letter: str
    option: AxisOption
    values: tuple[Value, ...]
    text: str

    @property
    def field(self) -> str:
        """The argument that is at fault when a value is."""
        return f"{ARGUMENTS}.{self.letter}_values"

    def layout(self) -> Axis:
        """Return the axis as it is seen."""
        if self.option is NOTHING:
            return Axis()
        written = (self.option.written(self.option.label, value) for value in self.values)
        return Axis(label=self.option.label, values=tuple(shortened(one) for one in written))

    def set(self, fields: Fields, at: int) -> None:
        """Set the value of a place in the fields of a cell.

        Raises:
            InvalidRequest: it cannot be set there.
        """
        try:
            self.option.apply(fields, self.values[at], self.values)
        except InvalidRequest as error:
            raise self.at_fault(error) from error

    def at_fault(self, error: InvalidRequest) -> InvalidRequest:
        """Return an error as one of this axis."""
        return InvalidRequest(f"{self.letter.upper()} values: {error}", self.field)


def axis_requests(arguments: Arguments, tab: Tab) -> tuple[AxisRequest, ...]:
    """Return the axes x, y and z.

    Raises:
        InvalidRequest: with the argument at fault.
    """
    return tuple(_axis(letter, arguments, tab) for letter in LETTERS)


def _axis(letter: str, arguments: Arguments, tab: Tab) -> AxisRequest:
    option = _option(letter, arguments, tab)
    if option is NOTHING:
        return AxisRequest(letter, option, ("",), "")
    chosen = () if arguments["csv_mode"] or option.choices is None else arguments[f"{letter}_values_dropdown"]
    written = as_text(chosen) if chosen else arguments[f"{letter}_values"]
    axis = AxisRequest(letter, option, (), written)
    try:
        values = option.read(chosen or texts_in(written))
    except InvalidRequest as error:
        raise axis.at_fault(error) from error
    if not values:
        message = f"{letter.upper()} values is empty: write values of {option.label}, or choose Nothing as its type."
        raise InvalidRequest(message, axis.field)
    return AxisRequest(letter, option, values, written)


def _option(letter: str, arguments: Arguments, tab: Tab) -> AxisOption:
    try:
        return find_option(arguments[f"{letter}_type"], tab)
    except InvalidRequest as error:
        raise InvalidRequest(f"{letter.upper()} type: {error}", f"{ARGUMENTS}.{letter}_type") from error


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
    fields = base.model_dump(mode="json")
    places = [(x, y, z) for z, y, x in product(*(range(count) for count in reversed(shape)))]
    told: dict[str, None] = {}
    cells = tuple(_cell(base, fields, axes, place, arguments, told) for place in places)
    check_count(0, sum(cell.request.image_count for cell in cells), ARGUMENTS)
    x, y, z = (axis.layout() for axis in axes)
    layout = Layout(
        script=TITLE,
        x=x,
        y=y,
        z=z,
        legend=arguments["draw_legend"],
        margin=arguments["margin_size"],
        sub_grids=arguments["include_sub_grids"],
        lone_images=arguments["include_lone_images"],
        pairs=_pairs(axes),
    )
    varied = frozenset(name for axis in axes for name in axis.option.fields)
    seed_axes = _seed_axes(axes, arguments)
    return Plan(layout, cells, seed_axes, varied, lambda error, _cell: _of_axis(error, axes), tuple(told))


def _cell(
    base: DrawingRequest,
    fields: Fields,
    axes: Sequence[AxisRequest],
    place: Place,
    arguments: Arguments,
    told: dict[str, None],
) -> CellRequest:
    own = dict(fields)
    group = f"{place}" if arguments["no_fixed_seeds"] else OF_ALL
    groups = dict.fromkeys(_SEEDS, group)
    for axis, at in zip(axes, place, strict=True):
        axis.set(own, at)
        if group == OF_ALL and axis.option.fields[:1] in (("seed",), ("subseed",)):
            groups[axis.option.fields[0]] = f"{axis.letter}{at}"
    more = _more(axes, place, arguments)
    if own["seed"] != -1:
        own["seed"] += more
    try:
        request = _with_any_sampler(base, own, axes, told)
    except InvalidRequest as error:
        raise named_fault(error, base, fields, axes, place) from error
    return CellRequest(place, request, OpenSeed(groups["seed"], more), OpenSeed(groups["subseed"]))


def _with_any_sampler(
    base: DrawingRequest, own: Fields, axes: Sequence[AxisRequest], told: dict[str, None]
) -> DrawingRequest:
    """Return a cell's request. As with A1111 a sampler of the axis that has its own noise levels goes by these."""
    try:
        return changed(base, own)
    except InvalidRequest as error:
        if error.field != "scheduler" or not any("sampler_name" in axis.option.fields for axis in axes):
            raise
        request = changed(base, own | {"scheduler": "Automatic"})
        sampler, schedule = request.sampler_name, own["scheduler"]
        told[f"{sampler} has noise levels of its own: in place of {schedule} it is drawn with Automatic."] = None
        return request


def _more(axes: Sequence[AxisRequest], place: Place, arguments: Arguments) -> int:
    """Return by how much a cell's seed is higher than that of the first: as A1111 varies seeds along axes."""
    more, step = 0, 1
    for axis, at in zip(axes, place, strict=True):
        if arguments[f"vary_seeds_{axis.letter}"]:
            more += at * step
            step *= len(axis.values)
    return more


def named_fault(
    error: InvalidRequest, base: DrawingRequest, fields: Fields, axes: Sequence[AxisRequest], place: Place
) -> InvalidRequest:
    """Return what is wrong with a cell as a fault of the axis whose value is the reason, else of all together."""
    for axis, at in zip(axes, place, strict=True):
        alone = dict(fields)
        try:
            axis.option.apply(alone, axis.values[at], axis.values)
            changed(base, alone)
        except InvalidRequest as own:
            return axis.at_fault(own)
    where = ", ".join(axis.layout().values[at] for axis, at in zip(axes, place, strict=True) if axis.option != NOTHING)
    return InvalidRequest(f"{where}: {error}", ARGUMENTS)


def _of_axis(error: InvalidRequest, axes: Sequence[AxisRequest]) -> InvalidRequest:
    """Return what is wrong with the models of a cell as a fault of the axis that names them."""
    axis = next((axis for axis in axes if error.field in axis.option.fields), None)
    return error if axis is None else axis.at_fault(error)


def _seed_axes(axes: Sequence[AxisRequest], arguments: Arguments) -> dict[str, str]:
    if arguments["no_fixed_seeds"]:
        return {}
    return {axis.letter: axis.option.fields[0] for axis in axes if axis.option.fields[:1] in (("seed",), ("subseed",))}


def _pairs(axes: Sequence[AxisRequest]) -> dict[str, str]:
    """Return what A1111 writes into the infotext of a plot."""
    pairs = {"Script": TITLE}
    for axis in axes:
        if axis.option is not NOTHING:
            letter = axis.letter.upper()
            pairs |= {f"{letter} Type": axis.option.label, f"{letter} Values": axis.text}
    return pairs


def _axis_type(letter: str, default: str) -> Argument:
    """Return the argument that is an axis: by its label, or the place of that among the choices of a tab."""

    def labels(tab: Tab) -> list[str]:
        return [one.label for one in options_of(tab)]

    return Argument(f"{letter}_type", f"{letter.upper()} type", default, lambda value: value, choices=labels)


def _dropdown(letter: str) -> Argument:
    label = f"{letter.upper()} values"
    check = text(label, _VALUES_LONGEST)

    def names(value: Any) -> list[str]:
        sent = [] if is_blank(value) else [value] if isinstance(value, str) else value
        if not isinstance(sent, list | tuple) or len(sent) > _NAMES_MOST:
            raise fault(f"{label} {show(value)} is not possible: send a list of at most {_NAMES_MOST:,} names.")
        return [check(one) for one in sent]

    return Argument(f"{letter}_values_dropdown", label, [], names)


def _arguments_of(letter: str, default: str) -> tuple[Argument, ...]:
    values = words(f"{letter}_values", f"{letter.upper()} values", _VALUES_LONGEST)
    return _axis_type(letter, default), values, _dropdown(letter)


def _settle(arguments: dict[str, Any], tab: Tab) -> dict[str, Any]:
    """Return the arguments with labels of axes in place of numbers, which differ from tab to tab."""
    labels = {f"{letter}_type": _option(letter, arguments, tab).label for letter in LETTERS}
    return arguments | labels


XYZ_PLOT = Script(
    TITLE,
    (
        *_arguments_of("x", "Seed"),
        *_arguments_of("y", "Nothing"),
        *_arguments_of("z", "Nothing"),
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
