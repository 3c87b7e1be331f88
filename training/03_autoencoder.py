"""Train the autoencoder: `python training/03_autoencoder.py joint`, later `... decoder` to sharpen the decoder alone.

`joint` trains both halves, then bakes the normalisation of the latents (mean 0, variance 1 in each channel) into the
last convolution of the encoder. From then on the encoder is frozen: `decoder` goes on with the decoder only, so latents
that were cached stay valid. Stopped runs resume from the last checkpoint. Schedules count steps, never the clock.

Three things make the latents easy to denoise: a pull to unit variance, noise before decoding, and equivariance
(sometimes latents of half the size must decode to the picture of half the size, after EQ-VAE, arXiv:2502.09509).
"""

from __future__ import annotations

import argparse
import logging
import math
import time
from typing import Any

import numpy as np
import torch
import torch.nn.functional as functional
from diffusers import AutoencoderTiny
from replicas import Replicas
from settings import (
    AUTOENCODER,
    LATENT_CHANNELS,
    LATENT_SIZE,
    PICTURES,
    SEED,
    WORKERS,
    build_autoencoder,
    read_captions,
    save_atomically,
)

log = logging.getLogger("autoencoder")

BATCH = 16
LATENT_NOISE = 0.1
HALF_SIZE_EVERY = 4


def composite(rgba: torch.Tensor, background: torch.Tensor) -> torch.Tensor:
    """Lay (batch, 4, h, w) uint8 pictures over (batch, 3, 1, 1) colours in 0..1; returns (batch, 3, h, w) in -1..1."""
    values = rgba.float() / 255
    alpha = values[:, 3:]
    return (values[:, :3] * alpha + background * (1 - alpha)) * 2 - 1


