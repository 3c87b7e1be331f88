"""Stable Diffusion XL, and its refiner."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from diffusers import StableDiffusionXLPipeline

from modules.engine.families.base import Asked, Remember, Words
from modules.engine.families.clip_chunks import Encoder, Read, chunks_in, read_text, said_by
from modules.engine.families.reading import Reading, Text, Texts, as_many
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

    def encode(self, pipeline: Any, prompts: Texts, negative_prompts: Texts, asked: Asked, remember: Remember) -> Words:
        """Encode prompts in chunks of 75 tokens with weights, all padded to the same number of chunks.

        `prompt_embeds`: (prompts, 77 * chunks, both widths), `pooled_prompt_embeds`: (prompts, width), without weights.
        An empty negative prompt is all zeros where the model was trained so, as with A1111. Without guidance the
        negative ones are None.

        Raises:
            Interrupted: the job was stopped between two layers.
        """
        numbers = [number for number in (1, 2) if Encoder.of(pipeline, number).network is not None]
        readers = [
            functools.partial(_read, Encoder.of(pipeline, number), asked.reading, remember) for number in numbers
        ]

        def words(texts: Texts, count: int) -> tuple[torch.Tensor, torch.Tensor]:
            said = [said_by(texts, read, asked.reading.emphasis, count) for read in readers]
            return torch.cat(said, dim=-1), torch.cat([_pooled(text, readers) for text in texts])

        if asked.guidance_scale <= 1:
            embeddings, pooled = words(prompts, max(chunks_in(prompts, read) for read in readers))
            said = {"prompt_embeds": embeddings, "pooled_prompt_embeds": pooled}
            return said | {"negative_prompt_embeds": None, "negative_pooled_prompt_embeds": None}
        prompts, negative_prompts = as_many(prompts, negative_prompts)
        count = max(chunks_in(prompts + negative_prompts, read) for read in readers)
        embeddings, pooled = words(prompts, count)
        negative, negative_pooled = words(negative_prompts, count)
        if pipeline.config.get("force_zeros_for_empty_prompt"):
            said_nothing = [not any(text.together) for text in negative_prompts]
            negative = negative.masked_fill(_column(said_nothing, negative), 0)
            negative_pooled = negative_pooled.masked_fill(_column(said_nothing, negative_pooled), 0)
        return {
            "prompt_embeds": embeddings,
            "negative_prompt_embeds": negative,
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

    @contextmanager
    def mending(self, pipeline: Any) -> Iterator[None]:
        """Put the scores in the order of the words: of several pictures diffusers 0.42 has both of each in turn."""

        by_turns: list[bool] = []  # Looked at once: an accelerator would be waited for.

        def before(_unet: Any, inputs: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
            told = named["added_cond_kwargs"]
            ids = told["time_ids"]
            if not by_turns:
                by_turns.append(len(ids) > 2 and not torch.equal(ids[0], ids[1]))
            if by_turns[0]:
                named = {**named, "added_cond_kwargs": {**told, "time_ids": torch.cat([ids[0::2], ids[1::2]])}}
            return inputs, named

        hook = pipeline.unet.register_forward_pre_hook(before, with_kwargs=True)
        try:
            yield
        finally:
            hook.remove()


def _read(encoder: Encoder, reading: Reading, remember: Remember, text: str) -> Read:
    found: Read = remember((text, encoder.name), lambda: read_text(encoder, text, reading, _ask))
    return found


def _ask(text_encoder: Any, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Return the words as the layer before the last has them, (chunks, 77, width), and the pooled ones of the second.

    The first encoder gives none.
    """
    said = text_encoder(ids, output_hidden_states=True)
    return said.hidden_states[-2], said[0] if said[0].ndim == 2 else None


def _pooled(text: Text, readers: Sequence[Callable[[str], Read]]) -> torch.Tensor:
    """Return the pooled words of a text's first chunk, (1, width)."""
    pooled = [read(text.said).pooled for read in readers][-1]
    assert pooled is not None  # The second encoder gives it.
    return pooled


def _column(rows: Sequence[bool], like: torch.Tensor) -> torch.Tensor:
    """Return which rows of a tensor are meant, in a shape that goes with it."""
    return torch.tensor(rows, device=like.device).view(-1, *[1] * (like.ndim - 1))
