"""The noise of a job that is drawn, where it is not as always: what decides bytes, and what its infotext tells."""

from __future__ import annotations

from typing import Any

from modules.jobs.kinds.base import Noise, Pass, ResolvedJob
from modules.jobs.samplers import find_sampler

# A request's name and A1111's key for each.
_OF_NOISE = {
    "churn": ("s_churn", "Sigma churn"), "lowest": ("s_tmin", "Sigma tmin"), "highest": ("s_tmax", "Sigma tmax"),
    "strength": ("s_noise", "Sigma noise"),
}  # fmt: skip
_USUAL = Noise()


def in_picture(resolved: ResolvedJob, index: int) -> dict[str, Any]:
    """Return what decides a picture's bytes, under a request's names."""
    drawn = resolved.passes[0]
    values: dict[str, Any] = {}
    if (variation := resolved.variation_of(index)) is not None:
        values |= {"subseed": variation.seed, "subseed_strength": variation.strength}
    if resolved.resized_from is not None:
        values["seed_resize_from_w"], values["seed_resize_from_h"] = resolved.resized_from
    if resolved.noise_seed_delta:
        values["eta_noise_seed_delta"] = resolved.noise_seed_delta
    if resolved.tiling:
        values["tiling"] = True
    if drawn.guidance_rescale:
        values["cfg_rescale"] = drawn.guidance_rescale
    return values | {name: value for name, _, value in _noise(drawn)}


def of_seeds(resolved: ResolvedJob, index: int) -> dict[str, Any]:
    """Return the pairs of an infotext that tell of seeds."""
    pairs: dict[str, Any] = {}
    if (variation := resolved.variation_of(index)) is not None:
        pairs |= {"Variation seed": variation.seed, "Variation seed strength": variation.strength}
    if resolved.resized_from is not None:
        width, height = resolved.resized_from
        pairs["Seed resize from"] = f"{width}x{height}"
    return pairs


def of_noise(resolved: ResolvedJob) -> dict[str, Any]:
    """Return the pairs that tell of the noise of a seed's own, and of edges; they stand after the clip skip."""
    pairs: dict[str, Any] = {"ENSD": resolved.noise_seed_delta or None, "Tiling": True if resolved.tiling else None}
    return {key: value for key, value in pairs.items() if value is not None}


def of_sampler(resolved: ResolvedJob) -> dict[str, Any]:
    """Return the pairs that tell what the sampler adds, and of the guidance."""
    drawn = resolved.passes[0]
    pairs = {key: value for _, key, value in _noise(drawn)}
    if drawn.guidance_rescale:
        pairs["CFG rescale"] = drawn.guidance_rescale
    return pairs


def _noise(drawn: Pass) -> list[tuple[str, str, Any]]:
    """Return names, keys and values of what is not as always."""
    if drawn.noise is None:
        return []
    told: list[tuple[str, str, Any]] = []
    usual = find_sampler(drawn.sampler_name).eta
    if usual is not None and drawn.noise.eta != usual:
        told.append(("eta", "Eta" if usual else "Eta DDIM", drawn.noise.eta))
    values = ((field, getattr(drawn.noise, field)) for field in _OF_NOISE)
    return told + [(*_OF_NOISE[field], value) for field, value in values if value != getattr(_USUAL, field)]
