"""Eta 0, which clients of A1111 send along: a sampler that adds noise on the way then adds none, and is another one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modules.jobs.samplers import split_sampler

# With eta 0 the first does, step by step, what the second does.
WITHOUT_NOISE = {"Euler a": "Euler", "DPM2 a": "DPM2"}
_NAMES = ("sampler_name", "sampler_index")  # the first of them that is sent counts


def without_noise(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a request that names, for eta 0, the sampler that this makes of the one it names; else as it is."""
    field = next((name for name in _NAMES if data.get(name)), None)
    if field is None or not _is_zero(data.get("eta")):
        return data
    sampler, schedule = split_sampler(str(data[field]))
    plain = WITHOUT_NOISE.get(sampler)
    return data if plain is None else {**data, field: plain if schedule is None else f"{plain} {schedule}"}


def _is_zero(value: Any) -> bool:
    try:
        return value is not None and float(value) == 0
    except (TypeError, ValueError):
        return False
