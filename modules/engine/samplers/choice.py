"""Which sampler a model gets under one of A1111's names: that depends on the scheduler that came with it."""

from __future__ import annotations

import copy
import inspect
from typing import Any

from diffusers import (
    DPMSolverMultistepScheduler,
    FlowMatchEulerDiscreteScheduler,
    FlowMatchLCMScheduler,
    UniPCMultistepScheduler,
)

from modules.engine.samplers.flow_translation import FlowTranslation
from modules.engine.samplers.proxy import Sampler
from modules.engine.samplers.table import build_sampler
from modules.jobs.kinds.base import Noise

# What schedulers that come with flow models are under A1111's names: over their own list they are taken as they are.
_OWN_NAMES = {
    FlowMatchEulerDiscreteScheduler: "Euler",
    FlowMatchLCMScheduler: "LCM",
    DPMSolverMultistepScheduler: "DPM++ 2M",
    UniPCMultistepScheduler: "UniPC",
}

# Schedulers whose noise schedule is all in their betas.
_USUAL = frozenset({
    "DDIMScheduler", "DDPMScheduler", "DEISMultistepScheduler", "DPMSolverMultistepScheduler",
    "DPMSolverSDEScheduler", "DPMSolverSinglestepScheduler", "EulerAncestralDiscreteScheduler",
    "EulerDiscreteScheduler", "HeunDiscreteScheduler", "KDPM2AncestralDiscreteScheduler", "KDPM2DiscreteScheduler",
    "LCMScheduler", "LMSDiscreteScheduler", "PNDMScheduler", "SASolverScheduler", "TCDScheduler",
    "UniPCMultistepScheduler",
})  # fmt: skip


def choose_sampler(
    own: Any, sampler_name: str, schedule: str, steps: int, shift: float | None = None, noise: Noise | None = None
) -> Sampler:
    """Return a sampler with a schedule type for a model whose scheduler is `own`, which stays as it is.

    Models of flows get any of the table, translated, under another `shift` where one is given; so do models of noise,
    which have none. What is neither keeps its own: it was trained for few steps of one kind. `noise` is what a model of
    noise is to be drawn with on the way; None: what the sampler always adds.
    """
    if is_of_flows(own):
        return _of_flows(own, sampler_name, schedule, steps, shift)
    if is_of_noise(own):
        return build_sampler(sampler_name, schedule, dict(own.config), steps, noise)
    return Sampler(copy.deepcopy(own))


def keeps_its_own(own: Any) -> bool:
    """Tell whether a model whose scheduler is `own` draws with that, whatever sampler is asked for."""
    return not is_of_flows(own) and not is_of_noise(own)


def is_of_flows(scheduler: Any) -> bool:
    """Tell whether a scheduler is for models that predict a flow, from noise to the picture."""
    config = scheduler.config
    if config.get("invert_sigmas"):
        return False  # It counts the other way around.
    return hasattr(scheduler, "scale_noise") or bool(config.get("use_flow_sigmas"))


def is_of_noise(scheduler: Any) -> bool:
    """Tell whether a scheduler is for models of noise, whose schedule is all in its betas: any other may replace it.

    A continuous one has noise levels of its own, such as those of EDM, and tells the model their logarithms.
    """
    config = scheduler.config
    if config.get("timestep_type") == "continuous":
        return False
    learned = str(config.get("variance_type") or "").startswith("learned")  # and no other sampler would use it
    predicts_noise = config.get("prediction_type", "epsilon") in ("epsilon", "v_prediction")
    return type(scheduler).__name__ in _USUAL and predicts_noise and not learned


def _of_flows(own: Any, sampler_name: str, schedule: str, steps: int, shift: float | None) -> Sampler:
    mended = _over({"shift_terminal": None} if steps == 1 else {}, own)  # Of one step it would make no number.
    if shift is not None:
        mended = _over({"shift": shift, "flow_shift": shift, "use_dynamic_shifting": False}, mended)
    if schedule == "Automatic" and _name_of(own) == sampler_name:
        return Sampler(mended)
    return Sampler(FlowTranslation(mended, sampler_name, schedule, steps))


def _name_of(own: Any) -> str | None:
    if own.config.get("algorithm_type", "dpmsolver++") != "dpmsolver++" or own.config.get("solver_order", 2) != 2:
        return None  # another of the solvers of its class
    return _OWN_NAMES.get(type(own))


def _over(values: dict[str, Any], scheduler: Any) -> Any:
    """Return a scheduler of the same kind with other values in its configuration, of those that it knows."""
    known = {name: value for name, value in values.items() if name in scheduler.config}
    if not known:
        return copy.deepcopy(scheduler)
    # By name: `from_config` takes what a pipeline has mended for defaults, and loses it.
    taken = inspect.signature(type(scheduler).__init__).parameters
    return type(scheduler)(**{name: value for name, value in scheduler.config.items() if name in taken} | known)
