"""An infotext as A1111's own parser gives it: sizes in two, and what a missing key means.

Facts: A1111 v1.10.1, `infotext_utils.parse_generation_parameters` and `infotext_versions`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_SIZE = re.compile(r"(\d{1,9})x(\d{1,9})")
_MISSING: Mapping[str, str | int] = {
    "Clip skip": "1", "Hires resize-1": 0, "Hires resize-2": 0, "Hires sampler": "Use same sampler",
    "Hires schedule type": "Use same scheduler", "Hires checkpoint": "Use same checkpoint", "Hires prompt": "",
    "Hires negative prompt": "", "Mask mode": "Inpaint masked", "Masked content": "original",
    "Inpaint area": "Whole picture", "Masked area padding": 32, "RNG": "GPU", "Schedule type": "Automatic",
    "Schedule max sigma": 0, "Schedule min sigma": 0, "Schedule rho": 0, "VAE Encoder": "Full",
    "VAE Decoder": "Full", "FP8 weight": "Disable", "Cache FP16 weight for LoRA": False,
    "Refiner switch by sampling steps": False,
}  # fmt: skip
_WEIGHTS = re.compile(r"[(\[]")
_VERSION = re.compile(r"v(\d{1,4})\.(\d{1,4})\.(\d{1,4})(?:-(\d{1,6})-)?")
OLD_EDITING = "Old prompt editing timelines"


def parameters_of(pairs: Mapping[str, str]) -> dict[str, str | int]:
    """Return the pairs of an infotext under A1111's names, with those that it adds; nothing for no infotext."""
    if len(pairs) <= 2 and not any(pairs.values()):
        return {}
    found: dict[str, str | int] = {}
    for key, value in pairs.items():
        size = _SIZE.fullmatch(value)
        found |= {key: value} if size is None else {f"{key}-1": size[1], f"{key}-2": size[2]}
    for key, meant in {**_MISSING, **of_older_versions(pairs)}.items():
        found.setdefault(key, meant)
    if "Emphasis" not in found and any(_WEIGHTS.search(pairs.get(key, "")) for key in ("Prompt", "Negative prompt")):
        found["Emphasis"] = "Original"
    return found


def of_older_versions(pairs: Mapping[str, str]) -> dict[str, str]:
    """Return what A1111's older versions did otherwise and did not write: as the infotext's `Version` tells."""
    version = _VERSION.match(pairs.get("Version", ""))
    if version is None:
        return {}
    number = tuple(int(part or 0) for part in version.groups())
    older: dict[str, str] = {}
    if number < (1, 6, 0, 0):
        if "[" in pairs.get("Prompt", "") or "[" in pairs.get("Negative prompt", ""):
            older[OLD_EDITING] = "True"
        if pairs.get("Sampler", "") in ("DDIM", "PLMS"):
            older["Pad conds v0"] = "True"
    if number < (1, 7, 0, 225):
        older["Downcast alphas_cumprod"] = "True"
    if number < (1, 8, 0, 0) and "Refiner" in pairs:
        older["Refiner switch by sampling steps"] = "True"
    return older
