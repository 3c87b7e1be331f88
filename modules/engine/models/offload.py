"""How much of a model is on an accelerator at a time, where it has not the memory for all of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch
from diffusers.hooks import apply_group_offloading

from modules.cmd_args import Vram

# "": all of it; "model": the network that works; "group": one block of that; "sequential": one layer.
Offload = Literal["", "model", "group", "sequential"]
_STEPS: tuple[Offload, ...] = ("", "model", "group", "sequential")
# What the steps of a picture take beside the weights.
_TO_DRAW_BYTES = 2 * 1024**3
_MEDIUM_FOR_SDXL = ("sdxl", "sdxl-refiner")


def choose_offload(parts: Sequence[int], free: int, vram: Vram = "", family: str = "", more: bool = False) -> Offload:
    """Return what suits a model whose networks take so many bytes each, on a device with `free` bytes.

    `vram` is what the command line asks for at least; `more` goes one step further, for after memory ran out.
    """
    room = free - _TO_DRAW_BYTES
    chosen: Offload = "" if sum(parts) <= room else "model" if max(parts, default=0) <= room else "group"
    asked: Offload = ""
    if vram == "low":
        asked = "group"
    elif vram == "medium" or (vram == "medium-sdxl" and family in _MEDIUM_FOR_SDXL):
        asked = "model"
    step = max(_STEPS.index(chosen), _STEPS.index(asked)) + more
    return _STEPS[min(step, len(_STEPS) - 1)]


def offload(pipeline: Any, how: Offload, device: str) -> None:
    """Let diffusers bring the networks of a pipeline to the device and take them away again.

    May be called again for a pipeline that was given another network.
    """
    if how == "model":
        pipeline.enable_model_cpu_offload(device=device)
    elif how == "sequential":
        pipeline.enable_sequential_cpu_offload(device=device)
    elif how == "group":
        for network in pipeline.components.values():
            if isinstance(network, torch.nn.Module) and not _is_grouped(network):
                # With a stream the next block comes while one works.
                apply_group_offloading(
                    network, torch.device(device), num_blocks_per_group=1, use_stream=device == "cuda",
                    low_cpu_mem_usage=True,
                )  # fmt: skip


def _is_grouped(network: torch.nn.Module) -> bool:
    registries = (getattr(module, "_diffusers_hook", None) for module in network.modules())
    return any(registry is not None and registry.get_hook("group_offloading") is not None for registry in registries)