def draw_batch(pictures: torch.Tensor, weights: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Draw pictures by weight, half of them mirrored, a third on a random plain background."""
    index = torch.multinomial(weights, BATCH, replacement=True, generator=generator)
    rgba = pictures[index]
    mirrored = torch.rand(BATCH, 1, 1, 1, generator=generator) < 0.5
    rgba = torch.where(mirrored, rgba.flip(-1), rgba)
    shift = torch.randint(-6, 7, (2,), generator=generator).tolist()
    rgba = torch.roll(rgba, shifts=shift, dims=(2, 3))
    colour = torch.rand(BATCH, 3, 1, 1, generator=generator)
    white = torch.rand(BATCH, 1, 1, 1, generator=generator) < 0.67
    return composite(rgba, torch.where(white, torch.ones_like(colour), colour))


def joint_loss(model: AutoencoderTiny, batch: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    """Compute reconstruction plus the pull of the latents to mean 0 and variance 1; `noise` says the size to decode."""
    latents = model.encoder(batch).float()
    mean, deviation = latents.mean((0, 2, 3)), latents.std((0, 2, 3))
    pull = mean.square().mean() + (deviation - 1).square().mean() + latents.square().mean() * 0.05
    if noise.shape != latents.shape:
        latents, batch = functional.avg_pool2d(latents, 2), functional.avg_pool2d(batch, 2)
    return reconstruction(model, latents + LATENT_NOISE * noise, batch) + 0.02 * pull


def decoder_loss(model: AutoencoderTiny, batch: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    """Compute reconstruction from frozen latents with a trace of noise, as a denoiser leaves it."""
    with torch.no_grad():
        latents = model.encoder(batch).float()
    return reconstruction(model, latents + 0.5 * LATENT_NOISE * noise, batch)


def reconstruction(model: AutoencoderTiny, latents: torch.Tensor, batch: torch.Tensor) -> torch.Tensor:
    """Compare a decoded batch with the truth: L1, MSE, and L1 of the differences between neighbours for sharp edges."""
    decoded = model.decoder(latents).float()
    error = decoded - batch
    edges = error.diff(dim=-1).abs().mean() + error.diff(dim=-2).abs().mean()
    return error.abs().mean() + error.square().mean() + 0.5 * edges


@torch.no_grad()
def psnr(model: AutoencoderTiny, pictures: torch.Tensor) -> float:
    """Mean PSNR in dB over (count, 4, h, w) pictures on white, values clipped as the pipeline clips them."""
    scores = []
    for chunk in pictures.split(BATCH):
        truth = composite(chunk, torch.ones(len(chunk), 3, 1, 1)).contiguous(memory_format=torch.channels_last)
        decoded = model.decoder(model.encoder(truth)).clamp(-1, 1)
        error = (decoded - truth).square().mean((1, 2, 3)) / 4
        scores.append(-10 * error.clamp_min(1e-8).log10())
    return float(torch.cat(scores).mean())


@torch.no_grad()
def bake_normalisation(model: AutoencoderTiny, pictures: torch.Tensor, weights: torch.Tensor) -> None:
    """Fold mean and deviation of the latents into the encoder, so that scaling_factor 1 gives unit variance.

    The inverse goes into the decoder; it is exact but for the soft clamp before it and the border, which the decoder
    stage learns away.
    """
    generator = torch.Generator().manual_seed(SEED)
    index = torch.multinomial(weights, 512, replacement=False, generator=generator)
    latents = torch.cat([model.encoder(composite(chunk, torch.ones(1))) for chunk in pictures[index].split(BATCH)])
    mean, deviation = latents.mean((0, 2, 3)), latents.std((0, 2, 3))
    log.info("before baking: mean %s deviation %s", mean.numpy().round(2), deviation.numpy().round(2))
    last = model.encoder.layers[-1]
    last.weight.div_(deviation[:, None, None, None])
    last.bias.sub_(mean).div_(deviation)
    first = model.decoder.layers[0]
    first.bias.add_(torch.einsum("oihw,i->o", first.weight, mean))
    first.weight.mul_(deviation[None, :, None, None])


def train(stage: str, steps: int, rate: float, state: dict[str, Any], data: tuple[torch.Tensor, ...]) -> None:
    """Run one stage up to `steps`, saving and measuring every 200 steps."""
    pictures, weights, unseen = data
    model = build_autoencoder().to(memory_format=torch.channels_last)
    if "model" in state:
        model.load_state_dict(state["model"])
    parameters = list(model.parameters() if stage == "joint" else model.decoder.parameters())
    optimizer = torch.optim.AdamW(parameters, lr=rate, weight_decay=1e-4, betas=(0.9, 0.99))
    first = state.get(f"{stage}_steps", 0)
    if f"{stage}_optimizer" in state:
        optimizer.load_state_dict(state[f"{stage}_optimizer"])
    generator = torch.Generator().manual_seed(SEED + first)
    replicas = Replicas([model], WORKERS)
    compute = joint_loss if stage == "joint" else decoder_loss
    smooth, begin = math.nan, time.monotonic()
    for step in range(first, steps):
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / 50) * (0.02 + 0.49 * (1 + math.cos(math.pi * step / steps)))
        batch = draw_batch(pictures, weights, generator).contiguous(memory_format=torch.channels_last)
        halved = stage == "joint" and step % HALF_SIZE_EVERY == HALF_SIZE_EVERY - 1
        side = LATENT_SIZE // 2 if halved else LATENT_SIZE
        noise = torch.randn(BATCH, LATENT_CHANNELS, side, side, generator=generator)
        optimizer.zero_grad()
        loss = replicas.backward(compute, batch, noise)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        smooth = loss if math.isnan(smooth) else 0.98 * smooth + 0.02 * loss
        if (step + 1) % 200 == 0 or step + 1 == steps:
            if step + 1 == steps and stage == "joint":
                bake_normalisation(model, pictures, weights)
            rate_now = (step + 1 - first) * BATCH / (time.monotonic() - begin)
            score = psnr(model, unseen) if step + 1 < steps or stage == "decoder" else math.nan
            log.info("%s %d/%d loss %.4f PSNR %.2f dB, %.1f/s", stage, step + 1, steps, smooth, score, rate_now)
            state.update({"model": model.state_dict(), f"{stage}_optimizer": optimizer.state_dict()})
            state[f"{stage}_steps"] = step + 1
            save_atomically(state, AUTOENCODER)


def main() -> None:
    """Parse the stage and run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", choices=("joint", "decoder"))
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--rate", type=float, default=1.5e-3)
    options = parser.parse_args()
    torch.manual_seed(SEED)
    entries = read_captions()
    pictures = torch.from_numpy(np.load(PICTURES)).permute(0, 3, 1, 2).contiguous()
    held_out = torch.tensor([entry["held_out"] for entry in entries])
    weights = torch.tensor([entry["weight"] for entry in entries])
    state = torch.load(AUTOENCODER, weights_only=True) if AUTOENCODER.exists() else {}
    if options.stage == "decoder" and "model" not in state:
        raise SystemExit("There is no autoencoder yet: run `03_autoencoder.py joint` first.")
    data = (pictures[~held_out], weights[~held_out], pictures[held_out])
    train(options.stage, options.steps, options.rate, state, data)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    main()
