"""A1111's prompt matrix: `base|a|b` is drawn with each combination of its parts, of which the first is always in.

Bars within braces are of variants, `{red|blue}`, of which one is chosen for each picture.
"""

from __future__ import annotations

import re
from typing import Any

from modules.errors import InvalidRequest
from modules.jobs.kinds.drawing_request import DrawingRequest
from modules.jobs.kinds.grid.axis_option import Tab
from modules.jobs.kinds.grid.cell_request import CELLS_MOST, CellRequest, OpenSeed, Plan, changed
from modules.jobs.kinds.grid.layout import Axis, Layout, shortened
from modules.jobs.kinds.grid.script import Arguments, Script, margin, on_off, one_of

TITLE = "Prompt matrix"
_PROMPTS = {"positive": "prompt", "negative": "negative_prompt"}
_JOINED_BY = {"comma": ", ", "space": " "}
_PARTS_MOST = CELLS_MOST.bit_length() - 1
_MARK = re.compile(r"\\[{}]|[{}|]")
# What stands beside pictures of the base alone.
_BASE_ALONE = "-"


def plan(base: DrawingRequest, arguments: Arguments, _tab: Tab) -> Plan:
    """Return a cell for each combination: the first half of the parts along x, the rest along y; one picture of each.

    Raises:
        InvalidRequest: there are too many parts, or a prompt becomes too long.
    """
    name = _PROMPTS[arguments["prompt_type"]]
    first, *parts = (text.strip() for text in parts_of(str(getattr(base, name))))
    if len(parts) > _PARTS_MOST:
        message = f"The prompt has {len(parts):,} parts behind the first: at most {_PARTS_MOST} are possible here."
        raise InvalidRequest(message, name)
    parts = [part.strip(",").strip() for part in parts]
    across = (len(parts) + 1) // 2
    columns, rows = 1 << across, 1 << (len(parts) - across)
    fields = base.model_dump(mode="json") | {"batch_size": 1, "n_iter": 1}
    cells = [
        _cell(base, fields, _joined(first, parts, number, arguments), number, columns, arguments)
        for number in range(columns * rows)
    ]
    layout = Layout(
        script=TITLE,
        x=_axis(parts[:across]),
        y=_axis(parts[across:]),
        margin=arguments["margin_size"],
        pairs={"Script": TITLE},
    )
    return Plan(layout, tuple(cells), varied=frozenset({name}))


def parts_of(prompt: str) -> list[str]:
    """Return what bars part, but for those between braces that belong together."""
    opened: list[int] = []
    bars: list[int] = []
    for mark in _MARK.finditer(prompt):
        if mark[0] == "{":
            opened.append(len(bars))
        elif mark[0] == "}" and opened:
            del bars[opened.pop() :]
        elif mark[0] == "|":
            bars.append(mark.start())
    return [prompt[start:end] for start, end in zip([0, *(bar + 1 for bar in bars)], [*bars, None], strict=True)]


def _cell(
    base: DrawingRequest, fields: dict[str, Any], prompt: str, number: int, columns: int, arguments: Arguments
) -> CellRequest:
    more = number if arguments["different_seeds"] else 0
    own = {_PROMPTS[arguments["prompt_type"]]: prompt}
    if fields["seed"] != -1:
        own["seed"] = fields["seed"] + more
    y, x = divmod(number, columns)
    return CellRequest((x, y, 0), changed(base, fields | own), OpenSeed(more=more), OpenSeed())


def _joined(first: str, parts: list[str], number: int, arguments: Arguments) -> str:
    chosen = [part for place, part in enumerate(parts) if number >> place & 1]
    whole = [*chosen, first] if arguments["put_at_start"] else [first, *chosen]
    return _JOINED_BY[arguments["variations_delimiter"]].join(whole)


def _axis(parts: list[str]) -> Axis:
    if not parts:
        return Axis()
    combinations = (
        " + ".join(part for place, part in enumerate(parts) if number >> place & 1) for number in range(1 << len(parts))
    )
    return Axis(label="Prompt", values=tuple(shortened(one) or _BASE_ALONE for one in combinations))


PROMPT_MATRIX = Script(
    TITLE,
    (
        on_off("put_at_start", "Put variable parts at start of prompt"),
        on_off("different_seeds", "Use different seed for each picture"),
        one_of("prompt_type", "Select prompt", tuple(_PROMPTS), "positive"),
        one_of("variations_delimiter", "Select joining char", tuple(_JOINED_BY), "comma"),
        margin("Grid margins (px)"),
    ),
    plan,
)
