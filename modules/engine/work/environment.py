"""What the bits of a picture depend on beside its request: the machine and the libraries."""

from __future__ import annotations

import platform
from collections.abc import Mapping

import diffusers
import torch
import transformers

from modules.engine.models.devices import Device
from modules.jobs.kinds.spelling import model_of
from modules.jobs.version import VERSION

_WORDS = {"steady": "Steady Diffusion", "dtype": "the number format", "threads": "the number of threads"}


def environment_of(device: Device, dtype: str, threads: int) -> dict[str, str]:
    """Return what has to be the same for equal bits, in words that can be compared."""
    return {
        "steady": VERSION,
        "torch": torch.__version__,
        "diffusers": diffusers.__version__,
        "transformers": transformers.__version__,
        "device": device.label,
        # Kernels are chosen by what the processor can do; a data folder can move to another machine.
        "processor": f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}",
        "dtype": dtype,
        "threads": str(threads),
    }


def describe_difference(was: Mapping[str, str], now: Mapping[str, str]) -> str | None:
    """Say what changed, such as "torch was 2.12, now 2.13"; None: nothing."""
    changed = [name for name in now if model_of(name) is None and was.get(name) != now[name]]
    words = [f"{_WORDS.get(name, name)} was {was.get(name, 'unknown')}, now {now[name]}" for name in changed]
    spelled = {name: model for name in (*was, *now) if (model := model_of(name)) is not None}
    words += [
        f"what {model} reads for words of the prompt is not what it was (words.json and symbols.json in its folder)"
        for name, model in spelled.items()
        if was.get(name) != now.get(name)
    ]
    return " and ".join(words) or None
