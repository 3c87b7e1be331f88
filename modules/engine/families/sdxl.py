"""Stable Diffusion XL, and its refiner."""

from __future__ import annotations

from typing import Any

import torch
from diffusers import StableDiffusionXLPipeline

from modules.engine.families.base import Asked, Remember, Words
from modules.engine.families.clip_chunks import chunked_ids, joined
from modules.engine.families.stable_diffusion import StableDiffusion

# What the refiner is told of how beautiful the picture is, and the negative one: the values of its authors.
_SCORE, _NEGATIVE_SCORE = 6.0, 2.5


class StableDiffusionXL(StableDiffusion):
    """Words in chunks of any number, read by both text encoders; the pooled ones are those of the first chunk."""

    pipeline = StableDiffusionXLPipeline
    classes: tuple[str, ...] = (
        "StableDiffusionXLPipeline", "StableDiffusionXLImg2ImgPipeline", "StableDiffusionXLInpaintPipeline",
        "StableDiffusionXLInstructPix2PixPipeline", "StableDiffusionXLPAGPipeline",
        "StableDiffusionXLControlNetPipeline", "StableDiffusionXLControlNetUnionPipeline",
        "StableDiffusionXLControlNetPAGPipeline",
    )  # fmt: skip

    def encode(self, pipeline: Any, prompt: str, negative_prompt: str, asked: Asked, remember: Remember) -> Words:
        """Encode prompts in chunks of 75 tokens, both padded to the same number of chunks.

        `prompt_embeds`: (1, 77 * chunks, both widths), `pooled_prompt_embeds`: (1, width). An empty negative prompt is
        all zeros where the model was trained so, as with A1111. Without guidance the negative ones are None.

        Raises:
            Interrupted: the job was stopped between two layers.
        """

        def chunks(text: str) -> tuple[torch.Tensor, torch.Tensor]:
            found: tuple[torch.Tensor, torch.Tensor] = remember(text, lambda text: _encode(pipeline, text))
            return found

        positive, pooled = chunks(prompt)
        if asked.guidance_scale <= 1:
            words = {"prompt_embeds": joined(positive, len(positive), positive), "pooled_prompt_embeds": pooled}
            return words | {"negative_prompt_embeds": None, "negative_pooled_prompt_embeds": None}
        negative, negative_pooled = chunks(negative_prompt)
        count = max(len(positive), len(negative))
        empty = chunks("")[0] if len(positive) != len(negative) else positive
        negative_words = joined(negative, count, empty)
        if not negative_prompt and pipeline.config.get("force_zeros_for_empty_prompt"):
            negative_words, negative_pooled = torch.zeros_like(negative_words), torch.zeros_like(negative_pooled)
        return {
            "prompt_embeds": joined(positive, count, empty),
            "negative_prompt_embeds": negative_words,
            "pooled_prompt_embeds": pooled,
            "negative_pooled_prompt_embeds": negative_pooled,
        }


class Refiner(StableDiffusionXL):
    """It has the second text encoder only, and is told a score of beauty in place of the size that is wanted."""

    classes = ()

    def arguments(self, pipeline: Any, words: Words, asked: Asked) -> dict[str, Any]:
        """Return the arguments with the scores where a base model is told sizes: after the size and the corner."""
        made = super().arguments(pipeline, words, asked)
        scores = {"target_size": (_SCORE,), "negative_target_size": (_NEGATIVE_SCORE,)}
        return {**made, **scores, "negative_original_size": (made["height"], made["width"])}


def _encode(pipeline: Any, text: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the words, (chunks, 77, widths of all encoders), and the pooled ones of the first chunk, (1, width)."""
    pairs = (pipeline.tokenizer, pipeline.text_encoder), (pipeline.tokenizer_2, pipeline.text_encoder_2)
    read: list[torch.Tensor] = []
    pooled: torch.Tensor | None = None
    for tokenizer, text_encoder in pairs:
        if text_encoder is None:
            continue
        said = text_encoder(chunked_ids(tokenizer, text_encoder, text), output_hidden_states=True)
        read.append(said.hidden_states[-2])
        if said[0].ndim == 2:
            pooled = said[0][:1]
    assert pooled is not None  # The second encoder gives it.
    return torch.cat(read, dim=-1), pooled
