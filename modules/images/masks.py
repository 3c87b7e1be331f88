"""Masks: which part of a picture is drawn anew (white) and which is kept (black), as A1111 has them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter, ImageOps

Box = tuple[int, int, int, int]  # left, top, right, bottom
Size = tuple[int, int]
Array = npt.NDArray[np.float32]

_HALF = 128
# From far to near: the colours beside a mask are spread over it with these radii, so often each.
_SPREADING = ((256, 1), (64, 1), (16, 2), (4, 4), (2, 2), (0, 1))


def drawn_mask(picture: Image.Image, inverted: bool = False, rounded: bool = True) -> Image.Image:
    """Return the mask, "L", that a picture tells by its grey, or by its alpha where that is not the same all over.

    `rounded` ones have no grey.
    """
    told = picture.convert("L")
    if picture.mode in ("RGBA", "LA"):
        alpha = picture.getchannel("A")
        if alpha.getextrema() != (255, 255):
            told = alpha
    if rounded:
        told = told.point([255 if value >= _HALF else 0 for value in range(256)])
    return ImageOps.invert(told) if inverted else told


def blurred(mask: Image.Image, sigma_x: float, sigma_y: float) -> Image.Image:
    """Return a mask blurred by a Gauss of these standard deviations, in pixels.

    It reaches int(2.5 * sigma + 0.5) pixels far; the mask goes on mirrored beyond its edges.
    """
    box = mask.getbbox()
    if box is None:
        return mask.copy()
    # Only as far as the blur reaches, and one pixel more, so that nothing but black is mirrored amid the picture.
    across, down = _reach(sigma_x) + 1, _reach(sigma_y) + 1
    left, top = max(box[0] - across, 0), max(box[1] - down, 0)
    right, bottom = min(box[2] + across, mask.width), min(box[3] + down, mask.height)
    values = np.asarray(mask.crop((left, top, right, bottom)), np.float32)
    for axis, sigma in ((1, sigma_x), (0, sigma_y)):
        if sigma > 0:
            values = _blurred_along(values, sigma, axis)
    whole = Image.new("L", mask.size)
    whole.paste(Image.fromarray(values.clip(0, 255).astype(np.uint8)), (left, top))
    return whole


def _reach(sigma: float) -> int:
    return int(2.5 * sigma + 0.5)


def _blurred_along(values: Array, sigma: float, axis: int) -> Array:
    """Return values blurred along an axis, in whole numbers: in frequencies, which takes no longer for a wide one."""
    reach, length = _reach(sigma), values.shape[axis]
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    around = [(0, 0), (0, 0)]
    around[axis] = (reach, reach)
    wide = np.pad(values, around, mode="reflect" if length > 1 else "edge")
    count = length + 2 * reach
    kernel = np.fft.rfft((weights / weights.sum()).astype(np.float32), count)
    turned = np.fft.rfft(wide, axis=axis) * (kernel[None, :] if axis else kernel[:, None])
    made = np.fft.irfft(turned, count, axis=axis).take(range(2 * reach, count), axis=axis)
    return np.asarray(np.rint(made), np.float32)


def region_of(mask: Image.Image, padding: int, drawn: Size) -> Box | None:
    """Return the part of a picture that is drawn where that is no more than a mask covers; None: it covers nothing.

    So many pixels of `padding` around it belong to it, and as many more as give it the ratio of the size in which it
    is `drawn`, (width, height), as far as the picture goes.
    """
    box = mask.getbbox()
    if box is None:
        return None
    left, top, right, bottom = box
    left, top = max(left - padding, 0), max(top - padding, 0)
    right, bottom = min(right + padding, mask.width), min(bottom + padding, mask.height)
    ratio = drawn[0] / drawn[1]
    if (right - left) / (bottom - top) > ratio:
        top, bottom = _grown(top, bottom, int((right - left) / ratio), mask.height)
    else:
        left, right = _grown(left, right, int((bottom - top) * ratio), mask.width)
    return left, top, right, bottom


def _grown(first: int, end: int, wanted: int, limit: int) -> tuple[int, int]:
    """Return a stretch of `wanted` length around another one, moved into 0..limit; all of that if it is longer."""
    more = max(wanted - (end - first), 0)
    first, end = first - more // 2, end + more - more // 2
    if end > limit:
        first, end = first - (end - limit), limit
    if first < 0:
        first, end = 0, min(end - first, limit)
    return first, end


def latent_mask(mask: Image.Image, size: Size, rounded: bool) -> Array:
    """Return how much of each latent is drawn anew, 0..1: (height, width), for `size` (width, height) in latents.

    `rounded`: all or nothing of it, as most of it is; but where that leaves nothing, those that are drawn anew the
    most.
    """
    values: Array = np.asarray(mask.resize(size, Image.Resampling.BICUBIC), np.float32) / np.float32(255)
    if not rounded:
        return values
    return np.asarray(values > min(0.5, values.max() / 2), np.float32)


def filled(picture: Image.Image, mask: Image.Image) -> Image.Image:
    """Return a picture (RGB) whose masked part has the colours of what is beside it: far off blurred, near less so."""
    kept = picture.convert("RGBA")
    kept.putalpha(ImageOps.invert(mask))
    whole = Image.new("RGBA", picture.size)
    # Multiplied by what is opaque, so that what lies under the mask has no part in the blur.
    kept = kept.convert("RGBa")
    for radius, times in _SPREADING:
        spread = kept.filter(ImageFilter.GaussianBlur(radius)).convert("RGBA")
        for _ in range(times):
            whole.alpha_composite(spread)
    return whole.convert("RGB")
