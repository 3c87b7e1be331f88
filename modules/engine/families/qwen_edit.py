"""Qwen-Image-Edit: changes a picture, which its text encoder reads together with the words."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from diffusers import QwenImageEditPipeline, QwenImageEditPlusPipeline, QwenImagePipeline
from PIL import Image

from modules.engine.families.base import Asked, Remember, Words
from modules.engine.families.latent_layout import Layout
from modules.engine.families.plain_families import QwenImage
from modules.engine.families.reading import Texts
from modules.engine.families.telling import Told
from modules.errors import ModelError

_TWIN = "from_words"


class QwenImageEdit(QwenImage):
    """Its pipeline makes words, and latents, of the picture in one call: so words are not encoded before.

    What it does with finished latents is what Qwen-Image does: a pipeline of that, with the same parts, is asked.
    """

    variant = "edit"
    pipeline = QwenImageEditPipeline
    classes: tuple[str, ...] = ("QwenImageEditPipeline", "QwenImageEditInpaintPipeline")
    told_by_latents = False
    one_text = True

    def needs_picture(self, pipeline: Any) -> bool:
        """Tell so: it cannot be called without one."""
        return True

    def telling(self, pipeline: Any, told: Told) -> AbstractContextManager[None]:
        """Return nothing to enter: the pipeline's call is given the picture."""
        return nullcontext()

    def told_arguments(self, told: Told) -> dict[str, Any]:
        """Return the picture that is changed.

        Raises:
            ModelError: pictures that are drawn at once begin with different ones.
        """
        first = told.pictures[0]
        if any(one is not first for one in told.pictures):
            raise ModelError("This model changes one picture at a time: use batch size 1, and a larger batch count.")
        return {"image": [first]}

    def encode(self, pipeline: Any, prompts: Texts, negative_prompts: Texts, asked: Asked, remember: Remember) -> Words:
        """Return the words as they are."""
        return self.words_alone(prompts, negative_prompts, asked)

    def said_alone(self, said: Sequence[torch.Tensor], pictures: int) -> tuple[torch.Tensor, torch.Tensor] | None:
        """Return None: what the denoiser says of the picture is in it too."""
        return None

    def layout(self, pipeline: Any, size: tuple[int, int]) -> Layout:
        """Return that of Qwen-Image."""
        return super().layout(_from_words(pipeline), size)

    def for_vae(self, pipeline: Any, spatial: torch.Tensor) -> torch.Tensor:
        """Return what the VAE decodes, as Qwen-Image scales it."""
        return super().for_vae(_from_words(pipeline), spatial)

    def decode(self, pipeline: Any, latents: torch.Tensor, size: tuple[int, int], save_memory: bool) -> Image.Image:
        """Return the picture, as Qwen-Image decodes it."""
        return super().decode(_from_words(pipeline), latents, size, save_memory)

    def encode_picture(self, pipeline: Any, pixels: torch.Tensor, save_memory: bool = False) -> torch.Tensor:
        """Return latents, as Qwen-Image has them."""
        return super().encode_picture(_from_words(pipeline), pixels, save_memory)


class QwenImageEditPlus(QwenImageEdit):
    """Those of September 2025 and later."""

    variant = "edit-plus"
    pipeline = QwenImageEditPlusPipeline
    classes = ("QwenImageEditPlusPipeline",)


def _from_words(pipeline: Any) -> Any:
    """Return a pipeline that draws from words, with the parts that the other has now."""
    if isinstance(pipeline, QwenImagePipeline):
        return pipeline
    twin = vars(pipeline).get(_TWIN)
    if twin is None or twin.vae is not pipeline.vae or twin.scheduler is not pipeline.scheduler:
        parts = {name: one for name, one in pipeline.components.items() if name != "processor"}
        twin = vars(pipeline)[_TWIN] = QwenImagePipeline(**parts)
    return twin
