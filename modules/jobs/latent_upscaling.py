"""Upscalers that are no model: those that enlarge latents, under A1111's names, and the plain ones of pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class LatentMode:
    """How `torch.nn.functional.interpolate` enlarges latents."""

    mode: str
    antialias: bool


LATENT_MODES: Mapping[str, LatentMode] = {
    "Latent": LatentMode("bilinear", False),
    "Latent (antialiased)": LatentMode("bilinear", True),
    "Latent (bicubic)": LatentMode("bicubic", False),
    "Latent (bicubic antialiased)": LatentMode("bicubic", True),
    "Latent (nearest)": LatentMode("nearest", False),
    "Latent (nearest-exact)": LatentMode("nearest-exact", False),
}
# As A1111 lists them, before those from files; "None" leaves the size as it is.
NO_UPSCALER = "None"
PIXEL_UPSCALERS = ("Lanczos", "Nearest")


def enlarges_latents(upscaler: str) -> bool:
    """Tell whether an upscaler of this name works on latents, and so needs no picture."""
    return upscaler in LATENT_MODES
