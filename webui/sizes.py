"""Picture sizes that suit a model: the chips under width and height."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

RATIOS = ((4, 3), (3, 4), (16, 9), (9, 16))


@dataclass(frozen=True)
class Preset:
    """One chip: its words and the size it sets, in pixels."""

    label: str
    width: int
    height: int


def presets(native_width: int, native_height: int) -> tuple[Preset, ...]:
    """Return the native size and the usual shapes with about as many pixels.

    A model draws best near the number of pixels it was trained on. Sides are multiples of 64, or of 16 for models
    whose native side is too small for so coarse a grid.
    """
    grid = 64 if min(native_width, native_height) >= 512 else 16
    shape = "1:1 native" if native_width == native_height else "native"
    chosen = [Preset(shape, native_width, native_height)]
    for across, down in RATIOS:
        area = native_width * native_height
        width = _on_grid(sqrt(area * across / down), grid)
        height = _on_grid(sqrt(area * down / across), grid)
        chosen.append(Preset(f"{across}:{down}", width, height))
    return tuple(chosen)


def _on_grid(side: float, grid: int) -> int:
    return max(grid, round(side / grid) * grid)
