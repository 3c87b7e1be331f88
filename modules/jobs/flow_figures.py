"""How far each sampler strays from a fine solution with flow models, and what people are told of that.

Measured by `benchmarks/flow_samplers.py`: 20 steps with shift 3, for a model of flows whose answer is known exactly. A
figure is the mean distance between the values that are drawn and those that the model means, sorted, in percent of
their standard deviation.
"""

from __future__ import annotations

from collections.abc import Mapping

from modules.jobs.samplers import SAMPLERS

STEPS = 20
SHIFT = 3.0
# By the sampler, for the schedule types that it goes with, in their order.
_MEASURED: Mapping[str, tuple[int, ...]] = {
    "Euler": (7, 7, 9, 12, 6, 5),
    "Euler a": (11, 11, 12, 16, 11, 9),
    "DDIM": (7, 7, 6),
    "DPM++ 2M": (3, 3, 3, 6, 4, 1),
    "DPM++ 2M SDE": (5, 5, 2, 4, 5, 4),
    "DPM++ SDE": (3, 3, 1, 2, 3, 1),
    "DPM++ 2M SDE Heun": (7, 7, 1, 3, 6, 8),
    "DPM++ 2S a": (4, 4, 3, 5, 4, 2),
    "DPM++ 3M SDE": (7, 7, 1, 3, 6, 9),
    "UniPC": (4, 4, 0, 1, 4, 1),
    "LCM": (25, 25, 25, 26, 25, 23),
    "Heun": (1, 1, 2, 2, 3, 1),
    "LMS": (3, 3, 5, 9, 2, 1),
    "DPM2": (3, 4, 0, 1, 3, 0),
    "DPM2 a": (6, 6, 4, 7, 4, 2),
    "PLMS": (3, 3, 3),
    "DEIS": (4, 4, 4, 7, 3, 1),
}
FIGURES: Mapping[str, Mapping[str, int]] = {
    sampler.name: dict(zip(sampler.schedules, _MEASURED[sampler.name], strict=True)) for sampler in SAMPLERS
}
# From here on it shows.
STRAYS_PERCENT = 10


def strays() -> dict[str, dict[str, int]]:
    """Return the figures of those pairs of sampler and schedule type that stray so far that it shows."""
    found = {
        sampler: {schedule: figure for schedule, figure in figures.items() if figure >= STRAYS_PERCENT}
        for sampler, figures in FIGURES.items()
    }
    return {sampler: figures for sampler, figures in found.items() if figures}


def describe_straying(sampler: str, schedule: str) -> str | None:
    """Return what people are told of a pair with a flow model; None: it keeps near."""
    figure = FIGURES[sampler][schedule]
    if figure < STRAYS_PERCENT:
        return None
    return (
        f"With flow models {sampler} with the schedule type {schedule} strays: {STEPS} steps end {figure} % from a "
        f"fine solution, those of Euler {FIGURES['Euler']['Automatic']} %."
    )
