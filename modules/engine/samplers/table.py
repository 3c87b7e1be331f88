"""The samplers under A1111's names, as diffusers schedulers. This table is the only place that knows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    HeunDiscreteScheduler,
    KDPM2AncestralDiscreteScheduler,
    KDPM2DiscreteScheduler,
    LCMScheduler,
    LMSDiscreteScheduler,
    UniPCMultistepScheduler,
)

from modules.engine.samplers.deis import CleanDEIS
from modules.engine.samplers.denoised import observe_steps
from modules.engine.samplers.dpm_multistep import ThirdOrderSDE
from modules.engine.samplers.dpm_singlestep import DPMpp2SAncestral, DPMppSDE, know_the_middle
from modules.engine.samplers.noise_levels import LevelLCM, Levels, at_levels, lcm_levels, levels_of
from modules.engine.samplers.stepping import PlainFirstPLMS, SteppingDDIM, SteppingPLMS
from modules.engine.samplers.terminal_noise import (
    first_order_from_terminal_noise,
    has_terminal_noise,
    rescaled_betas,
    spread_below_terminal_noise,
)
from modules.jobs.samplers import effective_schedule, find_sampler, find_schedule


@dataclass(frozen=True)
class Solver:
    """A diffusers scheduler for one sampler.

    `exploding`: its sample is x0 + sigma * noise (else scaled to unit variance). `uniform` is the spacing that A1111's
    "Uniform" means with it. `middle_ahead`: it looks at a point amid each step (`know_the_middle`).
    """

    scheduler: type
    exploding: bool
    uniform: str = "linspace"
    options: Mapping[str, Any] = field(default_factory=dict)
    middle_ahead: int | None = None


SOLVERS: Mapping[str, Solver] = {
    "Euler": Solver(EulerDiscreteScheduler, exploding=True),
    "Euler a": Solver(EulerAncestralDiscreteScheduler, exploding=True),
    "DDIM": Solver(SteppingDDIM, exploding=False, uniform="leading", options={"clip_sample": False}),
    "DPM++ 2M": Solver(DPMSolverMultistepScheduler, exploding=False, options={"algorithm_type": "dpmsolver++"}),
    "DPM++ 2M SDE": Solver(DPMSolverMultistepScheduler, exploding=False, options={"algorithm_type": "sde-dpmsolver++"}),
    "DPM++ 2M SDE Heun": Solver(
        DPMSolverMultistepScheduler, False, options={"algorithm_type": "sde-dpmsolver++", "solver_type": "heun"}
    ),
    "DPM++ 3M SDE": Solver(ThirdOrderSDE, False, options={"algorithm_type": "sde-dpmsolver++", "solver_order": 3}),
    "DPM++ SDE": Solver(DPMppSDE, exploding=True, middle_ahead=1),
    "DPM++ 2S a": Solver(DPMpp2SAncestral, exploding=True, middle_ahead=0),
    "DPM2": Solver(KDPM2DiscreteScheduler, exploding=True, middle_ahead=1),
    "DPM2 a": Solver(KDPM2AncestralDiscreteScheduler, exploding=True, middle_ahead=0),
    "LMS": Solver(LMSDiscreteScheduler, exploding=True),
    "PLMS": Solver(SteppingPLMS, exploding=False, uniform="leading", options={"skip_prk_steps": True}),
    "DEIS": Solver(CleanDEIS, exploding=False),
    "UniPC": Solver(UniPCMultistepScheduler, exploding=False),
    "LCM": Solver(LCMScheduler, exploding=False, options={"clip_sample": False}),
    "Heun": Solver(HeunDiscreteScheduler, exploding=True, options={"clip_sample": False}),
}

# LCM over noise levels of its own; with "Automatic" it takes its steps from its list.
_LEVEL_LCM = Solver(LevelLCM, exploding=True)
_LED_OFF_BY_TERMINAL_NOISE = (HeunDiscreteScheduler, KDPM2DiscreteScheduler, KDPM2AncestralDiscreteScheduler)
# Schedules with noise levels of their own span the whole range, as with A1111.
_NOISE_LEVELS: Mapping[str, Mapping[str, Any]] = {
    "Karras": {"use_karras_sigmas": True, "timestep_spacing": "linspace"},
    "Exponential": {"use_exponential_sigmas": True, "timestep_spacing": "linspace"},
    "Beta": {"use_beta_sigmas": True, "timestep_spacing": "linspace"},
}
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


def build_scheduler(sampler_name: str, schedule_name: str, model_config: Mapping[str, Any], steps: int) -> Any:
    """Return the diffusers scheduler for a sampler and schedule type, made for the model's own noise schedule.

    `model_config` is the configuration of the scheduler that came with the model. The result keeps its latest step
    (`denoised.Observed`).
    """
    sampler = find_sampler(sampler_name)
    schedule = effective_schedule(sampler, find_schedule(schedule_name)).label
    is_level_lcm = sampler.name == "LCM" and schedule != "Automatic"
    solver = _LEVEL_LCM if is_level_lcm else SOLVERS[sampler.name]
    options = dict(_DECIDED_HERE) | dict(solver.options) | _options_of(schedule, solver, model_config)
    if steps == 1:
        options["timestep_spacing"] = (
            "trailing"  # The other spacings would put the only step at the end, without noise.
        )
    scheduler_class: Any = solver.scheduler
    if scheduler_class is SteppingPLMS and has_terminal_noise(model_config):
        scheduler_class = PlainFirstPLMS
    if has_terminal_noise(model_config):
        plain = DDIMScheduler.from_config(model_config, rescale_betas_zero_snr=False)
        options["trained_betas"] = rescaled_betas(plain.betas)
        sigma_max = float(((1 - plain.alphas_cumprod[-1]) / plain.alphas_cumprod[-1]) ** 0.5)
        scheduler_class = spread_below_terminal_noise(scheduler_class, sigma_max)
    if is_level_lcm or (sampler.name == "Euler a" and schedule in _NOISE_LEVELS):
        scheduler_class = at_levels(scheduler_class, _levels(sampler.name, schedule, model_config))
    elif sampler.name == "LCM":
        options["original_inference_steps"] = next(length for length in _LCM_LIST_LENGTHS if length >= steps)
    made: Any = _start_at_first(observe_steps(scheduler_class, solver.exploding))
    if solver.middle_ahead is not None:
        made = know_the_middle(made, solver.middle_ahead)
    if has_terminal_noise(model_config) and solver.scheduler in _LED_OFF_BY_TERMINAL_NOISE:
        made = first_order_from_terminal_noise(made, solver.middle_ahead)
    known = made._get_init_keys(solver.scheduler)
    wanted = {key: value for key, value in (dict(model_config) | options).items() if key in known}
    return made(**wanted)


def _levels(sampler_name: str, schedule: str, model_config: Mapping[str, Any]) -> Levels:
    """Return the noise levels of a sampler for which diffusers does not spread them, with the help of Euler."""

    def levels(steps: int) -> tuple[torch.Tensor, torch.Tensor]:
        euler = build_scheduler("Euler", schedule, model_config, steps)
        return lcm_levels(euler, schedule, steps) if sampler_name == "LCM" else levels_of(euler, steps)

    return levels


def _options_of(schedule: str, solver: Solver, model_config: Mapping[str, Any]) -> dict[str, Any]:
    if schedule in _NOISE_LEVELS:
        return dict(_NOISE_LEVELS[schedule])
    own = model_config.get("timestep_spacing", "leading")
    spacing = {"Uniform": solver.uniform, "SGM Uniform": "trailing"}.get(schedule, own)
    if spacing == "leading" and has_terminal_noise(model_config):
        spacing = "trailing"  # "leading" leaves the last timestep out, and only there the sample is pure noise.
    return {"timestep_spacing": spacing}


def _start_at_first(scheduler_class: type) -> type:
    """Return a subclass that always starts at its first timestep and takes as many as were asked for."""

    class Scheduler(scheduler_class):  # type: ignore[misc]  # the base is a parameter
        timesteps: torch.Tensor
        sigmas: torch.Tensor

        def set_timesteps(self, num_inference_steps: int, *rest: Any, **more: Any) -> None:
            super().set_timesteps(num_inference_steps, *rest, **more)
            self._drop_surplus(num_inference_steps)
            if hasattr(self, "set_begin_index"):
                # Otherwise the stock step looks the first timestep up, and takes the second place where it is twice.
                self.set_begin_index(0)

        def _drop_surplus(self, steps: int) -> None:
            """Take away the timestep -1 that "trailing" adds through rounding, with 61 steps for example."""
            count = self.order * (steps - 1) + 1
            if len(self.timesteps) <= count or isinstance(self, SteppingPLMS):
                return
            self.timesteps = self.timesteps[:count]
            self.num_inference_steps = steps
            for name in _LEVELS_OF_STEPS:
                if (levels := getattr(self, name, None)) is not None:
                    setattr(self, name, torch.cat([levels[:count], levels[-1:]]))
            if hasattr(self, "sigmas_interpol"):
                self.sigmas_interpol[count - 1 :] = 0  # The last step has no middle: it goes to no noise at once.

    return Scheduler
