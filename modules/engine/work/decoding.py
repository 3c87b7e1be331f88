"""Finished latents to a picture."""

from __future__ import annotations

from collections.abc import Callable

import torch
from PIL import Image

from modules.engine.models.loaded_model import LoadedModel
from modules.engine.work.vae_precision import with_numbers


def decode(
    model: LoadedModel,
    latents: torch.Tensor,
    size: tuple[int, int],
    save_memory: bool = False,
    once_more: Callable[[str], None] | None = None,
) -> Image.Image:
    """Return the picture of one picture's latents, cut to `size` (width, height); to save memory, decode in tiles.

    A VAE in half precision that gives no numbers decodes once more in float32, which `once_more` is told of; None: it
    does not.

    Raises:
        Interrupted: the job was stopped between two blocks of the decoder.
        ModelError: the latents, or what the decoder makes of them, are no numbers.
    """

    def picture() -> Image.Image:
        return cut(model.family.decode(model.pipeline, latents, size, save_memory), size)

    return with_numbers(model, picture, "decoded", once_more, bool(torch.isfinite(latents).all()))


def cut(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return the middle of a picture that is larger than asked for by less than a latent; else the picture."""
    if picture.size == size:
        return picture
    (width, height), (left, top) = size, ((picture.width - size[0]) // 2, (picture.height - size[1]) // 2)
    return picture.crop((left, top, left + width, top + height))
