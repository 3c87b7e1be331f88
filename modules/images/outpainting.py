"""A picture that grows: what stands on its new sides to begin with, and the mask that has them drawn."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from modules.images.resizing import extended
from modules.jobs.kinds.starts import Outpaint

# A mirrored side is blurred more and more on its way out: by this part of how far a picture grows there.
_BLUR_OF_REACH = 1 / 8
_LAYERS = 4


def grown_size(size: tuple[int, int], outpaint: Outpaint) -> tuple[int, int]:
    """Return width and height of a picture when it has grown."""
    return size[0] + outpaint.left + outpaint.right, size[1] + outpaint.top + outpaint.bottom


def grown(picture: Image.Image, outpaint: Outpaint, seed: int) -> Image.Image:
    """Return a picture (RGB) with new sides; `seed` decides the noise of those that are noise."""
    sides = outpaint.left, outpaint.top, outpaint.right, outpaint.bottom
    if outpaint.fill == "mirror":
        whole = _mirrored(picture, outpaint)
    elif outpaint.fill == "noise":
        whole = _noise_like(picture, grown_size(picture.size, outpaint), seed)
    else:
        whole = extended(picture, *sides)
    whole.paste(picture, (outpaint.left, outpaint.top))
    return whole


def grown_mask(mask: Image.Image, outpaint: Outpaint) -> Image.Image:
    """Return a mask of the picture as that of the grown one: black on the new sides."""
    whole = Image.new("L", grown_size(mask.size, outpaint))
    whole.paste(mask, (outpaint.left, outpaint.top))
    return whole


def mask_of_sides(size: tuple[int, int], outpaint: Outpaint) -> Image.Image:
    """Return how much of a grown picture is new, "L": white sides, which fade away into the picture that has `size`.

    They fade over `blend` pixels, and only beside a side that is new.
    """
    width, height = size
    across = _ramp(width, outpaint.left, outpaint.right, outpaint.blend)
    down = _ramp(height, outpaint.top, outpaint.bottom, outpaint.blend)
    both = np.maximum(across[None, :], down[:, None])
    return Image.fromarray((both * 255).round().astype(np.uint8))


def _ramp(length: int, before: int, after: int, blend: int) -> npt.NDArray[np.float64]:
    """Return how new each pixel of a line is, 0..1: 1 in what it grew by, and less from there on."""
    places = np.arange(length, dtype=np.float64)
    new = np.zeros(length)
    if before:
        new = np.maximum(new, 1 - (places + 1) / (blend + 1))
    if after:
        new = np.maximum(new, 1 - (length - places) / (blend + 1))
    return np.concatenate([np.ones(before), new.clip(0, 1), np.ones(after)])


def _mirrored(picture: Image.Image, outpaint: Outpaint) -> Image.Image:
    """Return a picture mirrored at its edges, as often as it takes, and blurred the more the farther out."""
    values = np.asarray(picture)
    sides = ((outpaint.top, outpaint.bottom), (outpaint.left, outpaint.right), (0, 0))
    whole = Image.fromarray(np.pad(values, sides, mode="symmetric"))
    reach = max(outpaint.left, outpaint.right, outpaint.top, outpaint.bottom)
    far = _distance(picture.size, outpaint) / max(reach, 1)
    for layer in range(1, _LAYERS + 1):
        softer = whole.filter(ImageFilter.GaussianBlur(max(1.0, reach * _BLUR_OF_REACH / _LAYERS)))
        beyond = ((far * _LAYERS - layer + 1).clip(0, 1) * 255).astype(np.uint8)
        whole = Image.composite(softer, whole, Image.fromarray(beyond))
    return whole


def _distance(size: tuple[int, int], outpaint: Outpaint) -> npt.NDArray[np.float64]:
    """Return how many pixels each one of a grown picture is away from the picture that has `size`: (height, width)."""
    lines = []
    for length, before, after in ((size[0], outpaint.left, outpaint.right), (size[1], outpaint.top, outpaint.bottom)):
        places = np.arange(before + length + after)
        lines.append(np.maximum(before - places, places - (before + length - 1)).clip(0))
    return np.asarray(np.maximum(lines[0][None, :], lines[1][:, None]), np.float64)


def _noise_like(picture: Image.Image, size: tuple[int, int], seed: int) -> Image.Image:
    """Return noise of a size, with the mean and the spread of a picture's colours."""
    values = np.asarray(picture, np.float64).reshape(-1, 3)
    drawn = np.random.default_rng(seed).standard_normal((size[1], size[0], 3))
    return Image.fromarray((values.mean(axis=0) + values.std(axis=0) * drawn).clip(0, 255).astype(np.uint8))
