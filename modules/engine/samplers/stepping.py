"""DDIM and PLMS that step to the next timestep of their list.

The stock ones step 1000 // steps further down, which misses the next timestep wherever they are not evenly spaced.
"""

from __future__ import annotations

import functools
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from diffusers import DDIMScheduler, PNDMScheduler


class SteppingDDIM(DDIMScheduler):  # type: ignore[misc]  # diffusers is untyped
    """DDIM over the real distance between two timesteps."""

    num_inference_steps: int | Fraction

    def step(self, model_output: torch.Tensor, timestep: Any, sample: torch.Tensor, *rest: Any, **more: Any) -> Any:
        """Do the stock step over the real distance."""
        steps = self.num_inference_steps
        # The stock step divides by this number to get the distance.
        self.num_inference_steps = Fraction(self.config.num_train_timesteps, distance_below(self.timesteps, timestep))
        try:
            return super().step(model_output, timestep, sample, *rest, **more)
        finally:
            self.num_inference_steps = steps

    step = functools.wraps(DDIMScheduler.step)(step)  # pipelines look at its signature


class SteppingPLMS(PNDMScheduler):  # type: ignore[misc]  # diffusers is untyped
    """PLMS over the real distance between two timesteps, which remembers noise, whatever the model predicts.

    Like the stock one it has no step to look back at in its first, and calls the denoiser twice there. With
    `plain_first_step` it does so in its second: a first step from pure noise has nothing in common with the next.
    """

    num_inference_steps: int | Fraction
    timesteps: torch.Tensor
    counter: int
    ets: list[torch.Tensor]
    plain_first_step = False

    def set_timesteps(self, num_inference_steps: int, device: Any = None) -> None:
        """Prepare the list; the place where the denoiser is called twice is there twice."""
        super().set_timesteps(num_inference_steps, device)
        ascending = np.asarray(self._timesteps)[-num_inference_steps:]  # "trailing" may add -1 through rounding
        descending = torch.from_numpy(ascending[::-1].astype(np.int64).copy())
        again = 2 if self.plain_first_step else 1
        self.timesteps = torch.cat([descending[: again + 1], descending[again:]]).to(device)
        self._taken = 0

    def step(self, model_output: torch.Tensor, timestep: Any, sample: torch.Tensor, *rest: Any, **more: Any) -> Any:
        """Do the stock step over the real distance."""
        steps = self.num_inference_steps
        if self.counter == 1:  # once more, from where the step before began
            distance = int(self.timesteps[self._taken - 1]) - int(timestep)
        else:
            distance = distance_below(self.timesteps, timestep)
        self.num_inference_steps = Fraction(self.config.num_train_timesteps, distance)
        try:
            stepped = super().step(self._noise_in(model_output, timestep, sample), timestep, sample, *rest, **more)
        finally:
            self.num_inference_steps = steps
        self._taken += 1
        if self._taken == 1 and self.plain_first_step:
            self.counter, self.ets = 0, []
        return stepped

    step = functools.wraps(PNDMScheduler.step)(step)  # pipelines look at its signature

    def _noise_in(self, model_output: torch.Tensor, timestep: Any, sample: torch.Tensor) -> torch.Tensor:
        """Return the noise that the model sees. The stock step mixes its outputs of several timesteps instead."""
        if self.config.prediction_type != "v_prediction":
            return model_output
        signal = self.alphas_cumprod[int(timestep)]
        noise: torch.Tensor = signal**0.5 * model_output + (1 - signal) ** 0.5 * sample
        return noise

    def _get_prev_sample(
        self, sample: torch.Tensor, timestep: Any, prev_timestep: Any, model_output: torch.Tensor
    ) -> torch.Tensor:
        """Step as formula 9 of the paper does (https://arxiv.org/abs/2202.09778); `model_output` is the noise."""
        now = self.alphas_cumprod[timestep]
        later = self.alphas_cumprod[prev_timestep] if prev_timestep >= 0 else self.final_alpha_cumprod
        divisor = now * (1 - later) ** 0.5 + (now * (1 - now) * later) ** 0.5
        stepped: torch.Tensor = (later / now) ** 0.5 * sample - (later - now) * model_output / divisor
        return stepped


class PlainFirstPLMS(SteppingPLMS):
    """PLMS for models that start from pure noise."""

    plain_first_step = True


def distance_below(timesteps: torch.Tensor, timestep: Any) -> int:
    """Return how far down the next timestep of the list is, or -1 after the last."""
    later = timesteps[timesteps < timestep]
    return int(timestep) - (int(later[0]) if len(later) else -1)
