"""VAE, clip skip, refiner and files chosen by hand of a picture, as the fields of the page have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from modules.images import taken_reading
from modules.images.models_by_name import find_checkpoint, find_vae
from modules.jobs.kinds.choice import MODULES
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.vae_catalogue import AUTOMATIC, NONE
from modules.jobs.models.vae_file import VaeFile

LABELS = {
    "sd_vae": "VAE", "CLIP_stop_at_last_layers": "Clip skip", "refiner_checkpoint": "Refiner",
    "refiner_switch_at": "Refiner switch at", MODULES: "Text encoders and VAE beside the model",
    **taken_reading.LABELS,
}  # fmt: skip
# What an infotext means that says nothing of them.
UNSAID: Mapping[str, Any] = {
    "sd_vae": AUTOMATIC, "CLIP_stop_at_last_layers": "1", "refiner_checkpoint": NONE, MODULES: (), "shift": "",
    **taken_reading.UNSAID,
}  # fmt: skip
_NOT_HERE = "is not here; the model's own is chosen"


def take_parts(
    found: Mapping[str, Any], pairs: Mapping[str, str], checkpoints: Sequence[Checkpoint], vaes: Sequence[VaeFile]
) -> tuple[dict[str, Any], list[tuple[str, str, str]]]:
    """Return the values that `found`, fields of a request, has for these fields; and what cannot be taken, and why."""
    overrides = found.get("override_settings") or {}
    values: dict[str, Any] = {}
    left: list[tuple[str, str, str]] = []
    if wanted := str(overrides.get("sd_vae") or pairs.get("VAE hash") or ""):
        vae = wanted if wanted in (AUTOMATIC, NONE) else find_vae(wanted, pairs.get("VAE hash", ""), vaes)
        values["sd_vae"] = vae or NONE
        if vae is None:
            left.append((LABELS["sd_vae"], wanted, _NOT_HERE))
    if skip := overrides.get("CLIP_stop_at_last_layers"):
        values["CLIP_stop_at_last_layers"] = str(skip)
    if modules := overrides.get(MODULES):
        values[MODULES] = [str(one) for one in modules]
    values |= taken_reading.take_reading(overrides)
    if name := found.get("refiner_checkpoint"):
        refiner = find_checkpoint(str(name), checkpoints)
        if refiner is None:
            left.append((LABELS["refiner_checkpoint"], str(name), "is not here, or cannot be used; none is chosen"))
        else:
            values["refiner_checkpoint"] = refiner
            if found.get("refiner_switch_at") is not None:
                values["refiner_switch_at"] = found["refiner_switch_at"]
    return values, left
