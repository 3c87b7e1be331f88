"""Pictures to the latents that a pass begins with."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from PIL import Image

from modules.engine.models.loaded_model import LoadedModel
from modules.engine.work.vae_precision import with_numbers
from modules.images.resizing import widened


def encode_pictures(
    model: LoadedModel,
    pictures: Sequence[Image.Image],
    save_memory: bool = False,
    once_more: Callable[[str], None] | None = None,
) -> torch.Tensor:
    """Return the latents of pictures of one size, (pictures, …) as the scheduler sees them, float32.

    Sides that are no multiples of what the model draws in are widened at the edges, by what decoding cuts off. One
    picture after the other, so that its latents are the same in any batch; to save memory, in tiles. `once_more` is
    that of `decode`.

    Raises:
        Interrupted: the job was stopped between two blocks of the encoder.
        ModelError: what the encoder makes of them are no numbers.
    """
    encoded: list[torch.Tensor] = []
    for place, picture in enumerate(pictures):
        before = next((made for made, one in zip(encoded, pictures[:place], strict=True) if one is picture), None)
        encoded.append(_encode(model, picture, save_memory, once_more) if before is None else before)
    return torch.cat(encoded)


def _encode(
    model: LoadedModel, picture: Image.Image, save_memory: bool, once_more: Callable[[str], None] | None
) -> torch.Tensor:
    pixels = pixels_of(widened(picture, model.family.rounded(model.pipeline, picture.size)))
    return encode_pixels(model, pixels, save_memory, once_more)


def encode_pixels(
    model: LoadedModel,
    pixels: torch.Tensor,
    save_memory: bool = False,
    once_more: Callable[[str], None] | None = None,
) -> torch.Tensor:
    """Return the latents of pixels, (batch, 3, height, width), -1..1, whose sides are multiples; else as above."""

    def latents() -> torch.Tensor:
        return model.family.encode_picture(model.pipeline, pixels, save_memory)

    return with_numbers(model, latents, "encoded", once_more)


def pixels_of(picture: Image.Image) -> torch.Tensor:
    """Return what a VAE is given of a picture: (1, 3, height, width), -1..1."""
    values = np.asarray(picture.convert("RGB"), np.float32) / 255.0
    return torch.from_numpy(2.0 * values - 1.0).permute(2, 0, 1)[None].contiguous()
