"""How the words of a picture were read, as A1111 writes it: emphasis, and the old timelines of changing prompts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from modules.images.a1111_parameters import OLD_EDITING, of_older_versions
from modules.jobs.kinds.base import Emphasis

LABELS = {"emphasis": "Emphasis", "use_old_scheduling": "Prompt editing"}
# What an infotext means that says nothing of them.
UNSAID: Mapping[str, Any] = {"emphasis": "Original", "use_old_scheduling": "False"}
KEYS = frozenset({"Emphasis", OLD_EDITING})

_MODES = get_args(Emphasis)


def overrides_in(pairs: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings that an infotext's pairs say, under their names; what cannot be read is left out.

    Before 1.6 A1111 knew the old timelines only, and said nothing of them.
    """
    overrides: dict[str, Any] = {}
    if pairs.get("Emphasis") in _MODES:
        overrides["emphasis"] = pairs["Emphasis"]
    if {**of_older_versions(pairs), **pairs}.get(OLD_EDITING) == "True":
        overrides["use_old_scheduling"] = True
    return overrides


def own_overrides(resolved: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same of what a file of this program says of itself, which is all that differs from the usual."""
    overrides: dict[str, Any] = {}
    if resolved.get("emphasis") in _MODES:
        overrides["emphasis"] = resolved["emphasis"]
    if resolved.get("use_old_scheduling") is True:
        overrides["use_old_scheduling"] = True
    tokens = resolved.get("comma_padding_backtrack")
    if type(tokens) is int and 0 <= tokens < 75:
        overrides["comma_padding_backtrack"] = tokens
    return overrides


def take_reading(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the page's fields for these settings."""
    values: dict[str, Any] = {}
    if overrides.get("emphasis") in _MODES:
        values["emphasis"] = overrides["emphasis"]
    if overrides.get("use_old_scheduling") in (True, "True"):
        values["use_old_scheduling"] = "True"
    return values
