"""Which models have to leave memory before another one is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from modules.engine.models.free_memory import Memory

# Drawing takes memory beside the weights.
_LEFT_FREE_AT_MOST_BYTES = 1024**3
_LEFT_FREE_SHARE = 0.1


@dataclass(frozen=True)
class KeptLimit:
    """How many models are kept, with the one that draws, and how much of a memory their weights may take together."""

    models: int = 8
    percent: int = 50


def count_to_drop(kept: Sequence[int], needed: int, limit: KeptLimit, memory: Memory) -> int:
    """Return how many models have to go for one of `needed` bytes. `kept` are the bytes of each, longest unused first.

    One that is larger than the limit is loaded all the same, alone.
    """
    reserve = min(_LEFT_FREE_AT_MOST_BYTES, memory.total * _LEFT_FREE_SHARE)
    for dropped in range(len(kept)):
        left, freed = sum(kept[dropped:]), sum(kept[:dropped])
        if (
            len(kept) - dropped < limit.models
            and left + needed <= memory.total * limit.percent / 100
            and memory.free + freed >= needed + reserve
        ):
            return dropped
    return len(kept)
