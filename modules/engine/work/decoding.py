"""Finished latents to a picture."""

from __future__ import annotations

import torch
from PIL import Image

from modules.engine.models.model_cache import LoadedModel
from modules.errors import ModelError

# Above this many pixels the decoder works in tiles: whole, a picture of 2048×2048 takes tens of gigabytes.
_WHOLE_AT_MOST_PIXELS = 1024 * 1024
# Sides of a tile in latents, an eighth of those of its pixels. Smaller ones would show.
_TILE = 64
_TILE_TO_SAVE_MEMORY = 32
_SMALLEST_TILE = 16


def decode(model: LoadedModel, latents: torch.Tensor, save_memory: bool = False) -> Image.Image:
    """Return the picture of `latents`: (1, channels, height / 8, width / 8); to save memory, in small tiles.

    Raises:
        Interrupted: the job was stopped between two blocks of the decoder.
        ModelError: the latents, or what the decoder makes of them, are no numbers.
    """
    vae = model.pipeline.vae
    _choose_tiling(model, latents, save_memory)
    shift = getattr(vae.config, "shift_factor", None) or 0.0
    pixels = vae.decode((latents / vae.config.scaling_factor + shift).to(vae.dtype), return_dict=False)[0]
    if not torch.isfinite(pixels).all():
        raise ModelError(
            f"{model.key.folder.name} gave a picture without numbers in {model.key.dtype}: "
            "set the number format to float32 in the settings and restart the engine."
        )
    picture: Image.Image = model.pipeline.image_processor.postprocess(pixels, output_type="pil")[0]
    return picture


def cut(picture: Image.Image, width: int, height: int) -> Image.Image:
    """Return the middle of a picture that is larger than asked for by less than a latent; else the picture."""
    if picture.size == (width, height):
        return picture
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    return picture.crop((left, top, left + width, top + height))


def can_save_memory(model: LoadedModel, width: int, height: int) -> bool:
    """Tell whether the decoder can work in tiles, and the picture is large enough for more than one."""
    return _can_tile(model) and max(width, height) > _SMALLEST_TILE * model.pipeline.vae_scale_factor


def _can_tile(model: LoadedModel) -> bool:
    vae, scale = model.pipeline.vae, model.pipeline.vae_scale_factor
    # AutoencoderTiny takes the number of colours for that of its upsamplings.
    return hasattr(vae, "use_tiling") and getattr(vae, "spatial_scale_factor", scale) == scale


def _choose_tiling(model: LoadedModel, latents: torch.Tensor, save_memory: bool) -> None:
    if not _can_tile(model):
        return
    vae, scale = model.pipeline.vae, model.pipeline.vae_scale_factor
    height, width = latents.shape[-2:]
    if not save_memory and height * width * scale**2 <= _WHOLE_AT_MOST_PIXELS:
        vae.disable_tiling()
        return
    tile = _TILE
    if save_memory:
        tile = min(_TILE_TO_SAVE_MEMORY, max(_SMALLEST_TILE, max(height, width) // 2))
    vae.tile_latent_min_size, vae.tile_sample_min_size = tile, tile * scale
    vae.enable_tiling()
