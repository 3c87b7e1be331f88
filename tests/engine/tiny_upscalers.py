"""Upscalers with random weights, small enough to run in milliseconds, in the files that people have."""

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file


def esrgan(scale: int = 2, seed: int = 0, features: int = 8) -> Any:
    """Return an RRDBNet of spandrel's, whose pictures are those that it is given, with some noise."""
    from spandrel.architectures.ESRGAN import ESRGAN

    generator = torch.Generator().manual_seed(seed)
    network = ESRGAN(num_filters=features, num_blocks=1, scale=scale)
    for weight in network.parameters():
        weight.data = torch.randn(weight.shape, generator=generator) * 0.1
    last = list(network.parameters())[-1]
    last.data += 0.5
    return network


def save(network: Any, path: Path) -> Path:
    """Write its weights, as a safetensors or a pickle of PyTorch by the name of the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    weights = {name: weight.contiguous() for name, weight in network.state_dict().items()}
    if path.suffix == ".safetensors":
        save_file(weights, path)
    else:
        torch.save({"params_ema": weights}, path)
    return path
