"""Samplers that go below the next noise level and come up to it by new noise, as much of it as `eta` says.

Source: the samplers of the same names in k-diffusion; with eta 0 they are those without noise.
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers import EulerAncestralDiscreteScheduler

from modules.engine.samplers.estimate import estimate
from modules.engine.samplers.own_step import Generators, OwnStep, noise_like


def down_and_up(start: torch.Tensor, end: torch.Tensor, eta: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the noise level to which a step goes, and that of the noise which brings it up to its `end`."""
    up = torch.minimum(end, eta * (end**2 * (start**2 - end**2) / start**2) ** 0.5)
    return (end**2 - up**2) ** 0.5, up


class EulerAncestral(OwnStep, EulerAncestralDiscreteScheduler):  # type: ignore[misc]  # diffusers is untyped
    """Euler a with another `eta` than 1, or noise of another `strength`."""

    eta = 1.0
    strength = 1.0

    def stepped(
        self: Any, model_output: torch.Tensor, timestep: Any, sample: torch.Tensor, generator: Generators
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Go down, and up by noise."""
        now, later = self.sigmas[self.step_index], self.sigmas[self.step_index + 1]
        denoised = estimate(sample, model_output, now, self.config.prediction_type, exploding=True)
        down, up = down_and_up(now, later, self.eta)
        stepped = torch.lerp(denoised, sample, (down / now).item())
        if up > 0:
            stepped = stepped + up * self.strength * noise_like(sample, generator)
        return stepped, denoised


def add_part_of_noise(eta: float, strength: float, scheduler: Any) -> None:
    """Let one of diffusers' ancestral DPM2 schedulers, whose list is made, add a part of its noise."""
    signal = scheduler.alphas_cumprod.double().cpu().numpy()
    log_levels = torch.from_numpy(((1 - signal) / signal) ** 0.5).log()
    for first in range(0, len(scheduler.timesteps) - 1, 2):
        start, end = scheduler.sigmas[first], scheduler.sigmas[first + 1]
        down, up = down_and_up(start, end, eta)
        middle = (start.log() + down.log()).div(2).exp() if down > 0 else end
        # Both places of a step but the very first, which has one.
        places = slice(max(first - 1, 0), first + 1)
        scheduler.sigmas_down[places] = down
        scheduler.sigmas_up[places] = up * strength
        scheduler.sigmas_interpol[places] = middle
        scheduler.timesteps[first + 1] = float(scheduler._sigma_to_t(middle.numpy(), log_levels.numpy()))
