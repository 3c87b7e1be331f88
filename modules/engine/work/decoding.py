"""Finished latents to a picture."""

from __future__ import annotations

import torch
from PIL import Image

from modules.engine.families.base import NotNumbers
from modules.engine.models.loaded_model import LoadedModel
from modules.errors import ModelError


def decode(model: LoadedModel, latents: torch.Tensor, size: tuple[int, int], save_memory: bool = False) -> Image.Image:
    """Return the picture of one picture's latents, cut to `size` (width, height); to save memory, decode in tiles.

    Raises:
        Interrupted: the job was stopped between two blocks of the decoder.
        ModelError: the latents, or what the decoder makes of them, are no numbers.
    """
    try:
        picture = model.family.decode(model.pipeline, latents, size, save_memory)
    except NotNumbers as error:
        raise ModelError(
            f"{model.key.path.name} gave a picture without numbers in {model.key.dtype}: "
            "set the number format to float32 in the settings and restart the engine."
        ) from error
    return cut(picture, size)


def cut(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return the middle of a picture that is larger than asked for by less than a latent; else the picture."""
    if picture.size == size:
        return picture
    (width, height), (left, top) = size, ((picture.width - size[0]) // 2, (picture.height - size[1]) // 2)
    return picture.crop((left, top, left + width, top + height))
