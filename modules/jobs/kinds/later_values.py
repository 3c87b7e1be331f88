"""What later versions let a picture depend on. It is told only where it is chosen: older files keep their bytes."""

from __future__ import annotations

from typing import Any

from modules.jobs.kinds.base import Pass, ResolvedJob, Source
from modules.jobs.kinds.choice import MODULES
from modules.jobs.models.names import without_suffix

# As Forge writes them.
_LABELS = {"distilled_cfg_scale": "Distilled CFG Scale", "shift": "Shift"}


def refiner_pass(resolved: ResolvedJob) -> Pass | None:
    """Return the pass that another model than the job's own draws; None: there is none."""
    return next((one for one in resolved.passes if one.checkpoint is not None), None)


def in_picture(resolved: ResolvedJob) -> dict[str, Any]:
    """Return what decides a picture's bytes beside the values that every version knew, under a request's names."""
    values: dict[str, Any] = {}
    if resolved.words.clip_skip != 1:
        values["clip_skip"] = resolved.words.clip_skip
    values |= _of_flows(resolved.passes[0])
    if (vae := resolved.sources.vae) is not None:
        values |= {"vae": vae.name, "vae_hash": vae.hash}
    values |= _beside("parts", resolved.sources.checkpoint)
    if resolved.sources.modules:
        values[MODULES] = list(resolved.sources.modules)
    if (refiner := refiner_pass(resolved)) is not None and refiner.checkpoint is not None:
        values |= {
            "refiner_checkpoint": refiner.checkpoint.name,
            "refiner_hash": refiner.checkpoint.hash,
            "refiner_switch_at": switch_of(refiner),
            **_beside("refiner_parts", refiner.checkpoint),
        }
    return values


def in_infotext(resolved: ResolvedJob) -> dict[str, Any]:
    """Return the same as A1111 writes it, and in its order."""
    of_flows = _of_flows(resolved.passes[0])
    pairs: dict[str, Any] = {_LABELS[name]: value for name, value in of_flows.items()}
    saving = resolved.saving
    if (vae := resolved.sources.vae) is not None:
        pairs["VAE hash"] = vae.short_hash if saving.add_model_hash_to_info else None
        pairs["VAE"] = vae.name if saving.add_model_name_to_info else None
    for number, name in enumerate(resolved.sources.modules, start=1):
        bare = without_suffix(name).rpartition("/")[2]
        pairs[f"Module {number}"] = bare if saving.add_model_name_to_info else None
    if resolved.words.clip_skip != 1:
        pairs["Clip skip"] = resolved.words.clip_skip
    if (refiner := refiner_pass(resolved)) is not None and refiner.checkpoint is not None:
        pairs["Refiner"] = f"{refiner.checkpoint.name} [{refiner.checkpoint.short_hash}]"
        pairs["Refiner switch at"] = switch_of(refiner)
        # Without it A1111 would count noise levels, and switch at another step where they are not spread evenly.
        pairs["Refiner switch by sampling steps"] = True
    return pairs


def _beside(name: str, checkpoint: Source) -> dict[str, Any]:
    """Return the files beside a model that it is drawn with, where there are any."""
    if not checkpoint.parts:
        return {}
    return {name: {part: {"name": file.name, "hash": file.hash} for part, file in checkpoint.parts.items()}}


def _of_flows(one: Pass) -> dict[str, float]:
    """Return what a pass has that only some families know."""
    values = {"distilled_cfg_scale": one.distilled_cfg_scale, "shift": one.shift}
    return {name: value for name, value in values.items() if value is not None}


def switch_of(refiner: Pass) -> float:
    """Return after which part of the steps, 0 to 1, the refiner takes over."""
    return round(refiner.begin / refiner.steps, 4)
