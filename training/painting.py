"""Make pictures to learn from: crops for the autoencoder, and everything on white, on a colour or on a gradient."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as functional
from settings import PICTURE_SIZE, PICTURES, is_held_out, is_toned, read_picture_list

FLAG = "1f1e6"  # the first regional indicator; the others follow it


def composite(rgba: torch.Tensor, background: torch.Tensor) -> torch.Tensor:
    """Lay (batch, 4, h, w) uint8 pictures over (batch, 3, h or 1, w or 1) colours in 0..1; returns RGB in -1..1."""
    values = rgba.float() / 255
    alpha = values[:, 3:]
    return (values[:, :3] * alpha + background * (1 - alpha)) * 2 - 1


def halve(rgba: torch.Tensor) -> torch.Tensor:
    """Shrink (batch, 4, h, w) uint8 pictures to half their size with premultiplied alpha."""
    values = rgba.float() / 255
    alpha = functional.avg_pool2d(values[:, 3:], 2)
    colour = functional.avg_pool2d(values[:, :3] * values[:, 3:], 2) / alpha.clamp_min(1e-4)
    return (torch.cat([colour, alpha], 1).clamp(0, 1) * 255).round().to(torch.uint8)


class Painter:
    """Draws training pictures of the autoencoder; what it draws depends on the last `restart` alone.

    On a GPU all pictures (3.6 GB) lie in its memory and everything is made there; on a CPU they are read from disk.
    """

    def __init__(self, device: torch.device | None = None) -> None:
        self._device = device or torch.device("cpu")
        stored = np.load(PICTURES, mmap_mode="r")
        self._stored = stored if self._device.type == "cpu" else torch.from_numpy(np.array(stored)).to(self._device)
        codes = [entry["code"] for entry in read_picture_list()]
        self._weights = torch.tensor([self._weight(code) for code in codes], device=self._device)
        self._held_out = [index for index, code in enumerate(codes) if is_held_out(code) and not is_toned(code)]
        self._generator = torch.Generator(self._device)

    @staticmethod
    def _weight(code: str) -> float:
        if is_held_out(code):
            return 0.0
        if is_toned(code):
            return 0.15
        return 0.3 if code[:4] == FLAG[:4] and code >= FLAG else 1.0

    def restart(self, seed: int) -> None:
        """Make the draws that follow depend on `seed` alone."""
        self._generator.manual_seed(seed)

    def noise(self, *shape: int) -> torch.Tensor:
        """Draw normal noise."""
        return torch.randn(shape, generator=self._generator, device=self._device)

    def _rand(self, *shape: int) -> torch.Tensor:
        return torch.rand(shape, generator=self._generator, device=self._device)

    def _take(self, index: list[int]) -> torch.Tensor:
        """Return (count, 4, 256, 256) uint8 pictures."""
        if isinstance(self._stored, torch.Tensor):
            return self._stored[index].permute(0, 3, 1, 2)
        return torch.from_numpy(np.stack([self._stored[i] for i in index])).permute(0, 3, 1, 2)

    def _backgrounds(self, count: int, size: int) -> torch.Tensor:
        """Draw (count, 3, size, size) backgrounds: half white, the others one colour or from one to another."""
        ends = self._rand(2, count, 3, 1, 1)
        ramp = torch.linspace(0, 1, size, device=self._device)
        ramp = torch.where(self._rand(count, 1, 1, 1) < 0.5, ramp[None, None, :, None], ramp[None, None, None, :])
        kind = self._rand(count, 1, 1, 1)
        ramp = torch.where(kind < 0.75, torch.zeros_like(ramp), ramp)
        colours = ends[0] + (ends[1] - ends[0]) * ramp
        return torch.where(kind < 0.5, torch.ones_like(colours), colours).expand(count, 3, size, size)

    def _draw(self, count: int) -> torch.Tensor:
        """Draw (count, 4, 256, 256) uint8 pictures, half of them mirrored, a third with red, green and blue swapped."""
        index = torch.multinomial(self._weights, count, replacement=True, generator=self._generator)
        rgba = self._take(index.tolist())
        rgba = torch.where(self._rand(count, 1, 1, 1) < 0.5, rgba.flip(-1), rgba)
        order = torch.randperm(3, generator=self._generator, device=self._device).tolist()
        swapped = rgba[:, [*order, 3]]
        return torch.where(self._rand(count, 1, 1, 1) < 0.33, swapped, rgba)

    def whole(self, count: int) -> torch.Tensor:
        """Draw (count, 3, 256, 256) pictures in -1..1."""
        return composite(self._draw(count), self._backgrounds(count, PICTURE_SIZE))

    def crops(self, count: int, size: int) -> torch.Tensor:
        """Draw (count, 3, size, size) parts of pictures in -1..1; one in six is a whole picture of half the size."""
        rgba = self._draw(count)
        corners = (self._rand(count, 2) * (PICTURE_SIZE - size + 1)).long().tolist()
        small = (self._rand(count) < 1 / 6).tolist()
        parts = []
        for picture, (top, left), shrunk in zip(rgba, corners, small, strict=True):
            if shrunk and size == PICTURE_SIZE // 2:
                parts.append(halve(picture[None])[0])
            else:
                parts.append(picture[:, top : top + size, left : left + size])
        return composite(torch.stack(parts), self._backgrounds(count, size))

    def unseen(self, count: int) -> torch.Tensor:
        """Return the same (count, 3, 256, 256) held-out pictures on white every time, spread over all sets."""
        chosen = [self._held_out[i * len(self._held_out) // count] for i in range(count)]
        return composite(self._take(chosen), torch.ones(1, 3, 1, 1, device=self._device))
