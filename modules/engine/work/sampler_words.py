"""What people are told of the sampler that they chose, once it is known what it meets."""

from __future__ import annotations

from typing import Any

from modules.engine.samplers.choice import is_of_flows, keeps_its_own
from modules.jobs.flow_figures import describe_straying
from modules.jobs.kinds.base import Pass
from modules.jobs.models.defaults import ModelDefaults

# Models whose cards want no more steps than these were distilled: what is measured of others says nothing of them.
_FEW_STEPS = 10


def describe_sampler(own: Any, one: Pass, defaults: ModelDefaults) -> str | None:
    """Return what is to be said of a pass with a model whose scheduler is `own`; None: nothing.

    `defaults` are what the model's card says.
    """
    chosen = one.sampler_name, one.scheduler
    if keeps_its_own(own):
        if chosen == (defaults.sampler_name, defaults.scheduler):
            return None
        return f"This model was made for a sampler of its own and is drawn with that: {one.sampler_name} is not used."
    if is_of_flows(own) and defaults.steps > _FEW_STEPS:
        return describe_straying(*chosen)
    return None
