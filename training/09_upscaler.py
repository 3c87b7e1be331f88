"""Train the 2x upscaler on the same pictures: `OMP_NUM_THREADS=1 python training/09_upscaler.py`.

The network is Real-ESRGAN's compact one (arXiv:2107.10833), narrow enough for CPUs, in the form that spandrel reads, so
every web UI that takes ESRGAN files takes this one. It learns from crops of 128 pixels that were made half as large:
some also blurred or noisy, or through the autoencoder, since what it will enlarge was drawn by the model. Stopped runs
resume; at the end it says how much better it is than bicubic, and writes the weights.
"""

from __future__ import annotations

import argparse
import logging
import math
import time
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as functional
from muon import Muon
from painting import Painter
from replicas import Replicas, choose_device
from safetensors.torch import save_file
from settings import SEED, UPSCALER, WORK, WORKERS, load_autoencoder, save_atomically
from spandrel import ModelLoader
from spandrel.architectures.Compact import Compact

log = logging.getLogger("upscaler")

CHECKPOINT = WORK / "upscaler.pt"
CROP = 128
CHANNELS, CONVOLUTIONS = 40, 8
SHARE_THROUGH_AUTOENCODER = 0.25


def build_upscaler() -> Compact:
    """Make the network: (batch, 3, h, w) in 0..1 to (batch, 3, 2 h, 2 w)."""
    return Compact(num_feat=CHANNELS, num_conv=CONVOLUTIONS, upscale=2)


class Lessons:
    """Draws pairs of large pictures and what is to be enlarged; a draw depends on its number alone."""

    def __init__(self, painter: Painter) -> None:
        self._painter = painter
        self._autoencoder = load_autoencoder()

    @torch.no_grad()
    def draw(self, number: int, count: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return (count, 3, 64, 64) and (count, 3, 128, 128) in 0..1."""
        self._painter.restart(SEED + number)
        generator = torch.Generator().manual_seed(SEED + number)
        large = self._painter.crops(count, CROP) / 2 + 0.5
        sharp = functional.interpolate(large, scale_factor=0.5, mode="bicubic", antialias=True)
        soft = functional.interpolate(large, scale_factor=0.5, mode="bilinear", antialias=True)
        small = torch.where(torch.rand(count, 1, 1, 1, generator=generator) < 0.5, sharp, soft)
        blurred = functional.avg_pool2d(functional.pad(small, (1, 1, 1, 1), mode="replicate"), 3, 1)
        blur = torch.rand(count, 1, 1, 1, generator=generator).mul(1.6).sub(0.8).clamp_min(0)
        small = small + (blurred - small) * blur
        level = torch.rand(count, 1, 1, 1, generator=generator).mul(0.03).sub(0.015).clamp_min(0)
        small = small + level * torch.randn(small.shape, generator=generator)
        through = round(count * SHARE_THROUGH_AUTOENCODER)
        if through:
            values = small[:through] * 2 - 1
            with torch.autocast("cpu", torch.bfloat16):
                values = self._autoencoder.decoder(self._autoencoder.encoder(values)).float()
            small[:through] = values / 2 + 0.5
        return small.clamp(0, 1), large


def loss(network: Compact, small: torch.Tensor, large: torch.Tensor) -> torch.Tensor:
    """Compute the mean distance, and that of the slopes: edges are what an upscaler is judged by."""
    error = network(small).float() - large
    slopes = (error[..., 1:] - error[..., :-1]).abs().mean() + (error[..., 1:, :] - error[..., :-1, :]).abs().mean()
    return error.abs().mean() + 0.5 * slopes


def build_optimizers(network: Compact, rate: float) -> list[torch.optim.Optimizer]:
    """Give inner convolutions to Muon and the rest to AdamW."""
    matrices = [p for p in network.parameters() if p.ndim == 4 and min(p.shape[:2]) == CHANNELS]
    chosen = {id(p) for p in matrices}
    others = [p for p in network.parameters() if id(p) not in chosen]
    return [Muon(matrices, rate, weight_decay=0.0), torch.optim.AdamW(others, lr=rate, weight_decay=0.0)]


def train(network: Compact, painter: Painter, options: argparse.Namespace) -> None:
    """Train up to `--steps`, saving every 100."""
    optimizers = build_optimizers(network, options.rate)
    state: dict[str, Any] = {"steps": 0}
    if CHECKPOINT.exists():
        state = torch.load(CHECKPOINT, weights_only=True)
        network.load_state_dict(state["model"])
        for optimizer, saved in zip(optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
    lessons, replicas = Lessons(painter), Replicas([network], WORKERS)
    first, smooth, begin = state["steps"], math.nan, time.monotonic()
    for number in range(first, options.steps):
        share = min(1.0, (number + 1) / 50) * max(0.01, 1 - number / options.steps)
        for optimizer in optimizers:
            optimizer.zero_grad()
            for group in optimizer.param_groups:
                group["lr"] = options.rate * share
        value = replicas.backward(loss, *lessons.draw(number, options.batch), micro=4)
        for optimizer in optimizers:
            optimizer.step()
        smooth = value if math.isnan(smooth) else 0.98 * smooth + 0.02 * value
        if (number + 1) % 100 == 0 or number + 1 == options.steps:
            speed = (number + 1 - first) * options.batch / (time.monotonic() - begin)
            log.info("%d/%d loss %.5f, %.0f/s", number + 1, options.steps, smooth, speed)
            state = {"model": network.state_dict(), "steps": number + 1}
            save_atomically({**state, "optimizers": [optimizer.state_dict() for optimizer in optimizers]}, CHECKPOINT)


@torch.no_grad()
def compare(path: Path, painter: Painter) -> None:
    """Print the PSNR of unseen pictures, shrunk to a half and enlarged again, for the written file and bicubic."""
    network = ModelLoader().load_from_file(path).model.float().eval()
    large = painter.unseen(96) / 2 + 0.5
    small = functional.interpolate(large, scale_factor=0.5, mode="bicubic", antialias=True).clamp(0, 1)

    def score(enlarged: torch.Tensor) -> float:
        error = (enlarged.clamp(0, 1) - large).square().mean((1, 2, 3)).clamp_min(1e-8)
        return float(-10 * error.log10().mean())

    bicubic = functional.interpolate(small, scale_factor=2.0, mode="bicubic")
    log.info("PSNR of 96 unseen pictures: this %.2f dB, bicubic %.2f dB", score(network(small)), score(bicubic))


def main() -> None:
    """Train, write `models/ESRGAN/emoji-2x.safetensors`, and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1600)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--target", type=Path, default=UPSCALER)
    options = parser.parse_args()
    torch.manual_seed(SEED)
    network, painter = build_upscaler().to(choose_device(), memory_format=torch.channels_last), Painter()
    train(network, painter, options)
    options.target.parent.mkdir(parents=True, exist_ok=True)
    half = {key: value.half().contiguous() for key, value in network.state_dict().items()}
    save_file(half, options.target, metadata={"format": "pt", "modelspec.title": "Emoji 2x", "license": "Apache-2.0"})
    options.target.chmod(0o644)
    compare(options.target, painter)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    main()
