"""How large pictures become: A1111's rules, in pixels."""

from __future__ import annotations

from modules.jobs.kinds.fields import SIDE_HIGHEST, SIDE_LOWEST, SIDE_MULTIPLE

Size = tuple[int, int]


def floored(side: float) -> int:
    """Return the largest multiple that a side may have and that is no longer than this."""
    return int(side) // SIDE_MULTIPLE * SIDE_MULTIPLE


def scaled(size: Size, factor: float) -> Size:
    """Return a size so many times as large, in multiples: what is over is cut off, as latents do."""
    return floored(size[0] * factor), floored(size[1] * factor)


def resized(size: Size, width: int, height: int) -> Size:
    """Return the size that is asked for; of which one side may be 0: then the ratio is kept."""
    if not height:
        height = size[1] * width // size[0]
    elif not width:
        width = size[0] * height // size[1]
    return floored(width), floored(height)


def cover(size: Size, target: Size) -> Size:
    """Return the smallest size with the ratio of `size` that is nowhere smaller than `target`."""
    (width, height), (wide, high) = size, target
    if wide * height >= high * width:
        return wide, max(high, round(height * wide / width))
    return max(wide, round(width * high / height)), high


def drawable(size: Size) -> Size:
    """Return the size at which a picture of this one is drawn: in bounds and in multiples, as near as can be."""
    factor = min(1.0, SIDE_HIGHEST / max(size))
    sides = (round(side * factor / SIDE_MULTIPLE) * SIDE_MULTIPLE for side in size)
    width, height = (min(max(side, SIDE_LOWEST), SIDE_HIGHEST) for side in sides)
    return width, height
