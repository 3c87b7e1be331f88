"""Measure how well an autoencoder restores pictures."""

from __future__ import annotations

import torch
from diffusers import AutoencoderTiny


@torch.no_grad()
def psnr(model: AutoencoderTiny, pictures: torch.Tensor) -> float:
    """Mean PSNR in dB over (count, 3, h, w) pictures in -1..1, values clipped as the pipeline clips them."""
    scores = []
    for truth in pictures.split(4):
        decoded = model.decoder(model.encoder(truth)).clamp(-1, 1)
        error = (decoded - truth).square().mean((1, 2, 3)) / 4
        scores.append(-10 * error.clamp_min(1e-8).log10())
    return float(torch.cat(scores).mean())
