"""Which scheduler adds noise on the way as a job asks for it, where that is not as much as always."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from modules.engine.samplers.ancestral import EulerAncestral, add_part_of_noise
from modules.engine.samplers.churn import METHODS, Churned
from modules.engine.samplers.dpm_multistep_eta import MultistepSDE
from modules.engine.samplers.two_calls import LooksAmid
from modules.jobs.kinds.base import Noise

# All others of the table that can be asked for it do so themselves.
_OTHERS: Mapping[str, type] = {
    "Euler a": EulerAncestral,
    "DPM++ 2M SDE": MultistepSDE,
    "DPM++ 2M SDE Heun": MultistepSDE,
    "DPM++ 3M SDE": MultistepSDE,
}


def scheduler_adding(noise: Noise | None, sampler_name: str, usual: type) -> type:
    """Return the class for a sampler that adds noise in this way; `usual` is the one of the table."""
    if noise is None:
        return usual
    return Churned if noise.churn and sampler_name in METHODS else _OTHERS.get(sampler_name, usual)


def let_add(noise: Noise, sampler_name: str, scheduler: Any) -> list[Callable[[Any], None]]:
    """Tell a scheduler of that class how much it adds; return what is to be put right in its list."""
    if isinstance(scheduler, Churned):
        scheduler.method = METHODS[sampler_name]
        scheduler.churn, scheduler.lowest, scheduler.strength = noise.churn, noise.lowest, noise.strength
        scheduler.highest = float("inf") if noise.highest is None else noise.highest
        return [Churned.throw_back]
    if isinstance(scheduler, LooksAmid) and hasattr(scheduler, "sigmas_up"):
        return [functools.partial(add_part_of_noise, noise.eta, noise.strength)]
    scheduler.eta, scheduler.strength = noise.eta, noise.strength
    return []
