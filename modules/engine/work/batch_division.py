"""Which pictures of a job are drawn at once."""

from __future__ import annotations

import functools
import itertools

from modules.jobs.kinds.base import ResolvedJob
from modules.jobs.kinds.network_texts import calls_of, has_words_of_each


def batches_of(resolved: ResolvedJob, size: int) -> list[list[int]]:
    """Return the indices of each batch of at most `size` pictures, in order.

    LoRAs are in the weights, so those whose words call for others are drawn apart: none has those of its neighbour.
    """
    count = resolved.image_count
    whole = [list(range(first, min(first + size, count))) for first in range(0, count, size)]
    if not resolved.sources.networks or not has_words_of_each(resolved):
        return whole
    calls = functools.partial(calls_of, resolved)
    return [list(alike) for batch in whole for _calls, alike in itertools.groupby(batch, calls)]
