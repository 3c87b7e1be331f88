"""What was drawn, back onto the picture that it was drawn from."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from modules.images.masks import Box

Array = npt.NDArray[np.float64]

# sRGB of white D65 to XYZ, and that white.
_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
_WHITE = _TO_XYZ.sum(axis=1)
_LINEAR_UP_TO = 216 / 24389
_SLOPE = 24389 / 27


def pasted(whole: Image.Image, drawn: Image.Image, mask: Image.Image, box: Box | None = None) -> Image.Image:
    """Return `whole` (RGB) with `drawn` on it as far as `mask`, as large as `whole`, lets it through.

    Where that is black every pixel is as it was, to the bit. `box` is where `drawn` belongs, which is made as large as
    that; None: all of it.
    """
    left, top, right, bottom = box or (0, 0, *whole.size)
    size = right - left, bottom - top
    fitting = drawn if drawn.size == size else drawn.resize(size, Image.Resampling.LANCZOS)
    over = whole.copy()
    over.paste(fitting, (left, top))
    return Image.composite(over, whole, mask)


def with_colours_of(drawn: Image.Image, like: Image.Image) -> Image.Image:
    """Return a picture (RGB) with the colours of another one: as much of each, at the lightness that was drawn.

    In CIE L*a*b*, where the histograms of a and b become those of the other.
    """
    lab, wanted = _lab(drawn), _lab(like)
    for channel in (1, 2):
        lab[..., channel] = _matched(lab[..., channel], wanted[..., channel])
    return _picture(lab)


def _matched(values: Array, wanted: Array) -> Array:
    """Return values moved so that they are spread as the wanted ones, in their order."""
    known, where, counts = np.unique(values.round(1), return_inverse=True, return_counts=True)
    targets, target_counts = np.unique(wanted.round(1), return_counts=True)
    # By the middle of those that are the same: what is grey all over gets the mean colour, and not the strongest one.
    below = (np.cumsum(counts) - counts / 2) / values.size
    target_below = (np.cumsum(target_counts) - target_counts / 2) / wanted.size
    moved = np.interp(below, target_below, targets) - known
    return np.asarray(values + moved[where].reshape(values.shape))


def _lab(picture: Image.Image) -> Array:
    values = np.asarray(picture.convert("RGB"), np.float64) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    xyz = linear @ _TO_XYZ.T / _WHITE
    x, y, z = np.moveaxis(np.where(xyz > _LINEAR_UP_TO, np.cbrt(xyz), (_SLOPE * xyz + 16) / 116), -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def _picture(lab: Array) -> Image.Image:
    lightness, a, b = np.moveaxis(lab, -1, 0)
    y = (lightness + 16) / 116
    parts = np.stack([y + a / 500, y, y - b / 200], axis=-1)
    xyz = np.where(parts**3 > _LINEAR_UP_TO, parts**3, (116 * parts - 16) / _SLOPE) * _WHITE
    linear = (xyz @ np.linalg.inv(_TO_XYZ).T).clip(0, 1)
    values = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return Image.fromarray((values * 255).round().clip(0, 255).astype(np.uint8))
