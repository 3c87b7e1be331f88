"""VAE, clip skip, refiner and files chosen by hand of a picture, as the fields of the page have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from modules.images import taken_reading
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
    "sd_vae": AUTOMATIC, "CLIP_stop_at_last_layers": "1", "refiner_checkpoint": NONE, MODULES: (),
    **taken_reading.UNSAID,
}  # fmt: skip
_SHORTEST_HASH = 8
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


def find_vae(name: str, digest: str, vaes: Sequence[VaeFile]) -> str | None:
    """Return the name here of a usable VAE, by its hash, else by its name; None: it is not here."""
    usable = [one for one in vaes if one.problem is None]
    if len(digest) >= _SHORTEST_HASH:
        for one in usable:
            if one.sha256 and one.sha256.startswith(digest.casefold()):
                return one.name
    return next((one.name for one in usable if _bare(one.name) == _bare(name)), None)


def find_checkpoint(name: str, checkpoints: Sequence[Checkpoint]) -> str | None:
    """Return the name here of a usable model, of its title elsewhere, as A1111 writes it; None: it is not here."""
    title, _, digest = name.strip().rpartition(" [")
    digest = digest.rstrip("]").casefold() if title else ""
    usable = [one for one in checkpoints if one.problem is None]
    if len(digest) >= _SHORTEST_HASH:
        for one in usable:
            if one.sha256 and one.sha256.startswith(digest):
                return one.name
    return next((one.name for one in usable if _bare(one.name) == _bare(title or name)), None)


def _bare(name: str) -> str:
    short = name.strip().replace("\\", "/").rsplit("/", 1)[-1].casefold()
    for suffix in (".safetensors", ".sft", ".ckpt", ".pt"):
        short = short.removesuffix(suffix)
    return short
