"""Train the small decoder for previews: `OMP_NUM_THREADS=1 python training/12_preview_decoder.py --steps 3000`.

It turns 16 x 16 latents into pictures of 64 x 64 in 6 ms on one core, a sixth of a step; the real decoder takes as long
as several steps, and a table of colours has one pixel a latent. What it learns from are the latents of the originals,
weakened, mixed and noisy, since a picture that is not finished looks like a mean of pictures.
`07_export.py` takes what this writes, `work/preview_decoder`, into the model's folder.
"""

from __future__ import annotations

import argparse
import logging
import math
import time

import torch
import torch.nn.functional as functional
from diffusers import AutoencoderTiny
from judge import Gallery
from replicas import Replicas
from settings import LATENT_CHANNELS, POOL, PREVIEW_DECODER, SEED, WORKERS

log = logging.getLogger("preview_decoder")

WIDTH = 32
LEAST_STRENGTH, MIXED_SHARE, MOST_NOISE = 0.5, 0.3, 0.3


def build() -> AutoencoderTiny:
    """Make it; nobody uses its encoder, which is as small as the class allows."""
    return AutoencoderTiny(
        encoder_block_out_channels=(8, 8, 8),
        decoder_block_out_channels=(WIDTH,) * 3,
        num_encoder_blocks=(0, 0, 0),
        num_decoder_blocks=(3, 2, 1),
        latent_channels=LATENT_CHANNELS,
        scaling_factor=1.0,
    )


class Examples:
    """Latents of the originals, and the same pictures on white at 64 x 64, (count, 3, 64, 64) in -1..1."""

    def __init__(self) -> None:
        content = torch.load(POOL / "originals.pt", weights_only=True)
        self._latents = content["latents"]
        order = [record["entry"] for record in content["records"]]
        gallery = Gallery()
        self._pictures, self._weights = gallery.on_white()[order], gallery.weights[order]

    def draw(self, count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Draw latents and what a preview of them should be."""
        generator = torch.Generator().manual_seed(seed)
        index = torch.multinomial(self._weights, 2 * count, replacement=True, generator=generator)
        latents, pictures = self._latents[index].float(), self._pictures[index]
        other = torch.rand(count, 1, 1, 1, generator=generator) * 0.5
        other = torch.where(torch.rand(other.shape, generator=generator) < MIXED_SHARE, other, 0.0)
        latents, pictures = (values[:count].lerp(values[count:], other) for values in (latents, pictures))
        noise = torch.randn(latents.shape, generator=generator)
        level = MOST_NOISE * torch.rand(count, 1, 1, 1, generator=generator) ** 2
        strength = LEAST_STRENGTH + (1 - LEAST_STRENGTH) * torch.rand(count, 1, 1, 1, generator=generator) ** 0.5
        return strength * latents + level * noise, pictures


def loss(model: AutoencoderTiny, latents: torch.Tensor, pictures: torch.Tensor) -> torch.Tensor:
    """Compute L1 and half of the L1 of gradients."""
    error = model.decoder(latents).float() - pictures
    return error.abs().mean() + 0.5 * (error.diff(dim=2).abs().mean() + error.diff(dim=3).abs().mean())


@torch.no_grad()
def score(model: AutoencoderTiny, latents: torch.Tensor, pictures: torch.Tensor) -> float:
    """Return the PSNR in dB, values clipped."""
    error = functional.mse_loss(model.decoder(latents).clamp(-1, 1), pictures)
    return float(-10 * (error / 4).log10())


def main() -> None:
    """Train and write it in fp16."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--micro", type=int, default=16)
    parser.add_argument("--rate", type=float, default=2e-3)
    options = parser.parse_args()
    torch.manual_seed(SEED)
    model, examples = build(), Examples()
    optimizer = torch.optim.AdamW(model.decoder.parameters(), lr=options.rate, betas=(0.9, 0.99), weight_decay=0.0)
    replicas, smooth, begin = Replicas([model], WORKERS), math.nan, time.monotonic()
    for number in range(options.steps):
        fall = 0.02 + 0.49 * (1 + math.cos(math.pi * number / options.steps))
        optimizer.param_groups[0]["lr"] = options.rate * min(1.0, (number + 1) / 50) * fall
        optimizer.zero_grad()
        value = replicas.backward(loss, *examples.draw(options.batch, SEED + number), micro=options.micro)
        torch.nn.utils.clip_grad_norm_(model.decoder.parameters(), 1.0)
        optimizer.step()
        smooth = value if math.isnan(smooth) else 0.98 * smooth + 0.02 * value
        if (number + 1) % 100 == 0:
            speed = (number + 1) * options.batch / (time.monotonic() - begin)
            log.info("%d/%d loss %.4f, %.0f/s", number + 1, options.steps, smooth, speed)
    log.info("PSNR of altered latents %.1f dB", score(model, *examples.draw(256, SEED - 1)))
    model.half().save_pretrained(PREVIEW_DECODER, safe_serialization=True)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    main()
