"""What a resolved request means for the bar and for the time that is left."""

from __future__ import annotations

from collections.abc import Sequence

from modules.engine.models.devices import Device
from modules.engine.progress.parts import Plan
from modules.engine.progress.timings import Circumstances
from modules.engine.work.economy import Economy
from modules.jobs.kinds.base import ResolvedJob
from modules.jobs.samplers import find_sampler


def plan_of(resolved: ResolvedJob, batches: Sequence[Sequence[int]], loads: bool, economy: Economy) -> Plan:
    """Return the plan of a job of which the pictures in `batches` are left to draw."""
    left = {index for indices in batches for index in indices}
    size = economy.batch_size_of(resolved)
    chunks = (range(first, first + size) for first in range(0, resolved.image_count, size))
    finished = [[index for index in chunk if index not in left] for chunk in chunks]
    drawn = resolved.passes[0]
    calls_per_step = find_sampler(drawn.sampler_name).calls_per_step
    return Plan(
        steps=drawn.steps,
        batches=batches,
        images=resolved.image_count,
        loads=loads,
        finished=[indices for indices in finished if indices],
        calls=calls_per_step * (drawn.steps - 1) + 1,
        guided=drawn.cfg_scale > 1,
        at_once=size,
    )


def circumstances_of(resolved: ResolvedJob, device: Device, economy: Economy) -> Circumstances:
    """Return what decides how long the phases of a job take."""
    width, height = resolved.size
    return Circumstances(
        model=resolved.sources.checkpoint.hash[:16],
        dtype=resolved.dtype,
        device=f"{device.label} offload" if economy.offload else device.label,
        threads=resolved.threads,
        width=width,
        height=height,
    )
