"""LCM over noise levels of any schedule type; over its own list of steps it is diffusers' own."""

from __future__ import annotations

from typing import Any

import torch
from diffusers import EulerAncestralDiscreteScheduler

from modules.engine.samplers.estimate import estimate
from modules.engine.samplers.own_step import Generators, OwnStep, noise_like

_SIGMA_DATA, _TIMESTEP_SCALING = 0.5, 10.0


class LevelLCM(OwnStep, EulerAncestralDiscreteScheduler):  # type: ignore[misc]  # diffusers is untyped
    """LCM over noise levels: each step goes to what the network takes for the picture, and adds the next level's noise.

    Source: Luo et al., "Latent Consistency Models", https://arxiv.org/abs/2310.04378.
    """

    def stepped(
        self: Any, model_output: torch.Tensor, timestep: Any, sample: torch.Tensor, generator: Generators
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Go to the estimate of the picture, and from there to the next level."""
        now, later = self.sigmas[self.step_index], self.sigmas[self.step_index + 1]
        scaled = float(timestep) * _TIMESTEP_SCALING
        skip = _SIGMA_DATA**2 / (scaled**2 + _SIGMA_DATA**2)
        out = scaled / (scaled**2 + _SIGMA_DATA**2) ** 0.5
        seen = estimate(sample, model_output, now, self.config.prediction_type, exploding=True)
        denoised = out * seen + skip * sample
        stepped = denoised
        if later > 0:
            stepped = denoised + later * noise_like(sample, generator)
        return stepped, denoised
