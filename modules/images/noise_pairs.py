"""What an infotext says of seeds and noise, as fields of requests and of the page.

Facts: A1111 v1.10.1, `create_infotext` and its samplers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modules.errors import InvalidRequest
from modules.images.pair_values import number_in, size_in, whole_in
from modules.jobs.kinds.registry import validate_request

_STRENGTH = "Variation seed strength"
_RESIZED = "Seed resize from"
_NUMBERS = {
    _STRENGTH: "subseed_strength", "CFG rescale": "cfg_rescale", "CFG Rescale φ": "cfg_rescale", "Eta": "eta",
    "Eta DDIM": "eta", "Sigma churn": "s_churn", "Sigma tmin": "s_tmin", "Sigma tmax": "s_tmax",
    "Sigma noise": "s_noise",
}  # fmt: skip
KEYS = frozenset({*_NUMBERS, "Variation seed", _RESIZED, "Tiling", "ENSD"})
# The fields of the page, and what it calls them; what an infotext means that says nothing of them.
LABELS = {
    "subseed": "Variation seed", "subseed_strength": _STRENGTH, "seed_resize_from_w": "Seed resize",
    "seed_resize_from_h": "", "tiling": "Tiling", "cfg_rescale": "CFG rescale",
}  # fmt: skip
UNSAID: Mapping[str, Any] = {
    "subseed": -1, "subseed_strength": 0, "seed_resize_from_w": 0, "seed_resize_from_h": 0, "tiling": False,
    "cfg_rescale": 0,
}  # fmt: skip
# What is a setting on the page, by the field of a request that has it too.
_SETTINGS = {
    "Eta": "eta_ancestral", "Eta DDIM": "eta_ddim", "Sigma churn": "s_churn", "Sigma tmin": "s_tmin",
    "Sigma tmax": "s_tmax", "Sigma noise": "s_noise", "ENSD": "eta_noise_seed_delta",
}  # fmt: skip
_NEUTRAL = {"ENSD": "0", "Sigma churn": "0", "Sigma tmin": "0", "Sigma noise": "1", "Eta": "1", "Eta DDIM": "0"}


def fields_in(pairs: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields of a request that an infotext gives of seeds and noise."""
    fields: dict[str, Any] = {}
    for key, field in _NUMBERS.items():
        if (number := number_in(pairs.get(key, ""))) is not None:
            fields[field] = number
    if (seed := whole_in(pairs.get("Variation seed", ""))) is not None:
        fields["subseed"] = seed
    if (size := size_in(pairs.get(_RESIZED, ""))) is not None:
        fields["seed_resize_from_w"], fields["seed_resize_from_h"] = size
    if pairs.get("Tiling") == "True":
        fields["tiling"] = True
    return fields


def overrides_in(pairs: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings that an infotext gives of them."""
    delta = whole_in(pairs.get("ENSD", ""))
    return {"eta_noise_seed_delta": delta} if delta else {}


def take_noise(found: Mapping[str, Any], pairs: Mapping[str, str]) -> tuple[dict[str, Any], list[tuple[str, str, str]]]:
    """Return the values that `found`, fields of a request, has for those of the page; and what not, and why."""
    values: dict[str, Any] = {}
    left: list[tuple[str, str, str]] = []
    for name, label in LABELS.items():
        if found.get(name) is None:
            continue
        try:
            validate_request("txt2img", {name: found[name]})
        except InvalidRequest as error:
            left.append((label or "Seed resize", str(found[name]), str(error)))
            continue
        values[name] = found[name]
    for key, setting in _SETTINGS.items():
        if (value := pairs.get(key)) and _plain(value) != _NEUTRAL.get(key):
            left.append((key, value, f"is a setting ({setting}), which stays as it is"))
    return values, left


def _plain(value: str) -> str:
    return value.removesuffix(".0")
