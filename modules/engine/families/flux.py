"""Flux.1, Flux.2, and Chroma, which was made of the first."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import torch
from diffusers import ChromaPipeline, Flux2KleinPipeline, Flux2Pipeline, FluxPipeline

from modules.engine.families.base import Asked, Family, Remember, Words
from modules.engine.families.reading import Texts
from modules.engine.families.telling import Told, beside, beside_tokens, packed_mask

# A token is two by two latents.
_PATCH = 4
# Where a picture's tokens are, in the first of their numbers, of which what is drawn has 0.
_PLACE_IN_KONTEXT, _PLACE_IN_FLUX_2 = 1, 10


class Flux(Family):
    """Guidance is an input of its denoiser; classifier-free guidance, which takes two calls, has another name."""

    name = "flux"
    pipeline = FluxPipeline
    classes = ("FluxPipeline", "FluxImg2ImgPipeline", "FluxInpaintPipeline", "FluxKontextPipeline",
               "FluxFillPipeline", "FluxControlNetPipeline")  # fmt: skip

    def channels(self, pipeline: Any) -> int | None:
        """Return those of the VAE where the denoiser takes more than it gives: Fill is told a mask and a picture."""
        return pipeline.transformer.config.out_channels // _PATCH if self.takes_mask(pipeline) else None

    def takes_mask(self, pipeline: Any) -> bool:
        """Tell so of Flux Fill."""
        config = pipeline.transformer.config
        told = config.out_channels
        return told is not None and config.in_channels == 2 * told + _PATCH * pipeline.vae_scale_factor**2

    def telling(self, pipeline: Any, told: Told) -> AbstractContextManager[None]:
        """Return what puts mask and picture beside each of Fill's tokens, or has Kontext read a picture's tokens."""
        if told.mask is not None and self.takes_mask(pipeline):
            mask = packed_mask(told.mask, pipeline.vae_scale_factor)
            return beside(pipeline.transformer, torch.cat([told.latents, mask.to(told.latents)], dim=2), dim=2)
        return beside_tokens(pipeline.transformer, told.latents, _PLACE_IN_KONTEXT)

    def guidance(self, asked: Asked) -> dict[str, Any]:
        """Return both scales."""
        return {"true_cfg_scale": asked.guidance_scale, **_distilled(asked)}


class Chroma(Family):
    """Guided as most are."""

    name = "chroma"
    pipeline = ChromaPipeline
    classes = ("ChromaPipeline", "ChromaImg2ImgPipeline", "ChromaInpaintPipeline")


class Flux2(Family):
    """Guidance is an input of its denoiser, and it knows no negative prompt."""

    name = "flux2"
    pipeline = Flux2Pipeline
    classes = ("Flux2Pipeline",)

    def guidance(self, asked: Asked) -> dict[str, Any]:
        """Return the scale that the denoiser is told."""
        return _distilled(asked)

    def telling(self, pipeline: Any, told: Told) -> AbstractContextManager[None]:
        """Return what has the denoiser read a picture's tokens."""
        return beside_tokens(pipeline.transformer, told.latents, _PLACE_IN_FLUX_2)


class Flux2Klein(Family):
    """Its pipeline takes a negative prompt only when that is encoded."""

    name = "flux2-klein"
    pipeline = Flux2KleinPipeline
    classes = ("Flux2KleinPipeline",)

    def encode(self, pipeline: Any, prompts: Texts, negative_prompts: Texts, asked: Asked, remember: Remember) -> Words:
        """Return the prompt, and the negative one as the text encoder reads it: (prompts, 512, width).

        Raises:
            Interrupted: the job was stopped between two layers of the text encoder.
        """
        words = super().encode(pipeline, prompts, negative_prompts, asked, remember)
        if asked.guidance_scale <= 1 or pipeline.config.is_distilled:
            return words
        negative = pipeline.encode_prompt(prompt=words["negative_prompt"], num_images_per_prompt=1)[0]
        return {**words, "negative_prompt_embeds": negative}

    def telling(self, pipeline: Any, told: Told) -> AbstractContextManager[None]:
        """Return what has the denoiser read a picture's tokens."""
        return beside_tokens(pipeline.transformer, told.latents, _PLACE_IN_FLUX_2)


def _distilled(asked: Asked) -> dict[str, Any]:
    """Return the scale that the denoiser is told; without one the pipeline takes that of its card."""
    scale = asked.distilled_guidance_scale
    return {} if scale is None else {"guidance_scale": scale}
