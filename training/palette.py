"""Name the colours that captions and evaluation speak of, and turn a picture's colour into another."""

from __future__ import annotations

import zlib

import numpy as np
from PIL import Image

# Hue in 0..255 as PIL counts it; names without a hue are made by other means or only as backgrounds.
HUES = {"red": 250, "orange": 20, "yellow": 36, "green": 85, "blue": 150, "purple": 195, "pink": 232}
COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (220, 40, 45), "orange": (245, 140, 30), "yellow": (250, 210, 50), "green": (60, 170, 75),
    "blue": (50, 110, 220), "purple": (140, 70, 200), "pink": (245, 135, 190), "brown": (130, 80, 50),
    "black": (25, 25, 28), "grey": (140, 140, 145), "white": (255, 255, 255),
}  # fmt: skip


def is_held_out_colour(label: str, colour: str) -> bool:
    """Tell whether a thing in a colour is kept from training, to see whether the model combines the two."""
    return zlib.crc32(f"{colour} {label}".encode()) % 8 == 0


def is_held_out_pair(first: str, second: str) -> bool:
    """Tell whether two things beside each other are kept from training, in either order."""
    return zlib.crc32(" & ".join(sorted((first, second))).encode()) % 8 == 0


def dominant_hue(rgba: np.ndarray) -> int | None:
    """Return the hue (0..255) that most coloured pixels of (h, w, 4) uint8 share; None where no hue rules."""
    hsv = np.asarray(Image.fromarray(rgba[..., :3]).convert("HSV"))
    opaque = rgba[..., 3] > 128
    coloured = opaque & (hsv[..., 1] > 80) & (hsv[..., 2] > 60)
    if coloured.sum() < 0.4 * max(opaque.sum(), 1):
        return None
    counts = np.bincount(hsv[..., 0][coloured], minlength=256)
    shifts = range(-14, 15)
    # Nearer ones count more, else the peak of a picture of one hue would be anywhere within the width.
    peak = int(np.argmax(sum((15 - abs(shift)) * np.roll(counts, shift) for shift in shifts)))
    around = sum(counts[(peak + shift) % 256] for shift in shifts)
    return peak if around > 0.6 * coloured.sum() else None


def colour_of_hue(hue: int) -> str:
    """Name a hue."""
    return min(HUES, key=lambda name: min((HUES[name] - hue) % 256, (hue - HUES[name]) % 256))


def turn_hue(rgba: np.ndarray, shift: int) -> np.ndarray:
    """Turn all hues of (h, w, 4) uint8 by `shift` of 256; lightness is kept near what it was.

    HSV keeps the largest channel only, so a red turned blue would look darker and a blue turned yellow glare; half of
    the change of luma is taken back.
    """
    hsv = np.asarray(Image.fromarray(rgba[..., :3]).convert("HSV")).copy()
    hsv[..., 0] = (hsv[..., 0].astype(np.int16) + shift) % 256
    turned = np.asarray(Image.fromarray(hsv, "HSV").convert("RGB")).astype(np.float32)
    luma = np.array([0.299, 0.587, 0.114], np.float32)
    before, after = rgba[..., :3].astype(np.float32) @ luma, turned @ luma
    gain = ((before + 20) / (after + 20)) ** 0.5
    turned = (turned * gain[..., None]).clip(0, 255).astype(np.uint8)
    return np.concatenate([turned, rgba[..., 3:]], axis=2)
