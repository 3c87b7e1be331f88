"""The script of a sheet's infotext: A1111 writes the axes of an X/Y/Z plot there, as they were asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from modules.errors import InvalidRequest
from modules.jobs.kinds.grid.axes import find_option
from modules.jobs.kinds.grid.axis_option import Tab
from modules.jobs.kinds.grid.layout import LETTERS
from modules.jobs.kinds.grid.script import ARGUMENTS
from modules.jobs.kinds.grid.value_forms import texts_in
from modules.jobs.kinds.grid.xyz import TITLE

LABELS = {"script": "Script"}
_KEY = re.compile(r"Script|[XYZ] (Type|Values)|Fixed [XYZ] Values")


def is_of_script(key: str, pairs: Mapping[str, str]) -> bool:
    """Whether a pair is of a script that `take_script` reads."""
    return _KEY.fullmatch(key) is not None and pairs.get("Script") == TITLE


def take_script(pairs: Mapping[str, str], kind: str) -> tuple[dict[str, Any], list[tuple[str, str, str]]]:
    """Return `script` and its arguments for a tab of this kind, and what was not taken over and why."""
    if pairs.get("Script") != TITLE or kind not in ("txt2img", "img2img"):
        return {}, []
    tab: Tab = "img2img" if kind == "img2img" else "txt2img"
    arguments: dict[str, Any] = {}
    left: list[tuple[str, str, str]] = []
    for letter in LETTERS:
        label = pairs.get(f"{letter.upper()} Type")
        if label is None:
            continue
        try:
            option = find_option(label, tab)
            written = _values_in(pairs, letter.upper())
            listed = list(texts_in(written)) if option.choices else []
        except InvalidRequest as error:
            left.append((f"{letter.upper()} type", label, str(error)))
            continue
        arguments[f"{letter}_type"] = option.label
        arguments |= {f"{letter}_values": written, f"{letter}_values_dropdown": listed}
    return {"script": TITLE, ARGUMENTS: arguments}, left


def _values_in(pairs: Mapping[str, str], letter: str) -> str:
    """Return the values of an axis; where seeds were drawn for it, those."""
    return pairs.get(f"Fixed {letter} Values") or pairs.get(f"{letter} Values") or ""
