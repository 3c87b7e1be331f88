"""Which tensors of a file belong to which part of a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from modules.engine.models.single_file.family_config import FamilyConfig, NetworkConfig

T = TypeVar("T")

# What stands before the names of a denoiser in the files of different programs.
_CORE_PREFIXES = ("model.diffusion_model.", "diffusion_model.", "transformer.", "net.", "model.")


def core_prefix(names: Iterable[str]) -> str:
    """Return what stands before the names of the denoiser: what most of them have, "" where they have nothing."""
    counted = dict.fromkeys(_CORE_PREFIXES, 0)
    in_all = 0
    for name in names:
        in_all += 1
        # The first that fits: "model." begins "model.diffusion_model." too.
        prefix = next((one for one in _CORE_PREFIXES if name.startswith(one)), None)
        if prefix is not None:
            counted[prefix] += 1
    most = max(counted, key=lambda prefix: counted[prefix])
    # A text encoder beside a denoiser without a prefix may have names that begin with "model.".
    return most if counted[most] * 5 >= in_all else ""


def part_of(tensors: Mapping[str, T], part: NetworkConfig, family: FamilyConfig) -> dict[str, T]:
    """Return the tensors of one part in a file that may hold several, under their names within the part."""
    if part.core:
        return _core_of(tensors, family)
    for prefix in part.prefixes:
        found = _under(tensors, prefix)
        if found:
            return found
    return {}


def part_alone(tensors: Mapping[str, T], part: NetworkConfig) -> dict[str, T]:
    """Return the tensors of a file that holds one part, or that part of another checkpoint."""
    for prefix in part.prefixes:
        found = _under(tensors, prefix)
        if found:
            return found
    return dict(tensors)


def _core_of(tensors: Mapping[str, T], family: FamilyConfig) -> dict[str, T]:
    prefix = core_prefix(tensors)
    if prefix:
        return _under(tensors, prefix)
    others = tuple(one for part in family.networks.values() for one in part.prefixes)
    return {name: one for name, one in tensors.items() if not name.startswith((*others, "model_ema."))}


def _under(tensors: Mapping[str, T], prefix: str) -> dict[str, T]:
    return {name[len(prefix) :]: one for name, one in tensors.items() if name.startswith(prefix)}
