"""Finished latents to a picture."""

from __future__ import annotations

import torch
from PIL import Image

from modules.engine.models import LoadedModel
from modules.errors import ModelError

# Above this many pixels the decoder works in tiles: whole, a picture of 2048×2048 takes tens of gigabytes.
_WHOLE_AT_MOST_PIXELS = 1024 * 1024


def decode(model: LoadedModel, latents: torch.Tensor) -> Image.Image:
    """Return the picture of `latents`: (1, channels, height / 8, width / 8).

    Raises:
        Interrupted: the job was stopped between two blocks of the decoder.
        ModelError: the latents, or what the decoder makes of them, are no numbers.
    """
    vae = model.pipeline.vae
    _choose_tiling(model, latents)
    shift = getattr(vae.config, "shift_factor", None) or 0.0
    pixels = vae.decode((latents / vae.config.scaling_factor + shift).to(vae.dtype), return_dict=False)[0]
    if not torch.isfinite(pixels).all():
        raise ModelError(
            f"{model.key.folder.name} gave a picture without numbers in {model.key.dtype}: "
            "set the number format to float32 in the settings and restart the engine."
        )
    picture: Image.Image = model.pipeline.image_processor.postprocess(pixels, output_type="pil")[0]
    return picture


def _choose_tiling(model: LoadedModel, latents: torch.Tensor) -> None:
    vae, scale = model.pipeline.vae, model.pipeline.vae_scale_factor
    if latents.shape[-1] * latents.shape[-2] * scale * scale > _WHOLE_AT_MOST_PIXELS:
        vae.enable_tiling()
    else:
        vae.disable_tiling()
