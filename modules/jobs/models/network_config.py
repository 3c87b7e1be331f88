"""Numbers in the configuration of a network that no network has: building it would take all memory, or for ever."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

# By what a key is called; the first that fits counts. Each is many times what the largest known model has.
_MOST: tuple[tuple[re.Pattern[str], int], ...] = tuple(
    (re.compile(words), most)
    for words, most in (
        (r"per_(block|resnet)", 16),
        (r"timesteps", 100_000),
        (r"position", 2_000_000),
        (r"channels|dim|size|heads|features|groups", 100_000_000),
        (r"(layers?|blocks?|depths?)$", 256),
    )
)
_LONGEST_LIST_OF_BLOCKS = 12
_LIST_OF_BLOCKS = re.compile(r"block_(types|out_channels)$")


def find_absurd_number(config: dict[str, Any]) -> str | None:
    """Name the first number that is beyond what networks have, as "key value"; None when there is none."""
    for key, value in _values(config):
        if isinstance(value, list):
            if _LIST_OF_BLOCKS.search(key) and len(value) > _LONGEST_LIST_OF_BLOCKS:
                return f"{key} of {len(value)} blocks"
            continue
        most = next((most for words, most in _MOST if words.search(key)), None)
        if most is not None and not abs(value) <= most:  # So that NaN is beyond it too.
            return f"{key} {value}"[:80]
    return None


def _values(config: dict[str, Any]) -> Iterator[tuple[str, int | float | list[Any]]]:
    """Yield each number with the name of its place, and each list before what it holds."""
    waiting: list[tuple[str, Any]] = list(config.items())
    while waiting:
        key, value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend(value.items())
        elif isinstance(value, list):
            yield key, value
            waiting.extend((key, one) for one in value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield key, value
