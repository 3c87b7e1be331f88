"""How much of what was drawn shows over a picture: as much as its latents differ from those of the picture.

A1111's last part of soft inpainting, by its names and figures.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from modules.images.resizing import resized
from modules.jobs.kinds.starts import SoftMask

Array = npt.NDArray[np.float64]

_REACH = 2  # latents, in each direction
_SIGMA = 1.5
_SMOOTHING = 4.0  # pixels, so that no latent is to be seen


def mask_by_difference(difference: Array, mask: Array, soft: SoftMask, size: tuple[int, int]) -> Image.Image:
    """Return the mask, "L", of `size` (width, height) pixels, through which what was drawn shows.

    `difference`: how far each latent is from that of the picture; `mask`: how much of it was drawn anew, 0..1. Both
    (height, width), in latents. The picture is half to be seen where they differ by `difference_threshold`, which with
    `mask_influence` depends on the mask.
    """
    kept = 1 - mask.clip(0, 1) ** (soft.preservation_strength / 2)
    kept = 0.5 * (1 - soft.mask_influence) + kept * soft.mask_influence
    halfway = soft.difference_threshold * kept / (1.00001 - kept)
    # The largest differences around each latent, which closes holes, then the middle ones of those, for smooth edges.
    spread = _percentiles(_percentiles(difference, 0.9, 1.0), 0.25, 0.75)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(halfway > 0, spread / halfway, np.where(spread > 0, np.inf, 0.0))
        seen = 1 / (1 + ratio**soft.difference_contrast)
    shows = 255 * (1 - seen**3 * (seen * (6 * seen - 15) + 10))
    small = Image.fromarray(shows.clip(0, 255).astype(np.uint8))
    return resized(small, size).filter(ImageFilter.GaussianBlur(_SMOOTHING))


def _percentiles(values: Array, low: float, high: float) -> Array:
    """Return for each place the mean of those values around it that lie between two percentiles, weighed by a Gauss."""
    around, weights = _neighbours(values)
    order = around.argsort(axis=0, kind="stable")
    sorted_values = np.take_along_axis(around, order, axis=0)
    ends = np.take_along_axis(weights, order, axis=0).cumsum(axis=0)
    total = ends[-1]
    first, last = total * low, total * high
    # The window is at least as wide as the weight of the place itself.
    lacking = (1.0 - (last - first)).clip(0) / 2
    first, last = first - lacking, last + lacking
    beyond, below = (last - total).clip(0), (-first).clip(0)
    first, last = first - beyond + below, last - beyond + below
    starts = np.concatenate([np.zeros_like(ends[:1]), ends[:-1]])
    counted = (np.minimum(ends, last) - np.maximum(starts, first)).clip(0)
    return np.asarray((counted * sorted_values).sum(axis=0) / counted.sum(axis=0))


def _neighbours(values: Array) -> tuple[Array, Array]:
    """Return the values around each place, (neighbours, height, width), and their weights: 0 beyond the edges."""
    height, width = values.shape
    wide, inside = np.pad(values, _REACH), np.pad(np.ones_like(values), _REACH)
    places = [
        (y, x)
        for y in range(2 * _REACH + 1)
        for x in range(2 * _REACH + 1)
        if (y - _REACH) ** 2 + (x - _REACH) ** 2 <= _REACH**2
    ]
    around = np.stack([wide[y : y + height, x : x + width] for y, x in places])
    weights = np.stack(
        [
            inside[y : y + height, x : x + width] * np.exp(-((y - _REACH) ** 2 + (x - _REACH) ** 2) / _SIGMA**2)
            for y, x in places
        ]
    )
    return around, weights
