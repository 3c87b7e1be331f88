"""What a job that failed says about itself."""

from __future__ import annotations

import torch

from modules.errors import SteadyError
from modules.jobs.resolve import ResolvedTxt2Img

# How torch words that the machine, or the card, has no memory left.
_OUT_OF_MEMORY_WORDS = ("can't allocate memory", "not enough memory", "out of memory", "failed to allocate")


def describe_failure(error: Exception, resolved: ResolvedTxt2Img | None) -> str:
    """Return the message for the job's row: what happened, and the remedy where one is known."""
    if isinstance(error, SteadyError):
        return str(error)
    if is_out_of_memory(error):
        what = (
            "this job" if resolved is None else f"{resolved.width}×{resolved.height}, batch size {resolved.batch_size}"
        )
        return f"Out of memory while drawing {what}: use a smaller size, or batch size 1."
    return f"{type(error).__name__}: {error}"


def is_out_of_memory(error: Exception) -> bool:
    """Tell whether memory ran out, on the device or on the machine."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _OUT_OF_MEMORY_WORDS)
