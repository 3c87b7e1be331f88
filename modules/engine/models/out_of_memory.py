"""Tell whether an error means that memory ran out."""

from __future__ import annotations

import errno

import torch

# How torch and its libraries word that the machine, or the card, has no memory left.
_OUT_OF_MEMORY_WORDS = (
    "can't allocate memory", "cannot allocate memory", "not enough memory", "out of memory", "failed to allocate",
    "alloc_failed", "bad_alloc", "bad allocation",
)  # fmt: skip


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether memory ran out, on the device or on the machine."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    if not isinstance(error, RuntimeError):
        return False
    words = str(error).lower()
    # That alone is what oneDNN says when there is no memory for its code; more words name another reason.
    return words == "could not create a primitive" or any(known in words for known in _OUT_OF_MEMORY_WORDS)
