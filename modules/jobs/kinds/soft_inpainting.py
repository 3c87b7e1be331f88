"""Soft inpainting as A1111's clients ask for it: as a script that is always there, with its values in order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modules.errors import InvalidRequest
from modules.jobs.kinds.starts import SoftMask
from modules.jobs.lenient import show

SCRIPTS = "alwayson_scripts"
PREFIX = "soft_inpainting"
_SCRIPT = "soft inpainting"
# The fields of a request, in the order of the script's values; the first says whether it is on at all.
FIELDS = (PREFIX, *(f"{PREFIX}_{name}" for name in SoftMask.model_fields))


def from_script(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request with fields of its own in place of the script; other scripts stay.

    Raises:
        InvalidRequest: the script has not the values that it knows.
    """
    scripts = data.get(SCRIPTS)
    if not isinstance(scripts, Mapping):
        return dict(data)
    name = next((one for one in scripts if isinstance(one, str) and one.casefold() == _SCRIPT), None)
    if name is None:
        return dict(data)
    others = {one: value for one, value in scripts.items() if one != name}
    return dict(data) | {SCRIPTS: others} | _values(scripts[name])


def _values(script: Any) -> dict[str, Any]:
    values = script.get("args") if isinstance(script, Mapping) else None
    if not isinstance(values, list) or len(values) > len(FIELDS):
        raise InvalidRequest(
            f'Soft inpainting {show(script)} is not possible: send {{"args": [true, 1, 0.5, 4, 0, 0.5, 2]}}.', SCRIPTS
        )
    return dict(zip(FIELDS, values, strict=False))
