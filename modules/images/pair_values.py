"""Values of an infotext's pairs as what they stand for; what cannot be read is None."""

from __future__ import annotations

import math
import re

_WHOLE = re.compile(r"-?[0-9]{1,20}")
_SIZE = re.compile(r"([0-9]{1,6})x([0-9]{1,6})")


def number_in(text: str) -> float | None:
    """Return a number, "7" and "7.0" alike."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def whole_in(text: str) -> int | None:
    """Return a whole number of no more digits than a seed has."""
    return int(text) if _WHOLE.fullmatch(text) else None


def size_in(text: str) -> tuple[int, int] | None:
    """Return width and height of "512x768"."""
    found = _SIZE.fullmatch(text)
    return None if found is None else (int(found[1]), int(found[2]))
