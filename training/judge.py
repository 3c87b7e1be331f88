"""Train the encoder that only judges: `python training/judge.py --steps 3000`.

It reads pictures of 64 x 64 and was never part of the model. Names are told apart by the angle between embeddings. It
learns from shifted, turned, blurred and recoloured pictures on any background, so that a generated picture is judged by
what it shows; styles are told without it (`measures.py`). Resumes from its last checkpoint.
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
from painting import composite
from PIL import Image
from replicas import Replicas, choose_device
from settings import (
    JUDGE,
    PICTURES,
    SEED,
    SMALL_PICTURES,
    WORKERS,
    is_toned,
    read_captions,
    save_atomically,
    without_tone,
)
from torch import nn

log = logging.getLogger("judge")

SIDE = 64
WIDTHS = (48, 96, 192)
EMBEDDING = 128
SHARPNESS = 24.0


class Block(nn.Module):
    """Halve the size, widen, and refine once."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.down = nn.Conv2d(before, after, 3, stride=2, padding=1)
        self.refine = nn.Conv2d(after, after, 3, padding=1)
        self.norms = nn.ModuleList(nn.GroupNorm(8, after) for _ in range(2))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Return (batch, after, h / 2, w / 2)."""
        values = functional.silu(self.norms[0](self.down(values)))
        return values + functional.silu(self.norms[1](self.refine(values)))


class Judge(nn.Module):
    """Turns (batch, 3, 64, 64) in -1..1 into unit embeddings (batch, 128), and reads the name from them."""

    def __init__(self, names: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, WIDTHS[0], 4, stride=2, padding=1)
        self.blocks = nn.Sequential(*(Block(a, b) for a, b in zip(WIDTHS, WIDTHS[1:] + WIDTHS[-1:], strict=True)))
        self.out = nn.Linear(WIDTHS[-1] * 16, EMBEDDING)
        self.names = nn.Parameter(torch.randn(names, EMBEDDING) * 0.1)

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return embeddings and name logits."""
        values = self.blocks(functional.silu(self.stem(pictures)))
        embedding = functional.normalize(self.out(values.flatten(1)).float(), dim=1)
        return embedding, SHARPNESS * embedding @ functional.normalize(self.names.float(), dim=1).T


