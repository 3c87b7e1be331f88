"""The families that differ from the defaults by a line or none."""

from __future__ import annotations

from typing import Any

import torch
from diffusers import (
    Lumina2Pipeline,
    PixArtSigmaPipeline,
    QwenImagePipeline,
    SanaPipeline,
    ZImagePipeline,
)

from modules.engine.families.base import Asked, Family


class ZImage(Family):
    """It counts guidance from 0, says one tensor a picture, the positive ones first, and the opposite of a flow."""

    name = "z-image"
    pipeline = ZImagePipeline
    classes = ("ZImagePipeline", "ZImageImg2ImgPipeline", "ZImageInpaintPipeline")
    plain = True
    negative_first = False
    sign = -1

    def guidance(self, asked: Asked) -> dict[str, Any]:
        """Return the scale, of which 0 is none."""
        return {"guidance_scale": max(asked.guidance_scale - 1, 0.0)}

    def heard(self, output: Any) -> torch.Tensor:
        """Return what the denoiser said, (batch, channels, height, width)."""
        return super().heard(output).squeeze(2)


class QwenImage(Family):
    """Classifier-free guidance has another name."""

    name = "qwen-image"
    pipeline = QwenImagePipeline
    classes: tuple[str, ...] = ("QwenImagePipeline", "QwenImageImg2ImgPipeline", "QwenImageInpaintPipeline",
               "QwenImageControlNetPipeline")  # fmt: skip

    def guidance(self, asked: Asked) -> dict[str, Any]:
        """Return the scale of classifier-free guidance; one that the denoiser is told only if it takes it."""
        return {"true_cfg_scale": asked.guidance_scale}


class Lumina2(Family):
    """It says the opposite of a flow."""

    name = "lumina2"
    pipeline = Lumina2Pipeline
    classes = ("Lumina2Pipeline", "Lumina2Text2ImgPipeline")
    plain = True
    sign = -1


class Sana(Family):
    """A latent is 32 pixels wide."""

    name = "sana"
    pipeline = SanaPipeline
    classes = ("SanaPipeline", "SanaPAGPipeline", "SanaControlNetPipeline")
    plain = True

    def multiple(self, pipeline: Any) -> int:
        """Return the side of a latent."""
        return 32


class PixArtSigma(Family):
    """A model that predicts noise, as Stable Diffusion does."""

    name = "pixart-sigma"
    pipeline = PixArtSigmaPipeline
    classes = ("PixArtSigmaPipeline", "PixArtSigmaPAGPipeline")
    plain = True
