"""What benchmarks are asked for that draw the same pictures in several ways, and the two models that they draw with."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.full_size_model import build
from modules.paths import ROOT

EMBEDDED = ROOT / "models" / "Stable-diffusion" / "emoji"


class Asked(NamedTuple):
    """`which` model draws, "embedded" or "full", how often all ways take turns, and the request; `words` are all."""

    which: str
    rounds: int
    request: dict[str, Any]
    words: list[str]

    @property
    def said(self) -> str:
        """The same in words."""
        images, steps, side = (self.request[name] for name in ("n_iter", "steps", "width"))
        return f"{self.which} model, {images} images of {steps} steps, {side}×{side}"


def asked(defaults: Mapping[str, tuple[int, int, int, int]]) -> Asked:
    """Read `[words] [rounds] [images] [steps] [side]` of the command line; `defaults` are the numbers of each model."""
    words = [argument for argument in sys.argv[1:] if not argument.isdigit()]
    numbers = [int(argument) for argument in sys.argv[1:] if argument.isdigit()]
    which = "full" if "full" in words else "embedded"
    rounds, images, steps, side = (*numbers, *defaults[which][len(numbers) :])
    request = {
        "prompt": "red heart", "seed": 1, "steps": steps, "n_iter": images, "cfg_scale": 7.0, "width": side,
        "height": side, "sampler_name": "Euler",
    }  # fmt: skip
    return Asked(which, rounds, request, words)


def model_of(which: str, folder: Path) -> Path:
    """Return the folder of a model; the one of full size is built anew in the models folder of `folder`."""
    return EMBEDDED if which == "embedded" else build(folder / "models" / "Stable-diffusion" / "full")