class Gallery:
    """All pictures at 64 x 64 with the number of their name (skin tones apart)."""

    def __init__(self) -> None:
        self.entries = read_captions()
        names = sorted({without_tone(entry["code"]) for entry in self.entries})
        number = {name: index for index, name in enumerate(names)}
        self.names = torch.tensor([number[without_tone(entry["code"])] for entry in self.entries])
        labels = {number[entry["code"]]: entry["label"] for entry in self.entries if entry["code"] in number}
        self.labels = [labels.get(index, "") for index in range(len(names))]
        self.pictures = torch.from_numpy(self._small()).permute(0, 3, 1, 2)
        self.weights = torch.tensor([self._weight(entry) for entry in self.entries])

    @staticmethod
    def _weight(entry: dict[str, Any]) -> float:
        """Say how often to show a picture: everyday words are drawn as any of them, so none may be strange."""
        return 0.02 if is_toned(entry["code"]) else max(entry["weight"], 0.25)

    def _small(self) -> np.ndarray:
        if SMALL_PICTURES.exists():
            return np.load(SMALL_PICTURES)
        large = np.load(PICTURES, mmap_mode="r")
        small = np.stack([self._shrink(large[entry["picture"]]) for entry in self.entries])
        np.save(SMALL_PICTURES, small)
        return small

    @staticmethod
    def _shrink(rgba: np.ndarray) -> np.ndarray:
        picture = Image.fromarray(rgba).convert("RGBa").resize((SIDE, SIDE), Image.Resampling.BOX)
        return np.asarray(picture.convert("RGBA"))

    def on_white(self) -> torch.Tensor:
        """Return all pictures on white, (pictures, 3, 64, 64) in -1..1."""
        return composite(self.pictures, torch.ones(1, 3, 1, 1))

    def draw(self, count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Draw altered pictures with their names."""
        generator = torch.Generator().manual_seed(seed)
        index = torch.multinomial(self.weights, count, replacement=True, generator=generator)
        rgba = self.pictures[index].float() / 255
        rgba = torch.cat([rgba[:, :3] * rgba[:, 3:], rgba[:, 3:]], 1)

        def rand(*shape: int) -> torch.Tensor:
            return torch.rand(shape, generator=generator)

        angle, scale = (rand(count) - 0.5) * 0.35, 1 / (0.6 + 0.5 * rand(count))
        turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], 1).view(-1, 2, 2)
        shift = (rand(count, 2, 1) - 0.5) * 0.25
        grid = functional.affine_grid(
            torch.cat([turn * scale[:, None, None], shift], 2), list(rgba.shape), align_corners=False
        )
        rgba = functional.grid_sample(rgba, grid, align_corners=False)
        order = torch.randperm(3, generator=generator).tolist()
        rgba = torch.where(rand(count, 1, 1, 1) < 0.25, rgba[:, [*order, 3]], rgba)
        plain = rand(count, 1, 1, 1) < 0.6
        behind = torch.where(plain, torch.ones(count, 3, 1, 1), rand(count, 3, 1, 1))
        pictures = (rgba[:, :3] + behind * (1 - rgba[:, 3:])) * 2 - 1
        soft = functional.interpolate(functional.avg_pool2d(pictures, 2), scale_factor=2, mode="bilinear")
        pictures = torch.where(rand(count, 1, 1, 1) < 0.3, soft, pictures)
        pictures = pictures + 0.08 * rand(count, 1, 1, 1) * torch.randn(pictures.shape, generator=generator)
        return pictures, self.names[index]


def loss(judge: Judge, pictures: torch.Tensor, names: torch.Tensor) -> torch.Tensor:
    """Compute the cross-entropy of the names."""
    return functional.cross_entropy(judge(pictures)[1], names)


def load_judge(gallery: Gallery) -> tuple[Judge, dict[str, Any]]:
    """Return the judge as far as it is trained, with its checkpoint."""
    torch.manual_seed(SEED)
    judge = Judge(len(gallery.labels))
    state = torch.load(JUDGE, weights_only=True, map_location="cpu") if JUDGE.exists() else {}
    if state:
        judge.load_state_dict(state["model"])
    return judge, state


def train_judge(gallery: Gallery, steps: int, batch: int, micro: int) -> Judge:
    """Train the judge up to `steps` unless it is there already, and return it."""
    judge, state = load_judge(gallery)
    first = int(state.get("steps", 0))
    device = choose_device()
    judge.to(device)
    optimizer = torch.optim.AdamW(judge.parameters(), lr=1e-3, weight_decay=0.02)
    if state:
        optimizer.load_state_dict(state["optimizer"])
    replicas, begin, smooth = Replicas([judge], WORKERS), time.monotonic(), math.nan
    for number in range(first, steps):
        optimizer.param_groups[0]["lr"] = 1.5e-3 * (0.02 + 0.49 * (1 + math.cos(math.pi * number / steps)))
        optimizer.zero_grad()
        value = replicas.backward(loss, *gallery.draw(batch, SEED + number), micro=micro)
        optimizer.step()
        smooth = value if math.isnan(smooth) else 0.98 * smooth + 0.02 * value
        if (number + 1) % 100 == 0 or number + 1 == steps:
            speed = (number + 1 - first) * batch / (time.monotonic() - begin)
            log.info("judge %d/%d loss %.3f, %.0f/s", number + 1, steps, smooth, speed)
            content = {"model": judge.state_dict(), "optimizer": optimizer.state_dict(), "steps": number + 1}
            save_atomically(content, JUDGE)
    return judge.eval()


def main() -> None:
    """Train the judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--micro", type=int, default=32)
    options = parser.parse_args()
    train_judge(Gallery(), options.steps, options.batch, options.micro)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    main()
