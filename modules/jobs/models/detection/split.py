"""Take a file apart: which tensors are the denoiser's, and which those of its companions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from modules.jobs.models.detection.tensors import Tensors
from modules.jobs.models.tensor_header import TensorEntry

# What may stand before the names of a denoiser: Stability's and ComfyUI's, trainers', diffusers', Cosmos', AuraFlow's.
_CORE = ("model.diffusion_model.", "diffusion_model.", "transformer.", "net.", "model.")
_VAE = ("first_stage_model.", "vae.")
_ENCODERS = ("cond_stage_model.", "conditioner.", "text_encoders.")
_IGNORED = ("model_ema.", "loss.", "lightning.")
_KNOWN = {prefix.partition(".")[0]: prefix for prefix in (*_CORE[1:], *_VAE, *_ENCODERS, *_IGNORED)}


@dataclass(frozen=True)
class Split:
    """A file's tensors by what they are part of, without the prefix that says so; `prefix` is the denoiser's."""

    whole: Tensors
    core: Tensors
    prefix: str
    vae: Tensors
    encoders: Mapping[str, Tensors]


def split(entries: Mapping[str, TensorEntry]) -> Split:
    """Return a file's tensors by what they are part of. The denoiser is what has most under one prefix, or none."""
    groups: dict[str, dict[str, TensorEntry]] = {}
    for name, entry in entries.items():
        prefix = _prefix_of(name)
        groups.setdefault(prefix, {})[name[len(prefix) :]] = entry
    candidates = [prefix for prefix in ("", *_CORE) if prefix in groups]
    prefix = max(candidates, key=lambda one: len(groups[one]), default="")
    vae = next((groups[one] for one in _VAE if one in groups), {})
    return Split(
        whole=Tensors(entries),
        core=Tensors(groups.get(prefix, {})),
        prefix=prefix,
        vae=Tensors(vae),
        encoders={one: Tensors(groups[one]) for one in _ENCODERS if one in groups},
    )


def _prefix_of(name: str) -> str:
    prefix = _KNOWN.get(name.partition(".")[0], "")
    if prefix == "model." and name.startswith(_CORE[0]):
        return _CORE[0]
    return prefix
