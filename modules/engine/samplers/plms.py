"""PLMS that steps to the next timestep of its list, from any place of it."""

from __future__ import annotations

import functools
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from diffusers import PNDMScheduler

from modules.engine.samplers.ddim import distance_below
from modules.engine.samplers.terminal_noise import FromTerminalNoise


class PLMS(FromTerminalNoise, PNDMScheduler):  # type: ignore[misc]  # diffusers is untyped
    """PLMS over the real distance between two timesteps, which remembers noise, whatever the model predicts.

    Like the stock one it has no step to look back at in its first, and calls the denoiser twice there. From pure noise
    it does so in its second: a first step from there has nothing in common with the next.
    """

    num_inference_steps: int | Fraction  # type: ignore[assignment]
    timesteps: torch.Tensor
    counter: int
    ets: list[torch.Tensor]

    def set_timesteps(self, num_inference_steps: int, device: Any = None) -> None:
        """Prepare the list."""
        super().set_timesteps(num_inference_steps, device)
        ascending = np.asarray(self._timesteps)[-num_inference_steps:]  # "trailing" may add -1 through rounding
        self._descending = torch.from_numpy(ascending[::-1].astype(np.int64).copy()).to(device)
        self.begin_at(0)

    def begin_at(self, step: int) -> int:
        """Make the list anew for a start at a step, and return its place: where two calls are made is there twice."""
        self._again = step + (2 if self.plain_sigma_max is not None and step == 0 else 1)
        self.timesteps = torch.cat([self._descending[: self._again + 1], self._descending[self._again :]])
        self._taken = step
        return step

    def place_of(self, step: int) -> int:
        """Return where in the list a step begins."""
        return step + (step >= self._again)

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
        if self._taken == 1 and self.plain_sigma_max is not None:
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
