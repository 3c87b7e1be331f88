"""Where a step of a sampler begins in its list. Some have two places for each step, but fewer for the first."""

from __future__ import annotations

from typing import Any


def begin_at(scheduler: Any, step: int) -> int:
    """Let a scheduler, whose list is made, begin at a step of it; return its place."""
    if hasattr(scheduler, "begin_at"):
        return int(scheduler.begin_at(step))
    place = place_of(scheduler, step)
    if hasattr(scheduler, "set_begin_index"):
        # Otherwise the stock step looks the first timestep up, and takes the second place where it is twice.
        scheduler.set_begin_index(place)
    return place


def place_of(scheduler: Any, step: int) -> int:
    """Return where in a scheduler's list a step begins."""
    if hasattr(scheduler, "place_of"):
        return int(scheduler.place_of(step))
    order = getattr(scheduler, "order", 1)
    lacking = order * (scheduler.num_inference_steps - 1) + 1 - len(scheduler.timesteps)
    return max(0, int(order * step - max(0, lacking)))
