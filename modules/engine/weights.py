"""Read a network's weights tensor by tensor, so that a load can be stopped between any two of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from accelerate import init_empty_weights
from accelerate.utils import set_module_tensor_to_device
from safetensors import SafetensorError, safe_open
from torch import nn

from modules.engine.patience import wait_for
from modules.errors import ModelError

Progress = Callable[[int], None]


def weight_files(folder: Path) -> list[Path]:
    """Return the safetensors files of one component; the plain variant where there are several.

    Raises:
        ModelError: there are none; the message says what to do, also where there are pickles.
    """
    files = sorted(folder.glob("*.safetensors"))
    plain = [file for file in files if not file.stem.endswith((".fp16", ".ema_only", ".non_ema", ".bf16"))]
    if files:
        return plain or files
    pickles = sorted((*folder.glob("*.bin"), *folder.glob("*.pt"), *folder.glob("*.ckpt")))
    if pickles:
        raise ModelError(f"{pickles[0]} is a pickle, which can run code: convert it to safetensors.")
    raise ModelError(f"No weights (*.safetensors) in {folder}: fetch the model again, or take its folder away.")


def count_parameters(folder: Path) -> int:
    """Return how many numbers the weights of a component are, from the headers alone."""
    total = 0
    for file in weight_files(folder):
        with file.open("rb") as opened:
            header = json.loads(opened.read(int.from_bytes(opened.read(8), "little")))
        for key, entry in header.items():
            if key != "__metadata__":
                total += torch.Size(entry["shape"]).numel()
    return total


def load_network(network: type, folder: Path, dtype: torch.dtype, progress: Progress) -> nn.Module:
    """Return a diffusers network with its weights in `dtype`, on the CPU.

    `progress` is called with the bytes read since its last call; what it raises ends the load.

    Raises:
        ModelError: a weight is missing or has another shape than the configuration says.
    """
    files = weight_files(folder)
    config = network.load_config(folder, local_files_only=True)  # type: ignore[attr-defined]
    with init_empty_weights(include_buffers=False):
        made: nn.Module = network.from_config(config)  # type: ignore[attr-defined]
    try:
        if _names(files) != set(made.state_dict()) or getattr(network, "_keep_in_fp32_modules", None):
            # Names of an older version: diffusers knows how to translate them.
            return _load_whole(network, folder, dtype, progress)
        for file in files:
            _assign(made, file, dtype, progress)
    except (SafetensorError, RuntimeError) as error:
        raise ModelError(f"The weights in {folder} do not fit ({error}): fetch the model again.") from error
    # The plain method: diffusers' own warns about a dtype. Only buffers are left to cast.
    return nn.Module.to(made, dtype=dtype).eval()


def _names(files: list[Path]) -> set[str]:
    names: set[str] = set()
    for file in files:
        with safe_open(file, framework="pt") as opened:
            names.update(opened.keys())
    return names


def _assign(made: nn.Module, file: Path, dtype: torch.dtype, progress: Progress) -> None:
    with safe_open(file, framework="pt") as opened:
        for name in opened.keys():  # noqa: SIM118  (no mapping: it cannot be iterated)
            mapped = opened.get_tensor(name)
            # A copy of our own: a file that is replaced on disk must not change the model in memory.
            tensor = mapped.to(dtype if mapped.is_floating_point() else mapped.dtype, copy=True)
            set_module_tensor_to_device(made, name, "cpu", value=tensor)
            progress(mapped.nbytes)


def _load_whole(network: Any, folder: Path, dtype: torch.dtype, progress: Progress) -> nn.Module:
    made: nn.Module = wait_for(
        lambda: network.from_pretrained(folder, use_safetensors=True, local_files_only=True), lambda: progress(0)
    )
    progress(sum(file.stat().st_size for file in weight_files(folder)))
    return nn.Module.to(made, dtype=dtype).eval()
