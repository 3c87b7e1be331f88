"""Latents, or pictures, made as large as the next pass draws: what is enlarged covers its size, the middle is kept."""

from __future__ import annotations

import torch
from torch.nn import functional

from modules.engine.models.loaded_model import LoadedModel
from modules.images.resizing import covering
from modules.jobs.latent_upscaling import LatentMode


def enlarge_latents(
    model: LoadedModel, latents: torch.Tensor, before: tuple[int, int], size: tuple[int, int], how: LatentMode
) -> torch.Tensor:
    """Return the latents of pictures of the size `before` for pictures of another size, both (width, height).

    `latents` and what is returned are (batch, …) as the scheduler sees them, float32. On the thread that draws.
    """
    family, pipeline = model.family, model.pipeline
    spatial = family.layout(pipeline, before).spatial(latents.float())
    width, height = family.latent_size(pipeline, size)
    wide, high = covering((spatial.shape[-1], spatial.shape[-2]), (width, height))
    grown = functional.interpolate(spatial, (high, wide), mode=how.mode, antialias=how.antialias)
    left, top = (wide - width) // 2, (high - height) // 2
    middle = grown[..., top : top + height, left : left + width].contiguous()
    return family.layout(pipeline, size).running(middle)
