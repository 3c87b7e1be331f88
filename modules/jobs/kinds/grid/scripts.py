"""The scripts of A1111 that make a grid of a request."""

from __future__ import annotations

from collections.abc import Mapping

from modules.errors import InvalidRequest
from modules.jobs.kinds.grid.matrix import PROMPT_MATRIX
from modules.jobs.kinds.grid.prompt_lines import PROMPTS_FROM_FILE
from modules.jobs.kinds.grid.script import Script
from modules.jobs.kinds.grid.xyz import XYZ_PLOT
from modules.jobs.lenient import show

SCRIPTS: Mapping[str, Script] = {one.title: one for one in (PROMPT_MATRIX, PROMPTS_FROM_FILE, XYZ_PLOT)}


def find_script(name: object, tab: str) -> Script:
    """Return the script of this title, in any case.

    Raises:
        InvalidRequest: there is none.
    """
    found = script_named(name)
    if found is None:
        message = f"Script {show(name)} not found: use {', '.join(SCRIPTS)}, or leave it out and send {tab}."
        raise InvalidRequest(message, "script")
    return found


def script_named(name: object) -> Script | None:
    """Return the script of this title, in any case; None: there is none."""
    if not isinstance(name, str):
        return None
    return next((one for title, one in SCRIPTS.items() if title.casefold() == name.strip().casefold()), None)
