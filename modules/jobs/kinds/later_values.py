"""What later versions let a picture depend on. It is told only where it is chosen: older files keep their bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modules.jobs.kinds.base import Pass, ResolvedJob, Source
from modules.jobs.kinds.choice import MODULES
from modules.jobs.kinds.network_texts import networks_in
from modules.jobs.kinds.stages import refined_stage, refiner_of
from modules.jobs.kinds.values_of_models import beside
from modules.jobs.models.model_file import NETWORK_HASH_LENGTH
from modules.jobs.models.names import without_suffix

# As Forge writes them.
_LABELS = {"distilled_cfg_scale": "Distilled CFG Scale", "shift": "Shift"}


def in_picture(resolved: ResolvedJob, index: int) -> dict[str, Any]:
    """Return what decides a picture's bytes beside the values that every version knew, under a request's names."""
    values: dict[str, Any] = {}
    if resolved.words.clip_skip != 1:
        values["clip_skip"] = resolved.words.clip_skip
    values |= _of_flows(resolved.passes[0])
    if (vae := resolved.sources.vae) is not None:
        values |= {"vae": vae.name, "vae_hash": vae.hash}
    values |= beside("parts", resolved.sources.checkpoint)
    if resolved.sources.modules:
        values[MODULES] = list(resolved.sources.modules)
    stage, refiner = refined_stage(resolved), refiner_of(resolved)
    if stage is not None and refiner is not None:
        values |= {
            "refiner_checkpoint": refiner.name,
            "refiner_hash": refiner.hash,
            "refiner_switch_at": stage.switch_at,
            **beside("refiner_parts", refiner),
        }
    networks, embeddings = networks_in(resolved, index)
    if networks:
        values["networks"] = {name: _file(one) for name, one in networks.items()}
    if embeddings:
        values["embeddings"] = {word: _file(one) for word, one in embeddings.items()}
    return values


def of_models(resolved: ResolvedJob) -> dict[str, Any]:
    """Return the pairs of an infotext that stand after the checkpoint."""
    pairs: dict[str, Any] = {_LABELS[name]: value for name, value in _of_flows(resolved.passes[0]).items()}
    saving = resolved.saving
    if (vae := resolved.sources.vae) is not None:
        pairs["VAE hash"] = vae.short_hash if saving.add_model_hash_to_info else None
        pairs["VAE"] = vae.name if saving.add_model_name_to_info else None
    for number, name in enumerate(resolved.sources.modules, start=1):
        bare = without_suffix(name).rpartition("/")[2]
        pairs[f"Module {number}"] = bare if saving.add_model_name_to_info else None
    return pairs


def of_words(resolved: ResolvedJob) -> dict[str, Any]:
    """Return how the words are read, where that is not as always."""
    return {} if resolved.words.clip_skip == 1 else {"Clip skip": resolved.words.clip_skip}


def of_refiner(resolved: ResolvedJob) -> dict[str, Any]:
    """Return which model goes on, and from when on."""
    stage, refiner = refined_stage(resolved), refiner_of(resolved)
    if stage is None or refiner is None:
        return {}
    return {
        "Refiner": f"{refiner.name} [{refiner.short_hash}]",
        "Refiner switch at": stage.switch_at,
        # Without it A1111 would count noise levels, and switch at another step where they are not spread evenly.
        "Refiner switch by sampling steps": True,
    }


def of_networks(resolved: ResolvedJob, index: int) -> dict[str, Any]:
    """Return the hashes of LoRAs and embeddings, as A1111 writes them: by the names as they stand in the prompt."""
    networks, embeddings = networks_in(resolved, index)
    saving = resolved.saving
    return {
        "Lora hashes": _hashes(networks) if saving.lora_add_hashes_to_infotext else None,
        "TI hashes": _hashes(embeddings) if saving.textual_inversion_add_hashes_to_infotext else None,
    }


def _hashes(sources: Mapping[str, Source]) -> str | None:
    """Return "name: hash, name: hash". What parts names from hashes is left out of the names, as A1111 does."""
    names = {name.replace(":", "").replace(",", ""): one.hash[:NETWORK_HASH_LENGTH] for name, one in sources.items()}
    return ", ".join(f"{name}: {digest}" for name, digest in names.items()) or None


def _file(source: Source) -> dict[str, str]:
    return {"name": source.name, "hash": source.hash}


def _of_flows(one: Pass) -> dict[str, float]:
    """Return what a pass has that only some families know."""
    values = {"distilled_cfg_scale": one.distilled_cfg_scale, "shift": one.shift}
    return {name: value for name, value in values.items() if value is not None}
