"""The samplers under A1111's names, as diffusers schedulers. This table is the only place that knows them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from diffusers import DDIMScheduler, EulerAncestralDiscreteScheduler, KDPM2AncestralDiscreteScheduler, LCMScheduler

from modules.engine.samplers.ddim import DDIM
from modules.engine.samplers.deis import DEIS
from modules.engine.samplers.dpm2 import DPM2, DPM2Ancestral
from modules.engine.samplers.dpm_2s_ancestral import DPMpp2SAncestral
from modules.engine.samplers.dpm_multistep import DPMppMultistep, ThirdOrderSDE
from modules.engine.samplers.dpm_sde import DPMppSDE
from modules.engine.samplers.heun import Heun
from modules.engine.samplers.lcm import LevelLCM
from modules.engine.samplers.noise_added import let_add, scheduler_adding
from modules.engine.samplers.noise_levels import Levels, lcm_levels, step_over
from modules.engine.samplers.plms import PLMS
from modules.engine.samplers.proxy import Sampler
from modules.engine.samplers.stock import LMS, Euler, UniPC
from modules.engine.samplers.terminal_noise import (
    FromTerminalNoise,
    first_order_first,
    has_terminal_noise,
    rescaled_betas,
)
from modules.engine.samplers.two_calls import mend_far_steps
from modules.jobs.kinds.base import Noise
from modules.jobs.samplers import effective_schedule, find_sampler, find_schedule


@dataclass(frozen=True)
class Solver:
    """A diffusers scheduler for one sampler.

    `uniform` is the spacing that A1111's "Uniform" means with it.
    """

    scheduler: type
    uniform: str = "linspace"
    options: Mapping[str, Any] = field(default_factory=dict)


SOLVERS: Mapping[str, Solver] = {
    "Euler": Solver(Euler),
    "Euler a": Solver(EulerAncestralDiscreteScheduler),
    "DDIM": Solver(DDIM, uniform="leading", options={"clip_sample": False}),
    "DPM++ 2M": Solver(DPMppMultistep, options={"algorithm_type": "dpmsolver++"}),
    "DPM++ 2M SDE": Solver(DPMppMultistep, options={"algorithm_type": "sde-dpmsolver++"}),
    "DPM++ 2M SDE Heun": Solver(DPMppMultistep, options={"algorithm_type": "sde-dpmsolver++", "solver_type": "heun"}),
    "DPM++ 3M SDE": Solver(ThirdOrderSDE, options={"algorithm_type": "sde-dpmsolver++", "solver_order": 3}),
    "DPM++ SDE": Solver(DPMppSDE),
    "DPM++ 2S a": Solver(DPMpp2SAncestral),
    "DPM2": Solver(DPM2),
    "DPM2 a": Solver(DPM2Ancestral),
    "LMS": Solver(LMS),
    "PLMS": Solver(PLMS, uniform="leading", options={"skip_prk_steps": True}),
    "DEIS": Solver(DEIS),
    "UniPC": Solver(UniPC),
    "LCM": Solver(LCMScheduler, options={"clip_sample": False}),
    "Heun": Solver(Heun, options={"clip_sample": False}),
}

# LCM over noise levels of its own; with "Automatic" it takes its steps from its list.
_LEVEL_LCM = Solver(LevelLCM)
_LED_OFF_BY_TERMINAL_NOISE = (Heun, DPM2, DPM2Ancestral)
# Schedules with noise levels of their own span the whole range, as with A1111.
_NOISE_LEVELS: Mapping[str, Mapping[str, Any]] = {
    "Karras": {"use_karras_sigmas": True, "timestep_spacing": "linspace"},
    "Exponential": {"use_exponential_sigmas": True, "timestep_spacing": "linspace"},
    "Beta": {"use_beta_sigmas": True, "timestep_spacing": "linspace"},
}
_SPREADS = ("use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas")
# What schedulers hold for each step, with one more for the end.
_LEVELS_OF_STEPS = ("sigmas", "sigmas_interpol", "sigmas_up", "sigmas_down")
# What a checkpoint's own scheduler may have chosen and the table decides.
_DECIDED_HERE: Mapping[str, Any] = {
    "use_karras_sigmas": False,
    "use_exponential_sigmas": False,
    "use_beta_sigmas": False,
    "use_lu_lambdas": False,
    "thresholding": False,
    "final_sigmas_type": "zero",
    "rescale_betas_zero_snr": False,
}
# LCM takes its steps from a list of this many; they must divide the training timesteps to reach the last one.
_LCM_LIST_LENGTHS = (50, 100, 125, 200, 250, 500, 1000)


def build_sampler(
    sampler_name: str, schedule_name: str, model_config: Mapping[str, Any], steps: int, noise: Noise | None = None
) -> Sampler:
    """Return a sampler with a schedule type, made for the model's own noise schedule and for so many steps.

    `model_config` is the configuration of the scheduler that came with the model, `noise` what is added on the way;
    None: as always.
    """
    sampler = find_sampler(sampler_name)
    schedule = effective_schedule(sampler, find_schedule(schedule_name)).label
    own_levels = sampler.name == "LCM" and schedule != "Automatic"
    own_levels |= sampler.name == "Euler a" and schedule in _NOISE_LEVELS
    solver = _LEVEL_LCM if sampler.name == "LCM" and own_levels else SOLVERS[sampler.name]
    options = dict(_DECIDED_HERE) | dict(solver.options) | _options_of(schedule, solver, model_config)
    if steps == 1:
        # The other spacings would put the only step at the end, without noise.
        options["timestep_spacing"] = "trailing"
    if sampler.name == "LCM" and not own_levels:
        options["original_inference_steps"] = next(length for length in _LCM_LIST_LENGTHS if length >= steps)
    scheduler = _made(scheduler_adding(noise, sampler.name, solver.scheduler), model_config, options)
    mends: list[Callable[[Any], None]] = []
    if own_levels:
        mends.append(functools.partial(step_over, _levels_of(sampler.name, schedule, model_config, steps)))
    if not isinstance(scheduler, PLMS):
        mends.append(functools.partial(_drop_surplus, steps))
    if isinstance(scheduler, KDPM2AncestralDiscreteScheduler):
        mends.append(mend_far_steps)
    if noise is not None:
        mends += let_add(noise, sampler.name, scheduler)
    if has_terminal_noise(model_config) and isinstance(scheduler, _LED_OFF_BY_TERMINAL_NOISE):
        mends.append(first_order_first)
    return Sampler(scheduler, tuple(mends))


def _made(scheduler_class: Any, model_config: Mapping[str, Any], options: dict[str, Any]) -> Any:
    """Return a scheduler, which takes what it knows of a model's configuration and of `options`."""
    known = inspect.signature(scheduler_class.__init__).parameters
    values = {key: value for key, value in (dict(model_config) | options).items() if key in known}
    # Told later: some spread all training timesteps while they are made, which nobody asks for and takes a step's time.
    spread = {name: values.pop(name) for name in _SPREADS if values.get(name)}
    if has_terminal_noise(model_config):
        plain = DDIMScheduler.from_config(model_config, rescale_betas_zero_snr=False)
        values["trained_betas"] = rescaled_betas(plain.betas)
    scheduler = scheduler_class(**values)
    scheduler.register_to_config(**spread)
    vars(scheduler).update({name: True for name in spread if name in vars(scheduler)})
    if has_terminal_noise(model_config) and isinstance(scheduler, FromTerminalNoise):
        scheduler.plain_sigma_max = float(((1 - plain.alphas_cumprod[-1]) / plain.alphas_cumprod[-1]) ** 0.5)
    return scheduler


