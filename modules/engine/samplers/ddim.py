"""DDIM that steps to the next timestep of its list."""

from __future__ import annotations

import functools
from fractions import Fraction
from typing import Any

import torch
from diffusers import DDIMScheduler


class DDIM(DDIMScheduler):  # type: ignore[misc]  # diffusers is untyped
    """DDIM over the real distance between two timesteps.

    The stock one steps 1000 // steps further down, which misses the next timestep wherever they are not evenly spaced.
    """

    num_inference_steps: int | Fraction
    eta = 0.0

    def step(
        self, model_output: torch.Tensor, timestep: Any, sample: torch.Tensor, eta: float = 0.0, *rest: Any, **more: Any
    ) -> Any:
        """Do the stock step over the real distance, with noise as the sampler's own `eta` says."""
        steps = self.num_inference_steps
        # The stock step divides by this number to get the distance.
        self.num_inference_steps = Fraction(self.config.num_train_timesteps, distance_below(self.timesteps, timestep))
        try:
            return super().step(model_output, timestep, sample, self.eta or eta, *rest, **more)
        finally:
            self.num_inference_steps = steps

    step = functools.wraps(DDIMScheduler.step)(step)  # pipelines look at its signature


def distance_below(timesteps: torch.Tensor, timestep: Any) -> int:
    """Return how far down the next timestep of the list is, or -1 after the last."""
    later = timesteps[timesteps < timestep]
    return int(timestep) - (int(later[0]) if len(later) else -1)
