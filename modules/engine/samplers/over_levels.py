"""A sampler of the table over noise levels that somebody else has chosen."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import torch

from modules.engine.samplers.dpm2 import DPM2, DPM2Ancestral
from modules.engine.samplers.heun import Heun
from modules.engine.samplers.lcm import LevelLCM
from modules.engine.samplers.long_steps import NoLongLooksBack
from modules.engine.samplers.noise_levels import Levels, step_over
from modules.engine.samplers.proxy import Sampler
from modules.engine.samplers.table import SOLVERS, Solver
from modules.engine.samplers.terminal_noise import FromTerminalNoise, first_order_first
from modules.engine.samplers.two_calls import LooksAmid, mend_far_steps

_LED_OFF_BY_NOISE = (Heun, DPM2, DPM2Ancestral)


def sampler_over(sampler_name: str, levels: Sequence[float], from_noise: float) -> Sampler:
    """Return a sampler for a model that predicts noise, whose list is `levels`: noise over signal, from the highest.

    It is given a model of as many timesteps as there are levels, so that its list is all of them. Where the first level
    is above `from_noise` there is next to nothing but noise, and the first step counts for little in the next ones.
    """
    solver = Solver(LevelLCM) if sampler_name == "LCM" else SOLVERS[sampler_name]
    scheduler = _made(solver, len(levels))
    ascending = torch.tensor(levels[::-1], dtype=torch.float64)
    # In float64: near 1, float32 has no room for the lowest levels.
    scheduler.alphas_cumprod = 1 / (1 + ascending**2)
    scheduler.is_scale_input_called = True  # There is nothing to scale, and nobody is to be warned.
    if isinstance(scheduler, NoLongLooksBack):
        scheduler.careful = True
    mends: list[Callable[[Any], None]] = []
    if isinstance(scheduler, LevelLCM):
        mends.append(functools.partial(step_over, _lcm_levels(ascending.flip(0))))
    if isinstance(scheduler, LooksAmid) and hasattr(scheduler, "sigmas_down"):
        mends.append(mend_far_steps)
    if levels[0] > from_noise:
        if isinstance(scheduler, FromTerminalNoise):
            scheduler.plain_sigma_max = from_noise
        if isinstance(scheduler, _LED_OFF_BY_NOISE):
            mends.append(first_order_first)
    return Sampler(scheduler, tuple(mends))


def _made(solver: Solver, timesteps: int) -> Any:
    options = {"prediction_type": "epsilon", "timestep_spacing": "trailing", "final_sigmas_type": "zero"}
    options |= {"num_train_timesteps": timesteps, "set_alpha_to_one": True} | dict(solver.options)
    known = inspect.signature(solver.scheduler.__init__).parameters  # type: ignore[misc]
    return solver.scheduler(**{key: value for key, value in options.items() if key in known})


def _lcm_levels(levels: torch.Tensor) -> Levels:
    """Return levels with their timesteps of 1000: LCM keeps a part of the sample, the more the lower they are."""
    return Levels(torch.cat([levels, levels.new_zeros(1)]), 1000 * levels / (1 + levels))
