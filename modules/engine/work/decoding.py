"""Finished latents to a picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from PIL import Image
from torch import nn

from modules.engine.families.base import NotNumbers, vae_of
from modules.engine.models.loaded_model import LoadedModel
from modules.errors import ModelError


def decode(
    model: LoadedModel,
    latents: torch.Tensor,
    size: tuple[int, int],
    save_memory: bool = False,
    once_more: Callable[[str], None] | None = None,
) -> Image.Image:
    """Return the picture of one picture's latents, cut to `size` (width, height); to save memory, decode in tiles.

    A VAE in half precision that gives no numbers, as the first one of SDXL in float16, decodes once more in float32,
    which `once_more` is told of; None: it does not.

    Raises:
        Interrupted: the job was stopped between two blocks of the decoder.
        ModelError: the latents, or what the decoder makes of them, are no numbers.
    """

    def picture() -> Image.Image:
        return cut(model.family.decode(model.pipeline, latents, size, save_memory), size)

    vae = vae_of(model.pipeline)
    try:
        return picture()
    except NotNumbers as error:
        half = vae is not None and vae.dtype != torch.float32 and bool(torch.isfinite(latents).all())
        if not half:
            raise _no_numbers(
                model, "set the number format to float32 in the settings and restart the engine"
            ) from error
        if once_more is None:
            raise _no_numbers(model, "turn on in the settings that it decodes once more in float32") from error
    half_precision = str(vae.dtype).removeprefix("torch.")
    with _in_float32(vae):
        try:
            made = picture()
        except NotNumbers as error:
            raise _no_numbers(model, "choose another VAE") from error
    once_more(f"The VAE gave no numbers in {half_precision}, so it decoded once more in float32.")
    return made


@contextmanager
def _in_float32(vae: nn.Module) -> Iterator[None]:
    """Let a VAE work in float32. Its weights come back as they were: all of half precision are numbers of float32."""
    before = {name: one.dtype for name, one in (*vae.named_parameters(), *vae.named_buffers())}
    # The plain method: diffusers' own warns about a dtype.
    nn.Module.to(vae, dtype=torch.float32)
    try:
        yield
    finally:
        for name, one in (*vae.named_parameters(), *vae.named_buffers()):
            one.data = one.data.to(before[name])


def _no_numbers(model: LoadedModel, remedy: str) -> ModelError:
    return ModelError(f"{model.key.path.name} gave a picture without numbers in {model.key.dtype}: {remedy}.")


def cut(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return the middle of a picture that is larger than asked for by less than a latent; else the picture."""
    if picture.size == size:
        return picture
    (width, height), (left, top) = size, ((picture.width - size[0]) // 2, (picture.height - size[1]) // 2)
    return picture.crop((left, top, left + width, top + height))
