"""What the C library does with memory that is free: kept for the next picture, and not fetched anew for each."""

from __future__ import annotations

import ctypes
import os
import platform

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MOST_ARENAS = -1, -3, -8  # of mallopt, in malloc.h
# As high as glibc takes it, which is also what it comes to by itself once a tensor of this size was freed.
_FROM_THE_HEAP_BELOW_BYTES = 32 * 2**20
_KEPT_BYTES = 128 * 2**20
_CHOSEN_BY_HAND = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_ARENA_MAX", "GLIBC_TUNABLES")


def keep_freed_memory() -> bool:
    """Keep up to 128 MB of what was freed in this process; tell whether that was done (glibc only).

    Before threads begin, which would have memory of their own. An engine at rest gives it back (worker.py).

    As it comes, glibc gives back what a decoder has freed and fetches it again for the next picture: 13,000 page faults
    for one of 256x256, a sixth of its decoding. Who has set one of glibc's variables for it is not overruled.
    """
    if platform.system() != "Linux" or any(name in os.environ for name in _CHOSEN_BY_HAND):
        return False
    choose = getattr(ctypes.CDLL(None), "mallopt", None)
    if choose is None:
        return False
    chosen = {
        _TRIM_THRESHOLD: _KEPT_BYTES,
        _MMAP_THRESHOLD: _FROM_THE_HEAP_BELOW_BYTES,
        _MOST_ARENAS: 1,  # Those of other threads are of pieces of 64 MB, and an empty piece is always given back.
    }
    return all(choose(parameter, value) for parameter, value in chosen.items())
