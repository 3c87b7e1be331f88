"""An axis of an X/Y/Z plot as it was asked for, by the three arguments that each has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from modules.errors import InvalidRequest
from modules.jobs.kinds.grid.axes import NOTHING, find_option, options_of
from modules.jobs.kinds.grid.axis_option import AxisOption, Fields, Tab
from modules.jobs.kinds.grid.layout import LETTERS, Axis, shortened
from modules.jobs.kinds.grid.script import ARGUMENTS, Argument, Arguments, words
from modules.jobs.kinds.grid.value_forms import Value, as_text, texts_in
from modules.jobs.lenient import fault, is_blank, show, text

SEEDS = ("seed", "subseed")
_VALUES_LONGEST = 20_000
_NAMES_MOST = 1000


@dataclass(frozen=True)
class AxisRequest:
    """An axis as it was asked for: `text` is how its values were written."""

    letter: str
    option: AxisOption
    values: tuple[Value, ...]
    text: str

    @property
    def seed_field(self) -> str | None:
        """Which seed its values are, "seed" or "subseed"; None: they are no seeds."""
        return next((name for name in SEEDS if self.option.fields == (name,)), None)

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
    option = option_of(letter, arguments, tab)
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


def option_of(letter: str, arguments: Arguments, tab: Tab) -> AxisOption:
    """Return what varies along an axis.

    Raises:
        InvalidRequest: there is no such axis; with the argument.
    """
    try:
        return find_option(arguments[f"{letter}_type"], tab)
    except InvalidRequest as error:
        raise InvalidRequest(f"{letter.upper()} type: {error}", f"{ARGUMENTS}.{letter}_type") from error


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


def arguments_of(letter: str, default: str) -> tuple[Argument, ...]:
    """Return the arguments of an axis: what varies, its values as a text, and as a list of names."""
    values = words(f"{letter}_values", f"{letter.upper()} values", _VALUES_LONGEST)
    return _axis_type(letter, default), values, _dropdown(letter)
