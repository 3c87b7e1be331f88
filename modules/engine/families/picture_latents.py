"""Pictures to latents, as a VAE sees them and as a scheduler does: what decoding undoes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch.nn import functional

from modules.engine.families.latent_layout import Layout

# How many colours a VAE takes beside red, green and blue: one that stands for what is opaque.
_OPAQUE = 1.0


def spatial_of(vae: Any, layout: Layout, pixels: torch.Tensor) -> torch.Tensor:
    """Return the latents of pictures as they lie in them, (batch, channels, height, width), float32, not scaled.

    `pixels`: (batch, 3, height, width), -1..1, on the VAE's device and in its number format. It is the most likely
    latents of its distribution that count: nothing is drawn. Where the pipeline draws in a size of its own, the
    pictures are made as large as that.

    Raises:
        Interrupted: the job was stopped between two blocks of the encoder.
    """
    encoded = _encoded(vae, layout, pixels)
    wanted = None if layout.source is None else layout.source.shape[-2:]
    if wanted is not None and encoded.shape[-2:] != wanted:
        sides = zip(pixels.shape[-2:], wanted, encoded.shape[-2:], strict=True)
        size = [round(side * asked / given) for side, asked, given in sides]
        resized = functional.interpolate(pixels.float(), size, mode="bicubic", antialias=True).clamp(-1, 1)
        encoded = _encoded(vae, layout, resized.to(pixels.dtype))
    return _unscaled(vae, layout, encoded)


def _encoded(vae: Any, layout: Layout, pixels: torch.Tensor) -> torch.Tensor:
    """Return what the encoder makes of pictures: (batch, channels, height, width), float32."""
    colours = vae.config.get("in_channels") or vae.config.get("input_channels") or pixels.shape[1]
    if isinstance(colours, int) and colours == pixels.shape[1] + 1:
        pixels = torch.cat([pixels, torch.full_like(pixels[:, :1], _OPAQUE)], dim=1)
    said = vae.encode(pixels[:, :, None] if layout.frames else pixels)
    latents = said.latent_dist.mode() if hasattr(said, "latent_dist") else said[0]
    return torch.as_tensor(latents[:, :, 0] if layout.frames else latents).float()


def _unscaled(vae: Any, layout: Layout, encoded: torch.Tensor) -> torch.Tensor:
    """Undo the layout's scale: by the formula of the VAE's configuration that agrees, else by what was asked for.

    They say the same but for the last bits, and pipelines that begin with a picture go by the formula.
    """
    asked: torch.Tensor = (encoded - layout.shift.to(encoded)) / layout.scale.to(encoded)
    for known in _formulas(vae.config, encoded):
        if known.shape == asked.shape and torch.allclose(known, asked, rtol=1e-3, atol=1e-4):
            return known
    return asked


def _formulas(config: Any, encoded: torch.Tensor) -> Iterator[torch.Tensor]:
    """Yield the ways in which pipelines scale what the encoder gives, each in its order of operations."""
    factor, shift = config.get("scaling_factor"), config.get("shift_factor")
    mean, deviation = config.get("latents_mean"), config.get("latents_std")
    if mean is not None and deviation is not None and len(mean) == encoded.shape[1] == len(deviation):
        centre, spread = (torch.tensor(values).view(1, -1, 1, 1).to(encoded) for values in (mean, deviation))
        if factor is not None:
            yield (encoded - centre) * factor / spread
        yield (encoded - centre) * (1.0 / spread)
    if factor is not None:
        yield encoded * factor if not shift else (encoded - shift) * factor
    yield encoded
