"""Stable Diffusion 3 and 3.5: two CLIPs, whose words have weights, and a T5, which takes none."""

from __future__ import annotations

import functools
from typing import Any

import torch
from diffusers import StableDiffusion3Pipeline
from torch.nn.functional import pad

from modules.engine.families.base import Asked, Family, Remember, Words
from modules.engine.families.clip_chunks import Encoder, Read, chunks_in, read_text, said_by
from modules.engine.families.reading import Reading, Texts, as_many


class StableDiffusion3(Family):
    """The tokens of both CLIPs side by side, in chunks of 75, then those of the T5; the pooled ones of both."""

    name = "sd3"
    pipeline = StableDiffusion3Pipeline
    classes = ("StableDiffusion3Pipeline", "StableDiffusion3Img2ImgPipeline", "StableDiffusion3InpaintPipeline",
               "StableDiffusion3PAGPipeline", "StableDiffusion3ControlNetPipeline")  # fmt: skip
    plain = True
    takes_weights = True

    def encode(self, pipeline: Any, prompts: Texts, negative_prompts: Texts, asked: Asked, remember: Remember) -> Words:
        """Encode prompts as A1111 does; plain text as the pipeline does, which reads 75 tokens of it by CLIP.

        `prompt_embeds`: (prompts, 77 * chunks + tokens of T5, width), `pooled_prompt_embeds`: (prompts, both widths).

        Raises:
            Interrupted: the job was stopped between two layers of a text encoder.
        """
        reading = asked.reading
        if reading.syntax == "plain":
            return super().encode(pipeline, prompts, negative_prompts, asked, remember)
        read = functools.partial(_read, pipeline, reading, remember)

        def words(texts: Texts, count: int) -> tuple[torch.Tensor, torch.Tensor]:
            by_t5 = torch.cat([_read_by_t5(pipeline, reading, remember, text.said) for text in texts])
            by_clip = said_by(texts, read, reading.emphasis, count)
            by_clip = pad(by_clip, (0, by_t5.shape[-1] - by_clip.shape[-1]))
            pooled = [read(text.said).pooled for text in texts]
            return torch.cat([by_clip, by_t5], dim=1), torch.cat([one for one in pooled if one is not None])

        if asked.guidance_scale <= 1:
            embeddings, pooled = words(prompts, chunks_in(prompts, read))
            return {"prompt_embeds": embeddings, "pooled_prompt_embeds": pooled}
        prompts, negative_prompts = as_many(prompts, negative_prompts)
        count = chunks_in(prompts + negative_prompts, read)
        (embeddings, pooled), (negative, negative_pooled) = words(prompts, count), words(negative_prompts, count)
        return {
            "prompt_embeds": embeddings,
            "negative_prompt_embeds": negative,
            "pooled_prompt_embeds": pooled,
            "negative_pooled_prompt_embeds": negative_pooled,
        }


def _read(pipeline: Any, reading: Reading, remember: Remember, text: str) -> Read:
    """Return what both CLIPs make of a text, side by side."""
    found: Read = remember((text, "clip"), lambda: _side_by_side(pipeline, reading, text))
    return found


def _side_by_side(pipeline: Any, reading: Reading, text: str) -> Read:
    one, other = (read_text(Encoder.of(pipeline, number), text, reading, _ask) for number in (1, 2))
    assert one.pooled is not None and other.pooled is not None  # They are of the kind that gives them.
    embeddings = torch.cat([one.embeddings, other.embeddings], dim=-1)
    return Read(embeddings, one.weights, torch.cat([one.pooled, other.pooled], dim=-1))


def _ask(text_encoder: Any, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    said = text_encoder(ids, output_hidden_states=True)
    return said.hidden_states[-2], said[0]


def _read_by_t5(pipeline: Any, reading: Reading, remember: Remember, text: str) -> torch.Tensor:
    """Return the words without weights as the T5 reads them, (1, 256, width); zeros where there is none."""
    alone = reading.words_alone(text)
    found: torch.Tensor = remember((alone, "t5"), lambda: pipeline._get_t5_prompt_embeds(alone))
    return found
