"""Samplers over noise levels of a schedule type that diffusers does not offer with them: Euler a and LCM.

With A1111 both take the levels of any schedule type (Karras et al. 2022, https://arxiv.org/abs/2206.00364, equation 5,
and its kin). The levels of Euler a are those of Euler. LCM knows only each twentieth timestep, its lowest level is that
of the first of them, and its network is asked at the nearest one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from diffusers import EulerAncestralDiscreteScheduler
from diffusers.schedulers.scheduling_utils import SchedulerOutput
from diffusers.utils.torch_utils import randn_tensor

from modules.engine.samplers.dpm_singlestep import Generators, denoised_of

# From a number of steps to noise levels, from the highest to 0, and the timesteps of all but the last.
Levels = Callable[[int], tuple[torch.Tensor, torch.Tensor]]

_LCM_TIMESTEPS = 50
_LCM_SIGMA_DATA, _LCM_TIMESTEP_SCALING = 0.5, 10.0


class LevelLCM(EulerAncestralDiscreteScheduler):  # type: ignore[misc]  # diffusers is untyped
    """LCM over noise levels: each step goes to what the network takes for the picture, and adds the next level's noise.

    Source: Luo et al., "Latent Consistency Models", https://arxiv.org/abs/2310.04378.
    """

    def step(
        self: Any,
        model_output: torch.Tensor,
        timestep: Any,
        sample: torch.Tensor,
        generator: Generators = None,
        return_dict: bool = True,
    ) -> Any:
        """Go to the estimate of the picture, and from there to the next level."""
        if self.step_index is None:
            self._init_step_index(timestep)
        now, later = self.sigmas[self.step_index], self.sigmas[self.step_index + 1]
        scaled = float(timestep) * _LCM_TIMESTEP_SCALING
        skip = _LCM_SIGMA_DATA**2 / (scaled**2 + _LCM_SIGMA_DATA**2)
        out = scaled / (scaled**2 + _LCM_SIGMA_DATA**2) ** 0.5
        denoised = out * denoised_of(self, model_output, sample, now) + skip * sample
        stepped = denoised
        if later > 0:
            noise = randn_tensor(sample.shape, generator=generator, device=sample.device, dtype=sample.dtype)
            stepped = denoised + later * noise
        self._step_index += 1
        return SchedulerOutput(prev_sample=stepped) if return_dict else (stepped, denoised)


def at_levels(scheduler_class: type, levels: Levels) -> type:
    """Return a subclass of a diffusers scheduler that steps over these noise levels."""

    class Scheduler(scheduler_class):  # type: ignore[misc]  # the base is a parameter
        def set_timesteps(self, num_inference_steps: int, device: Any = None) -> None:
            super().set_timesteps(num_inference_steps, device)
            sigmas, timesteps = levels(num_inference_steps)
            self.sigmas, self.timesteps = sigmas.to("cpu", torch.float32), timesteps.to(device, torch.float32)

    return Scheduler


def levels_of(euler: Any, steps: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the noise levels and timesteps of an Euler scheduler."""
    euler.set_timesteps(steps)
    return euler.sigmas, euler.timesteps


def lcm_levels(euler: Any, schedule: str, steps: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the noise levels and timesteps of LCM with a schedule type; `euler` spreads levels for the same model."""
    variances = euler.alphas_cumprod.double().numpy()
    skipped = len(variances) // _LCM_TIMESTEPS
    known = np.arange(skipped - 1, len(variances), skipped)
    ladder = ((1 - variances[known]) / variances[known]) ** 0.5
    if schedule in ("Uniform", "SGM Uniform"):
        count = steps + (schedule == "SGM Uniform")
        at = np.linspace(known[-1], known[0], count)[:steps] if count > 1 else known[-1:]
        sigmas = np.exp(np.interp(at, known, np.log(ladder)))
    else:
        convert = getattr(euler, f"_convert_to_{schedule.lower()}")
        euler.num_inference_steps = steps
        sigmas = np.asarray(convert(in_sigmas=ladder[::-1].copy(), num_inference_steps=steps), np.float64)
    nearest = np.abs(np.log(sigmas)[:, None] - np.log(ladder)[None]).argmin(axis=1)
    return torch.from_numpy(np.append(sigmas, 0.0)), torch.from_numpy(known[nearest])
