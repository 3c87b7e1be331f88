"""Files of LoRAs with random numbers, and what asks for them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from modules.engine.networks.kept_files import Wanted
from modules.jobs.models.vae_file import stamp_of_file

RANK, ALPHA = 4, 2.0
Tensors = dict[str, torch.Tensor]


def numbers(*shape: int, seed: int = 0) -> torch.Tensor:
    """Return random numbers, small enough for a weight to stay one."""
    return 0.1 * torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def pair(weight: torch.Tensor, rank: int = RANK, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Return down and up for a weight, as sd-scripts has them for linear layers and for convolutions."""
    out, *rest = weight.shape
    up = numbers(out, rank, *[1] * (weight.ndim - 2), seed=seed + 1)
    return numbers(rank, *rest, seed=seed), up


def kohya(name: str, weight: torch.Tensor, rank: int = RANK, alpha: float | None = ALPHA, seed: int = 0) -> Tensors:
    """Return the tensors of sd-scripts' LoRA for one module, `name` being that with its beginning."""
    down, up = pair(weight, rank, seed)
    tensors = {f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up}
    return tensors if alpha is None else {**tensors, f"{name}.alpha": torch.tensor(alpha)}


def delta(weight: torch.Tensor, rank: int = RANK, alpha: float | None = ALPHA, seed: int = 0) -> torch.Tensor:
    """Return what `kohya` adds at full strength, by the formula."""
    down, up = pair(weight, rank, seed)
    scale = 1.0 if alpha is None else alpha / rank
    return scale * (up.flatten(1) @ down.flatten(1)).reshape(weight.shape)


def write(path: Path, *tensors: Tensors, metadata: Mapping[str, str] | None = None) -> Path:
    """Write a file of all of these."""
    whole = {name: one.contiguous().clone() for some in tensors for name, one in some.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(whole, path, dict(metadata) if metadata else None)
    return path


def wanted(path: Path, te: float = 1.0, unet: float | None = None, **more: Any) -> Wanted:
    """Return what asks for a file as `<lora:name:te:unet>` does; its path stands for its hash."""
    strength = te if unet is None else unet
    return Wanted(path.stem, path, f"{path} {stamp_of_file(path)}", stamp_of_file(path), te, strength, **more)


def weights_of(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Return a copy of all that a network holds."""
    return {name: one.detach().clone() for name, one in network.state_dict().items()}


def differing(network: torch.nn.Module, before: Tensors) -> set[str]:
    """Return the names of those that are not what they were, to the bit."""
    return {name for name, one in network.state_dict().items() if not torch.equal(one, before[name])}
