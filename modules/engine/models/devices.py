"""The device that draws, and the number format and thread count that it does best with."""

from __future__ import annotations

import ctypes
import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil
import torch

# Below this a denoiser is so quick that its overhead counts, and float32 is exact.
SMALL_DENOISER_PARAMETERS = 100_000_000
_FAST_BFLOAT16_FLAGS = ("avx512_bf16", "amx_bf16", "bf16")

# What most of the work of a denoiser is: convolutions, or wide layers of tokens.
DenoiserKind = Literal["unet", "transformer"]


@dataclass(frozen=True)
class Denoiser:
    """What is known of a denoiser before it is loaded. `float32_only`: its pipeline fails in any other format."""

    parameters: int
    kind: DenoiserKind = "unet"
    float32_only: bool = False

    @property
    def is_small(self) -> bool:
        """Whether its overhead counts more than its numbers."""
        return self.parameters < SMALL_DENOISER_PARAMETERS


@dataclass(frozen=True)
class Device:
    """A device by its torch name, and what people call it."""

    torch_name: str
    label: str

    def memory_bytes(self) -> int:
        """Return what this process uses of the device's memory."""
        if self.torch_name == "cuda":
            return int(torch.cuda.memory_reserved())
        return int(psutil.Process().memory_info().rss)

    def memories(self) -> tuple[int, ...]:
        """Return what this process uses of each memory: the device's, and the machine's where that is another."""
        process = int(psutil.Process().memory_info().rss)
        return (process,) if self.torch_name != "cuda" else (self.memory_bytes(), process)

    def memory_total_bytes(self) -> int:
        """Return how much memory the device has."""
        if self.torch_name == "cuda":
            return int(torch.cuda.get_device_properties(0).total_memory)
        return int(psutil.virtual_memory().total)

    def free_unused(self) -> None:
        """Give memory back that no tensor uses."""
        if self.torch_name == "cuda":
            torch.cuda.empty_cache()
        elif self.torch_name == "mps":
            torch.mps.empty_cache()
        _trim_heap()


def _trim_heap() -> None:
    """Let the C library give free memory back to the system, which it keeps for itself otherwise (glibc)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if platform.system() == "Linux" else None
    if trim is not None:
        trim(0)


def best_device() -> Device:
    """Return the device to draw on: a CUDA card, Apple's GPU, else the CPU."""
    if torch.cuda.is_available():
        return Device("cuda", str(torch.cuda.get_device_name(0)))
    if torch.backends.mps.is_available():
        return Device("mps", "Apple GPU")
    return Device("cpu", "CPU")


def choose_dtype(setting: str, device: Device, denoiser: Denoiser, fastest: Callable[[], str]) -> str:
    """Return the number format for a model.

    "auto" on a CPU: what is the `fastest` for large denoisers where the processor has instructions for bfloat16 (SD 1.5
    takes 0.45 of the time), else float32; never float16, which such processors only emulate (100 s a step instead of
    2.9).
    """
    if setting != "auto":
        return setting
    if denoiser.float32_only:
        return "float32"
    if device.torch_name != "cpu":
        return "float16"
    if denoiser.is_small or not cpu_has_fast_bfloat16():
        return "float32"
    return fastest()


def cpu_has_fast_bfloat16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Tell whether the processor multiplies in bfloat16 itself. Unknown counts as no."""
    if platform.system() != "Linux":
        return False
    try:
        lines = cpuinfo.read_text().splitlines()
    except OSError:
        return False
    named = (line.split(":", 1)[1].split() for line in lines if line.lower().startswith(("flags", "features")))
    flags = next(named, [])
    return any(flag in flags for flag in _FAST_BFLOAT16_FLAGS)


def choose_threads(setting: int, denoiser: Denoiser) -> int:
    """Return the number of CPU threads: the setting, or with 0 all cores for large denoisers, half of them for small.

    The threads of a small denoiser wait for each other most of the time, and so for whatever else runs: a step of the
    embedded model takes 27 ms on two quiet cores and 33 on one, but 150 and more against 40 beside a busy browser.
    """
    if setting > 0:
        return setting
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores // 2) if denoiser.is_small else cores
