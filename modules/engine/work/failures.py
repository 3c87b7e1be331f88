"""What a job that failed says about itself."""

from __future__ import annotations

from modules.engine.models.out_of_memory import is_out_of_memory
from modules.engine.work.economy import Economy
from modules.errors import SteadyError
from modules.jobs.kinds.base import ResolvedJob
from modules.jobs.rows import Death

_AS_ASKED = Economy()


def describe_failure(error: Exception, resolved: ResolvedJob | None, economy: Economy = _AS_ASKED) -> str:
    """Return the message for the job's row: what happened, and the remedy where one is known.

    `economy` is what it was drawn with, when it was tried again after it ran out of memory.
    """
    if isinstance(error, SteadyError):
        return str(error)
    if is_out_of_memory(error):
        what = "this job" if resolved is None else describe_size(resolved)
        tried = f", also with {economy}" if str(economy) else ""
        remedy = "" if resolved is not None and resolved.batch_size == 1 else ", or batch size 1"
        return f"Out of memory while drawing {what}{tried}: use a smaller size{remedy}."
    return f"{type(error).__name__}: {error}"


def describe_size(resolved: ResolvedJob) -> str:
    """Return what decides how much memory a job takes, in words."""
    width, height = resolved.largest
    return f"{width}×{height}, batch size {resolved.batch_size}"


def killed_for_memory(death: Death) -> bool:
    """Tell whether the system ended an engine to free memory, as the launcher says."""
    return not death.ordered and "out of memory" in death.reason
