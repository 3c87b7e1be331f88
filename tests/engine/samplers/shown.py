"""Samplers as a pipeline sees them."""

from collections.abc import Mapping
from typing import Any

from modules.engine.samplers.proxy import SchedulerProxy
from modules.engine.samplers.table import build_sampler


def shown(sampler: str, schedule: str, config: Mapping[str, Any], steps: int) -> SchedulerProxy:
    """Return a sampler for so many steps, at its beginning."""
    return SchedulerProxy(build_sampler(sampler, schedule, config, steps))
