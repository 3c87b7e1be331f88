"""Say how soft a drawn picture is beside the original of the same set: a measure of the evaluation."""

from __future__ import annotations

import numpy as np
from measures import Examiner, Line, Result, asked_styles, on_white, original
from PIL import Image, ImageFilter
from settings import SEED

STEEPEST = 0.02  # of all pixels
DETAIL_RADIUS = 2.0  # pixels; what a blur of this radius takes away is detail


def luma(picture: Image.Image) -> np.ndarray:
    """Return (h, w) brightness in 0..1."""
    return np.asarray(picture.convert("L"), np.float32) / 255


def steepness(picture: Image.Image) -> float:
    """Return how much brightness changes from pixel to pixel at the steepest edges."""
    values = luma(picture)
    slopes = np.hypot(np.diff(values, axis=1)[:-1], np.diff(values, axis=0)[:, :-1]).ravel()
    steepest = max(1, round(STEEPEST * slopes.size))
    return float(np.partition(slopes, -steepest)[-steepest:].mean())


def detail(picture: Image.Image) -> float:
    """Return the deviation of what a blur takes away."""
    grey = picture.convert("L")
    return float(np.std(luma(grey) - luma(grey.filter(ImageFilter.GaussianBlur(DETAIL_RADIUS)))))


def sharpness(examiner: Examiner, count: int) -> Result:
    """Draw names in their styles, and compare edges and detail with those of the same set's picture."""
    asked = asked_styles(examiner, count)
    prompts = [f"{style} {name}" for style, name in asked]
    drawn = examiner.draw(prompts, [SEED] * len(prompts))
    wanted = [on_white(original(examiner, name, style)) for style, name in asked]
    lines = [
        Line(what, f"{np.mean([of(a) for a in drawn]) / np.mean([of(a) for a in wanted]):.3f}")
        for what, of in (
            ("Steepness of edges, of the originals'", steepness),
            ("Small details, of the originals'", detail),
        )
    ]
    return Result("Sharpness", lines, drawn, prompts)
