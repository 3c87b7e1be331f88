"""The noise levels of flow models for each schedule type, as t: the part of the noise in a sample, 1 is noise alone.

A flow's sample is (1 - t) * clean + t * noise. The steps are spread over time, evenly, and the shift that the model
wants moves them towards the noise: t = shift * time / (1 + (shift - 1) * time). Karras, Exponential and Beta spread
them over t itself, between the ends that the shift gives, by the formulas of diffusers' flow scheduler.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from diffusers import FlowMatchEulerDiscreteScheduler

_SPREAD = {"Karras": "karras", "Exponential": "exponential", "Beta": "beta"}
# What the schedule type decides, whatever the model's own scheduler has chosen.
_PLAIN = {
    "use_karras_sigmas": False,
    "use_exponential_sigmas": False,
    "use_beta_sigmas": False,
    "invert_sigmas": False,
    "stochastic_sampling": False,
}


def flow_levels(schedule: str, steps: int, config: Mapping[str, Any], mu: float | None) -> np.ndarray:
    """Return t of each step, from 1 down, in float64, for a schedule type other than "Automatic".

    `config` is that of the model's own scheduler, and `mu` what the pipeline computed for the size, if it did.
    """
    if steps == 1:
        return np.ones(1)
    ruler = _ruler(config)
    lowest = 1 / ruler.config.num_train_timesteps
    if schedule in _SPREAD:
        convert = getattr(ruler, f"_convert_to_{_SPREAD[schedule]}")
        ends = torch.from_numpy(_shifted(ruler, [1.0, lowest], mu))
        return np.asarray(convert(in_sigmas=ends, num_inference_steps=steps), np.float64)
    return _shifted(ruler, np.linspace(1.0, lowest if schedule == "Uniform" else 1 / steps, steps), mu)


def shift_of(config: Mapping[str, Any], mu: float | None) -> float:
    """Return the shift that a scheduler with this configuration uses."""
    if config.get("use_dynamic_shifting"):
        return 1.0 if mu is None else math.exp(mu) if config.get("time_shift_type") != "linear" else mu
    return float(config.get("shift", config.get("flow_shift", 1.0)))


def _ruler(config: Mapping[str, Any]) -> Any:
    """Return what shifts time as the model's own scheduler does."""
    known = inspect.signature(FlowMatchEulerDiscreteScheduler.__init__).parameters
    values = {name: config[name] for name in known if name in config} | _PLAIN
    return FlowMatchEulerDiscreteScheduler(**values | {"shift": config.get("shift", config.get("flow_shift", 1.0))})


def _shifted(ruler: Any, time: Sequence[float] | np.ndarray, mu: float | None) -> np.ndarray:
    more = {} if mu is None else {"mu": mu}
    ruler.set_timesteps(sigmas=list(time), **more)
    return np.asarray(ruler.sigmas[:-1].double().numpy())
