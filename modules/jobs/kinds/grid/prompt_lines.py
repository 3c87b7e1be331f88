"""A1111's prompts from file or textbox: a picture, or several, of each line, which may have options of its own.

    a red cat
    --prompt "a blue cat" --negative_prompt blurry --steps 30 --seed 7

A line whose options cannot be read is a prompt as it stands, as with A1111, and the job's notes say so.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from modules.errors import InvalidRequest
from modules.jobs.kinds.drawing_request import DrawingRequest
from modules.jobs.kinds.grid.axis_option import SETTINGS, Fields, Tab
from modules.jobs.kinds.grid.cell_request import (
    CELLS_MOST,
    OF_ALL,
    CellRequest,
    OpenSeed,
    Plan,
    changed,
    check_count,
)
from modules.jobs.kinds.grid.layout import Axis, Layout, shortened
from modules.jobs.kinds.grid.script import ARGUMENTS, Arguments, Script, on_off, one_of, words
from modules.jobs.lenient import show

TITLE = "Prompts from file or textbox"
FIELD = f"{ARGUMENTS}.prompt_txt"
TEXT_LONGEST = 100_000
_NOTES_MOST = 5
_PROMPTS = ("prompt", "negative_prompt")
_WHOLE = ("seed", "subseed", "seed_resize_from_h", "seed_resize_from_w", "steps", "width", "height")
_COUNTS = ("batch_size", "n_iter")
_REAL = ("subseed_strength", "cfg_scale")
_SWITCHES = ("restore_faces", "tiling", "do_not_save_samples", "do_not_save_grid")
# A text must not choose where files go; the others are of A1111's page, or do nothing there either.
_PATHS = ("outpath_samples", "outpath_grids")
_WITHOUT_EFFECT = ("prompt_for_display",)


class Line(NamedTuple):
    """A line: what it sets in its cell's fields, and what people are to know of how it was read."""

    number: int
    fields: Mapping[str, Any]
    told: str | None = None


def plan(base: DrawingRequest, arguments: Arguments, _tab: Tab) -> Plan:
    """Return a cell for each line that is not empty, one below the other; there is no sheet of them.

    Raises:
        InvalidRequest: there is no line, or one asks for what is not possible.
    """
    texts = [(number, line.strip()) for number, line in enumerate(arguments["prompt_txt"].splitlines(), start=1)]
    texts = [(number, line) for number, line in texts if line]
    if not texts:
        raise InvalidRequest("There is no prompt: write one on each line.", FIELD)
    if len(texts) > CELLS_MOST:
        message = f"The list has {len(texts):,} prompts: {CELLS_MOST:,} are possible at once."
        raise InvalidRequest(message, FIELD)
    lines = [read_line(number, text) for number, text in texts]
    fields = base.model_dump(mode="json")
    cells = tuple(_cell(base, fields, line, place, arguments) for place, line in enumerate(lines))
    check_count(0, sum(cell.request.image_count for cell in cells), FIELD)
    prompts = (line.fields.get("prompt", text) for line, (_number, text) in zip(lines, texts, strict=True))
    legend = tuple(shortened(prompt) for prompt in prompts)
    layout = Layout(
        script=TITLE, y=Axis(label="Prompt", values=legend), legend=False, has_sheet=False, pairs={"Script": TITLE}
    )
    told = [line.told for line in lines if line.told is not None]
    more = len(told) - _NOTES_MOST
    shown = (*told[:_NOTES_MOST], *([f"And {more:,} more lines of this kind."] if more > 0 else []))
    varied = frozenset({"sd_model_checkpoint"})
    return Plan(layout, cells, {}, varied, lambda error, cell: _at_line(error, lines[cell.place[1]].number), shown)


def read_line(number: int, text: str) -> Line:
    """Return what a line says. One that has no options, or whose options cannot be read, is a prompt.

    Raises:
        InvalidRequest: an option has a value that it cannot have.
    """
    if "--" not in text:
        return Line(number, {"prompt": text})
    try:
        options = _options(shlex.split(text))
    except ValueError as error:
        return Line(number, {"prompt": text}, f"Line {number} is a prompt as it stands: {error}.")
    try:
        return Line(number, _read(options), _paths_told(number, options))
    except InvalidRequest as error:
        raise _at_line(error, number) from error