def _levels_of(sampler_name: str, schedule: str, model_config: Mapping[str, Any], steps: int) -> Levels:
    """Return the noise levels of a sampler for which diffusers does not spread them, with the help of Euler."""
    sampler = build_sampler("Euler", schedule, model_config, steps)
    euler = sampler.scheduler
    if sampler_name == "LCM":
        return lcm_levels(euler, schedule, steps)
    sampler.set_timesteps(steps)
    return Levels(euler.sigmas, euler.timesteps)


def _options_of(schedule: str, solver: Solver, model_config: Mapping[str, Any]) -> dict[str, Any]:
    if schedule in _NOISE_LEVELS:
        return dict(_NOISE_LEVELS[schedule])
    own = model_config.get("timestep_spacing", "leading")
    spacing = {"Uniform": solver.uniform, "SGM Uniform": "trailing"}.get(schedule, own)
    if spacing == "leading" and has_terminal_noise(model_config):
        spacing = "trailing"  # "leading" leaves the last timestep out, and only there the sample is pure noise.
    return {"timestep_spacing": spacing}


def _drop_surplus(steps: int, scheduler: Any) -> None:
    """Take away the timestep -1 that "trailing" adds through rounding, with 61 steps for example."""
    count = scheduler.order * (steps - 1) + 1
    if len(scheduler.timesteps) <= count:
        return
    scheduler.timesteps = scheduler.timesteps[:count]
    scheduler.num_inference_steps = steps
    for name in _LEVELS_OF_STEPS:
        if (levels := getattr(scheduler, name, None)) is not None:
            setattr(scheduler, name, torch.cat([levels[:count], levels[-1:]]))
    if hasattr(scheduler, "sigmas_interpol"):
        scheduler.sigmas_interpol[count - 1 :] = 0  # The last step has no middle: it goes to no noise at once.
