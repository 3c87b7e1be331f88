"""The scripts that script_name of a request may name, and their arguments, as A1111 lists them."""

from __future__ import annotations

from typing import Any

from modules.jobs.kinds.grid.axis_option import Tab
from modules.jobs.kinds.grid.script import Argument
from modules.jobs.kinds.grid.scripts import SCRIPTS
from modules.jobs.kinds.scripts import SD_UPSCALE

_TABS: tuple[Tab, ...] = ("txt2img", "img2img")
# In A1111's order, with its bounds; of the first, which are words for its page, nothing is read.
_SD_UPSCALE_ARGUMENTS = (
    ("", "", None, None, None),
    ("Tile overlap", 64, 0, 256, 16),
    ("Upscaler", "None", None, None, None),
    ("Scale Factor", 2.0, 1.0, 4.0, 0.05),
)


def script_list() -> dict[Tab, list[str]]:
    """Return the titles of each tab's scripts, in small letters."""
    titles = [title.casefold() for title in SCRIPTS]
    return {"txt2img": titles, "img2img": [*titles, SD_UPSCALE]}


def script_infos() -> list[dict[str, Any]]:
    """Return each tab's scripts with their arguments, in the order in which script_args has them."""
    infos = [
        _info(title.casefold(), tab, [_argument(one, tab) for one in script.arguments])
        for tab in _TABS
        for title, script in SCRIPTS.items()
    ]
    arguments = [
        {"label": label, "value": value, "minimum": low, "maximum": high, "step": step, "choices": None}
        for label, value, low, high, step in _SD_UPSCALE_ARGUMENTS
    ]
    return [*infos, _info(SD_UPSCALE, "img2img", arguments)]


def _info(name: str, tab: Tab, arguments: list[dict[str, Any]]) -> dict[str, Any]:
    return {"name": name, "is_alwayson": False, "is_img2img": tab == "img2img", "args": arguments}


def _argument(one: Argument, tab: Tab) -> dict[str, Any]:
    low, high, step = one.bounds or (None, None, None)
    return {
        "label": one.label,
        "value": one.default,
        "minimum": low,
        "maximum": high,
        "step": step,
        "choices": list(one.choices(tab)) or None,
    }