def _options(entries: Sequence[str]) -> dict[str, str]:
    """Return options with their values.

    Raises:
        ValueError: there are words that belong to none, one has no value, or is not known.
    """
    options: dict[str, str] = {}
    rest = list(entries)
    while rest:
        option = rest.pop(0)
        name = option.removeprefix("--")
        if name == option:
            raise ValueError(f"{show(option)} is no option, which begin with --")
        if not rest:
            raise ValueError(f"{option} has no value")
        if name not in _READ and name not in _PROMPTS:
            raise ValueError(f"{option} is no option")
        options[name] = rest.pop(0)
        while name in _PROMPTS and rest and not rest[0].startswith("--"):
            options[name] += f" {rest.pop(0)}"
    return options


def _read(options: Mapping[str, str]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in options.items():
        fields |= {name: value} if name in _PROMPTS else _READ[name](name, value)
    return fields


def _as_it_is(name: str, value: str) -> dict[str, Any]:
    return {name: value}


def _number(name: str, value: str) -> dict[str, Any]:
    try:
        float(value)
    except ValueError:
        raise InvalidRequest(f"--{name} {show(value)} is no number.") from None
    return {name: value}


def _switch(name: str, value: str) -> dict[str, Any]:
    return {name: value == "true"}


def _styles(name: str, value: str) -> dict[str, Any]:
    return {name: [style.strip() for style in value.split(",") if style.strip()]}


def _model(_name: str, value: str) -> dict[str, Any]:
    return {SETTINGS: {"sd_model_checkpoint": value}}


def _sampler(_name: str, value: str) -> dict[str, Any]:
    """Return a sampler by its name. A number does nothing with A1111 either."""
    return {} if value.isdecimal() else {"sampler_name": value}


def _nothing(_name: str, _value: str) -> dict[str, Any]:
    return {}


_READ: Mapping[str, Callable[[str, str], dict[str, Any]]] = {
    **dict.fromkeys((*_WHOLE, *_COUNTS, *_REAL), _number),
    **dict.fromkeys(_SWITCHES, _switch),
    **dict.fromkeys((*_PATHS, *_WITHOUT_EFFECT), _nothing),
    "styles": _styles,
    "sd_model": _model,
    "sampler_name": _as_it_is,
    "sampler_index": _sampler,
}


def _paths_told(number: int, options: Mapping[str, str]) -> str | None:
    named = [f"--{name}" for name in _PATHS if name in options]
    if not named:
        return None
    return f"Line {number}: {', '.join(named)} is left out: where pictures are saved is a setting."


def _cell(base: DrawingRequest, fields: Fields, line: Line, place: int, arguments: Arguments) -> CellRequest:
    own, said = dict(fields), dict(line.fields)
    for name in _PROMPTS:
        if said.get(name) and own[name]:
            both = (said[name], own[name]) if arguments["prompt_position"] == "start" else (own[name], said[name])
            said[name] = " ".join(both)
    said[SETTINGS] = own[SETTINGS] | said.get(SETTINGS, {})
    more = place * base.image_count if arguments["checkbox_iterate"] else 0
    shared = "seed" not in said and (arguments["checkbox_iterate"] or arguments["checkbox_iterate_batch"])
    if own["seed"] != -1:
        own["seed"] += more
    try:
        request = changed(base, own | said)
    except InvalidRequest as error:
        raise _at_line(error, line.number) from error
    its_own = OpenSeed(f"line {line.number}")
    return CellRequest((0, place, 0), request, OpenSeed(OF_ALL, more) if shared else its_own, its_own)


def _at_line(error: InvalidRequest, number: int) -> InvalidRequest:
    return InvalidRequest(f"Line {number}: {error}", FIELD)


PROMPTS_FROM_FILE = Script(
    TITLE,
    (
        on_off("checkbox_iterate", "Iterate seed every line"),
        on_off("checkbox_iterate_batch", "Use same random seed for all lines"),
        one_of("prompt_position", "Insert prompts at the", ("start", "end"), "start"),
        words("prompt_txt", "List of prompt inputs", TEXT_LONGEST),
    ),
    plan,
)
