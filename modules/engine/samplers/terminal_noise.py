"""Noise schedules whose last step is pure noise (zero terminal signal-to-noise ratio).

Source: Lin et al., "Common Diffusion Noise Schedules and Sample Steps are Flawed", https://arxiv.org/abs/2305.08891.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

# What is left of the signal at the last timestep. Not 0, so that the noise level there, 4096, is a number.
TERMINAL_ALPHA_CUMPROD = 2.0**-24


def has_terminal_noise(config: Mapping[str, Any]) -> bool:
    """Tell whether a scheduler's configuration says that its model starts from pure noise."""
    return bool(config.get("rescale_betas_zero_snr"))


def rescaled_betas(betas: torch.Tensor) -> list[float]:
    """Return betas that end in pure noise, for every scheduler as `trained_betas`.

    Only some schedulers of diffusers have a flag for it, and those differ in the last value. `betas`: (timesteps,).
    """
    signal = torch.cumprod(1.0 - betas.double(), dim=0).sqrt()
    first, last = signal[0].clone(), signal[-1].clone()
    signal = (signal - last) * first / (first - last)
    alphas_cumprod = (signal**2).clamp(min=TERMINAL_ALPHA_CUMPROD)
    alphas = torch.cat([alphas_cumprod[:1], alphas_cumprod[1:] / alphas_cumprod[:-1]])
    return [float(beta) for beta in 1.0 - alphas]


class TerminalNoiseFirst:
    """Put before a scheduler class: the first step goes from pure noise to where the plain schedule begins.

    The Karras, Exponential and Beta schedules spread the steps between the lowest and the highest noise level. With
    4096 as the highest they would spend most steps where nothing can be seen yet (Exponential: half of them).
    """

    plain_sigma_max: float
    num_inference_steps: int
    _convert_to_karras: Callable[..., Any]
    _convert_to_exponential: Callable[..., Any]
    _convert_to_beta: Callable[..., Any]
    _sigma_to_t: Callable[..., Any]

    def _spread(self, convert: Callable[..., Any], in_sigmas: Any, steps: int) -> Any:
        if steps == 1:
            return np.array([in_sigmas[0]])
        below = np.concatenate([[self.plain_sigma_max], in_sigmas[in_sigmas < self.plain_sigma_max]])
        return np.concatenate([[in_sigmas[0]], convert(in_sigmas=below, num_inference_steps=steps - 1)])


def spread_below_terminal_noise(scheduler_class: type, plain_sigma_max: float) -> type:
    """Return a subclass of a diffusers scheduler that behaves as `TerminalNoiseFirst` says."""

    class Scheduler(TerminalNoiseFirst, scheduler_class):  # type: ignore[misc]  # the base is a parameter
        def _convert_to_karras(self, in_sigmas: Any, num_inference_steps: int | None = None) -> Any:
            if num_inference_steps is not None:
                return self._spread(super()._convert_to_karras, in_sigmas, num_inference_steps)
            return self._spread(self._convert_some_to_karras, in_sigmas, self.num_inference_steps)

        def _convert_some_to_karras(self, in_sigmas: Any, num_inference_steps: int) -> Any:
            """Do it for LMS, which takes their number from itself."""
            whole, self.num_inference_steps = self.num_inference_steps, num_inference_steps
            try:
                return super()._convert_to_karras(in_sigmas=in_sigmas)
            finally:
                self.num_inference_steps = whole

        def _convert_to_exponential(self, in_sigmas: Any, num_inference_steps: int) -> Any:
            return self._spread(super()._convert_to_exponential, in_sigmas, num_inference_steps)

        def _convert_to_beta(self, in_sigmas: Any, num_inference_steps: int) -> Any:
            return self._spread(super()._convert_to_beta, in_sigmas, num_inference_steps)

        def _sigma_to_t(self, sigma: Any, log_sigmas: Any) -> Any:
            # Some schedulers cut the fraction off, and the first timestep would be 998.
            return super()._sigma_to_t(sigma, log_sigmas).round()

    Scheduler.plain_sigma_max = plain_sigma_max
    return Scheduler


def first_order_from_terminal_noise(scheduler_class: type, middle_ahead: int | None = None) -> type:
    """Return a subclass of Heun or DPM2 whose first step, from pure noise, is of the first order.

    The slopes at both ends of that step, or amid it, have nothing in common, and lead far off. `middle_ahead` is for
    those that look at a point amid each step (`dpm_singlestep.know_the_middle`).
    """

    class Scheduler(scheduler_class):  # type: ignore[misc]  # the base is a parameter
        timesteps: torch.Tensor
        sigmas: torch.Tensor

        def set_timesteps(self, num_inference_steps: int, *rest: Any, **more: Any) -> None:
            super().set_timesteps(num_inference_steps, *rest, **more)
            if len(self.timesteps) == 1:
                return
            # All hold every level but the first twice, once for each evaluation.
            for name in ("timesteps", "sigmas", "sigmas_interpol", "sigmas_up", "sigmas_down"):
                if (values := getattr(self, name, None)) is not None:
                    setattr(self, name, torch.cat([values[:1], values[2:]]))
            if middle_ahead is not None:
                self.sigmas_interpol[middle_ahead] = self.sigmas[1]  # The way to the middle is the whole step.

        @functools.wraps(scheduler_class.step)  # type: ignore[attr-defined]
        def step(self, *arguments: Any, **more: Any) -> Any:
            first = not self.step_index
            stepped = super().step(*arguments, **more)
            if first:
                self.dt = self.prev_derivative = self.sample = None
            return stepped

    return Scheduler
