"""What people choose as a script: by A1111's title, with arguments in A1111's order, each of which has a name too."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import PydanticCustomError

from modules.errors import InvalidRequest
from modules.jobs.kinds.drawing_request import DrawingRequest
from modules.jobs.kinds.grid.axis_option import Tab
from modules.jobs.kinds.grid.cell_request import Plan
from modules.jobs.lenient import Check, fault, is_blank, show, switch, text, whole_number

ARGUMENTS = "script_args"
MARGIN_HIGHEST = 500
# Arguments by their names, checked.
Arguments = Mapping[str, Any]


@dataclass(frozen=True)
class Argument:
    """One argument. `bounds` are lowest, highest and step of a number; `choices` all that a text may be, in a tab."""

    name: str
    label: str
    default: Any
    check: Check
    bounds: tuple[float, float, float] | None = None
    choices: Callable[[Tab], Sequence[str]] = lambda _tab: ()


@dataclass(frozen=True)
class Script:
    """A script. `plan` makes cells of a request and checked arguments; for it these raise InvalidRequest.

    `settle` makes of checked arguments those that a row keeps: what depends on the tab is made plain.
    """

    title: str
    arguments: tuple[Argument, ...]
    plan: Callable[[DrawingRequest, Arguments, Tab], Plan]
    settle: Callable[[dict[str, Any], Tab], dict[str, Any]] = lambda arguments, _tab: arguments

    def read(self, sent: object, tab: Tab) -> dict[str, Any]:
        """Return all arguments by their names, of a list in A1111's order or an object; those left out as with A1111.

        Raises:
            InvalidRequest: one is not possible, or there is no such argument; the field is `script_args.NAME`.
        """
        named = self._named(sent)
        read: dict[str, Any] = {}
        for one in self.arguments:
            try:
                read[one.name] = one.check(one.default if is_blank(named.get(one.name)) else named[one.name])
            except PydanticCustomError as error:
                raise InvalidRequest(str(error), f"{ARGUMENTS}.{one.name}") from error
        return self.settle(read, tab)

    def _named(self, sent: object) -> Mapping[str, Any]:
        names = [one.name for one in self.arguments]
        if is_blank(sent):
            return {}
        if isinstance(sent, list):
            if len(sent) > len(names):
                message = f"script_args has {len(sent)} values: {self.title} takes {len(names)}, {', '.join(names)}."
                raise InvalidRequest(message, ARGUMENTS)
            return dict(zip(names, sent, strict=False))
        if not isinstance(sent, Mapping):
            message = f"script_args {show(sent)} is not possible: send a list, or an object with {', '.join(names)}."
            raise InvalidRequest(message, ARGUMENTS)
        if unknown := next((name for name in sent if name not in names), None):
            message = f"{self.title} has no argument {show(unknown)}: use {', '.join(names)}."
            raise InvalidRequest(message, ARGUMENTS)
        return sent


def on_off(name: str, label: str, default: bool = False) -> Argument:
    """Return an argument that is on or off."""
    return Argument(name, label, default, switch(label, default))


def words(name: str, label: str, longest: int) -> Argument:
    """Return an argument that is a text; a number is understood."""
    check = text(label, longest)
    return Argument(name, label, "", lambda value: check(str(value) if isinstance(value, int | float) else value))


def one_of(name: str, label: str, choices: tuple[str, ...], default: str) -> Argument:
    """Return an argument that is one of several words, in any case."""

    def check(value: Any) -> str:
        word = str(value).strip().casefold()
        if word not in choices:
            message = f"{label} {show(value)} is not possible: use {' or '.join(choices)}."
            raise fault(message)
        return word

    return Argument(name, label, default, check, choices=lambda _tab: choices)


def margin(label: str) -> Argument:
    """Return the argument of how many pixels lie between pictures."""
    check = whole_number(label, 0, MARGIN_HIGHEST, 0)
    return Argument("margin_size", label, 0, check, bounds=(0, MARGIN_HIGHEST, 2))
