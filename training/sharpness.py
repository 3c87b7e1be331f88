"""Say how soft a drawn picture is beside the original of the same set: a measure of the evaluation."""

from __future__ import annotations

import numpy as np
from measures import Examiner, Line, Result, asked_styles, on_white, original
from PIL import Image, ImageFilter
from settings import SEED

SLOPE, STEEP = 0.03, 0.15  # change of brightness from pixel to pixel, of 1, at any edge and at a sharp one
FINEST_RADIUS = 0.6  # pixels; what a blur of this radius takes away is the finest detail


def luma(picture: Image.Image) -> np.ndarray:
    """Return (h, w) brightness in 0..1."""
    return np.asarray(picture.convert("L"), np.float32) / 255


def steepness(picture: Image.Image) -> float:
    """Return the share of an edge's pixels where it is sharp; 0 for a picture without edges."""
    values = luma(picture)
    slopes = np.hypot(np.diff(values, axis=1)[:-1], np.diff(values, axis=0)[:, :-1])
    return float((slopes > STEEP).sum() / max(int((slopes > SLOPE).sum()), 1))


def detail(picture: Image.Image) -> float:
    """Return the deviation of what a slight blur takes away."""
    grey = picture.convert("L")
    return float(np.std(luma(grey) - luma(grey.filter(ImageFilter.GaussianBlur(FINEST_RADIUS)))))


def sharpness(examiner: Examiner, count: int) -> Result:
    """Draw names in their styles, and compare edges and detail with those of the same set's picture."""
    asked = asked_styles(examiner, count)
    prompts = [f"{style} {name}" for style, name in asked]
    drawn = examiner.draw(prompts, [SEED] * len(prompts))
    wanted = [on_white(original(examiner, name, style)) for style, name in asked]
    lines = [
        Line(what, f"{np.mean([of(a) for a in drawn]) / np.mean([of(a) for a in wanted]):.3f}")
        for what, of in (
            ("Sharp share of edges, of the originals'", steepness),
            ("Finest detail, of the originals'", detail),
        )
    ]
    return Result("Sharpness", lines, drawn, prompts)
