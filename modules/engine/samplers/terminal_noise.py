"""Noise schedules whose last step is pure noise (zero terminal signal-to-noise ratio).

Source: Lin et al., "Common Diffusion Noise Schedules and Sample Steps are Flawed", https://arxiv.org/abs/2305.08891.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

# What schedulers hold for each place of their list: the first, and each other one twice, once for each evaluation.
_LISTS = ("timesteps", "sigmas", "sigmas_interpol", "sigmas_up", "sigmas_down")
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
    found: list[float] = (1.0 - alphas).tolist()
    return found


class FromTerminalNoise:
    """Put before a scheduler class: where a model starts from pure noise, the first step goes to the plain schedule.

    The Karras, Exponential and Beta schedules spread the steps between the lowest and the highest noise level. With
    4096 as the highest they would spend most steps where nothing can be seen yet (Exponential: half of them).
    `plain_sigma_max` is where the plain schedule begins; None: the model has no other.
    """

    plain_sigma_max: float | None = None
    num_inference_steps: int

    def _convert_to_karras(self, in_sigmas: Any, num_inference_steps: int | None = None) -> Any:
        convert: Callable[..., Any] = super()._convert_to_karras  # type: ignore[misc]
        return self._spread(convert, in_sigmas, num_inference_steps or self.num_inference_steps)

    def _convert_to_exponential(self, in_sigmas: Any, num_inference_steps: int) -> Any:
        return self._spread(super()._convert_to_exponential, in_sigmas, num_inference_steps)  # type: ignore[misc]

    def _convert_to_beta(self, in_sigmas: Any, num_inference_steps: int) -> Any:
        return self._spread(super()._convert_to_beta, in_sigmas, num_inference_steps)  # type: ignore[misc]

    def _sigma_to_t(self, sigma: Any, log_sigmas: Any) -> Any:
        timestep: Any = super()._sigma_to_t(sigma, log_sigmas)  # type: ignore[misc]
        # Some schedulers cut the fraction off, and the first timestep would be 998.
        return timestep if self.plain_sigma_max is None else timestep.round()

    def _spread(self, convert: Callable[..., Any], in_sigmas: Any, steps: int) -> Any:
        if self.plain_sigma_max is None:
            return convert(in_sigmas=in_sigmas, num_inference_steps=steps)
        if steps == 1:
            return np.array([in_sigmas[0]])
        below = np.concatenate([[self.plain_sigma_max], in_sigmas[in_sigmas < self.plain_sigma_max]])
        return np.concatenate([[in_sigmas[0]], convert(in_sigmas=below, num_inference_steps=steps - 1)])


def first_order_first(scheduler: Any) -> None:
    """Let the first step of Heun or DPM2, from pure noise, be of the first order: take its second evaluation away.

    The slopes at both ends of that step, or amid it, have nothing in common, and lead far off.
    """
    if len(scheduler.timesteps) == 1:
        return
    for name in _LISTS:
        if (values := getattr(scheduler, name, None)) is not None:
            setattr(scheduler, name, torch.cat([values[:1], values[2:]]))
    if hasattr(scheduler, "middle_ahead"):
        scheduler.sigmas_interpol[scheduler.middle_ahead] = scheduler.sigmas[1]  # It goes to the middle and no further.


def forget_first_step(scheduler: Any) -> None:
    """Let a scheduler that has just done the first step from pure noise begin its second one anew."""
    if scheduler.plain_sigma_max is not None and scheduler.step_index == 1:
        scheduler.dt = scheduler.prev_derivative = scheduler.sample = None
