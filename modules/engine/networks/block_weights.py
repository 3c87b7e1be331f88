"""A strength for each block of a UNet, as A1111's extension for it has them: `<lora:name:1:lbw=1,0,0,…>`.

The first number is that of the text encoders; those of the blocks follow from the first to the last. There are as many
as there are blocks that a file of the kind changes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

_ALL_17 = "IN01 IN02 IN04 IN05 IN07 IN08 M00 OUT03 OUT04 OUT05 OUT06 OUT07 OUT08 OUT09 OUT10 OUT11"
_ALL_12 = "IN04 IN05 IN07 IN08 M00 OUT00 OUT01 OUT02 OUT03 OUT04 OUT05"
_BASE = "BASE"
_FORMS: Mapping[int, tuple[str, ...]] = {
    len(names): names
    for names in (
        (_BASE, *_ALL_12.split()),
        (_BASE, *_ALL_17.split()),
        (_BASE, *(f"IN{n:02}" for n in range(9)), "M00", *(f"OUT{n:02}" for n in range(9))),
        (_BASE, *(f"IN{n:02}" for n in range(12)), "M00", *(f"OUT{n:02}" for n in range(12))),
    )
}
_PLACE = re.compile(r"(input|output|middle)_blocks?\.(\d+)\.")
_SHORT = {"input": "IN", "output": "OUT"}


def block_weights(text: str) -> dict[str, float] | None:
    """Return the strengths by block ("BASE", "IN04", "M00"); None: the text is no list of 12, 17, 20 or 26 numbers."""
    try:
        numbers = [float(one) for one in text.split(",")]
    except ValueError:
        return None
    names = _FORMS.get(len(numbers))
    return None if names is None or not all(map(math.isfinite, numbers)) else dict(zip(names, numbers, strict=True))


def block_of(original_path: str) -> str:
    """Return the block of a module, by its path in the files of a UNet's authors; "": it is in none."""
    found = _PLACE.match(original_path)
    if found is None:
        return ""
    return "M00" if found[1] == "middle" else f"{_SHORT[found[1]]}{int(found[2]):02}"


def strength_in(blocks: Mapping[str, float], block: str) -> float:
    """Return the strength in a block: 1 outside of all, and 0 in those that are not among the numbers."""
    return blocks.get(block, 0.0) if block else 1.0
