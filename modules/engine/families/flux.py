"""Flux.1, Flux.2, and Chroma, which was made of the first."""

from __future__ import annotations

from typing import Any

from diffusers import ChromaPipeline, Flux2KleinPipeline, Flux2Pipeline, FluxPipeline

from modules.engine.families.base import Asked, Family, Remember, Words


class Flux(Family):
    """Guidance is an input of its denoiser; classifier-free guidance, which takes two calls, has another name."""

    name = "flux"
    pipeline = FluxPipeline
    classes = ("FluxPipeline", "FluxImg2ImgPipeline", "FluxInpaintPipeline", "FluxKontextPipeline",
               "FluxControlNetPipeline")  # fmt: skip

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


class Flux2Klein(Family):
    """Its pipeline takes a negative prompt only when that is encoded."""

    name = "flux2-klein"
    pipeline = Flux2KleinPipeline
    classes = ("Flux2KleinPipeline",)

    def encode(self, pipeline: Any, prompt: str, negative_prompt: str, asked: Asked, remember: Remember) -> Words:
        """Return the prompt, and the negative one as the text encoder reads it: (1, 512, width).

        Raises:
            Interrupted: the job was stopped between two layers of the text encoder.
        """
        words = super().encode(pipeline, prompt, "", asked, remember)
        if asked.guidance_scale <= 1 or pipeline.config.is_distilled:
            return words
        negative = pipeline.encode_prompt(prompt=negative_prompt, num_images_per_prompt=1)[0]
        return {**words, "negative_prompt_embeds": negative}


def _distilled(asked: Asked) -> dict[str, Any]:
    """Return the scale that the denoiser is told; without one the pipeline takes that of its card."""
    scale = asked.distilled_guidance_scale
    return {} if scale is None else {"guidance_scale": scale}
