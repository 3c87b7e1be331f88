"""DPM++ SDE.

diffusers has none: its DPMSolverSDEScheduler draws noise from torchsde by a seed alone, not from the generators of the
pictures. Source: the sampler of the same name in k-diffusion, after https://arxiv.org/abs/2211.01095.
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers import KDPM2DiscreteScheduler

from modules.engine.samplers.ancestral import down_and_up
from modules.engine.samplers.own_step import Generators, noise_like
from modules.engine.samplers.two_calls import TwoCalls


class DPMppSDE(TwoCalls, KDPM2DiscreteScheduler):  # type: ignore[misc]  # diffusers is untyped
    """Two calls of the denoiser a step, noise after each.

    The noise of a whole step and that of its first half are of one Brownian motion over the noise level. A step asks
    for no more than its own two pieces, so they are drawn as they come, and no tree of them is needed.
    """

    middle_ahead = 1
    sample: torch.Tensor | None
    motion: torch.Tensor | None = None
    eta = 1.0
    strength = 1.0

    def set_timesteps(
        self, num_inference_steps: int, device: Any = None, num_train_timesteps: int | None = None
    ) -> None:
        """Prepare the list."""
        super().set_timesteps(num_inference_steps, device, num_train_timesteps)
        self.motion = None

    def _levels(self, at: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return the noise levels of the step's start, middle and end."""
        return self.sigmas[at], self.sigmas_interpol[at + 1], self.sigmas[at + 1]

    def _to_the_middle(
        self, at: int, denoised: torch.Tensor, sample: torch.Tensor, generator: Generators
    ) -> torch.Tensor:
        start, middle, end = self._levels(at)
        if end == 0:
            return denoised
        noise = noise_like(sample, generator)
        self.sample, self.motion = sample, (start - middle).sqrt() * noise
        return self._with_noise(sample, denoised, start, middle, noise)

    def _to_the_end(self, at: int, denoised: torch.Tensor, sample: torch.Tensor, generator: Generators) -> torch.Tensor:
        assert self.sample is not None and self.motion is not None
        start, middle, end = self._levels(at)
        motion = self.motion + (middle - end).sqrt() * noise_like(sample, generator)
        stepped = self._with_noise(self.sample, denoised, start, end, motion / (start - end).sqrt())
        self.sample = self.motion = None
        return stepped

    def _with_noise(
        self, sample: torch.Tensor, denoised: torch.Tensor, start: torch.Tensor, end: torch.Tensor, noise: torch.Tensor
    ) -> torch.Tensor:
        """Go from one noise level to another, half of the way down by new noise, or by as much as `eta` says."""
        kept = (end / start) ** 2
        up = (end**2 * (1 - kept)) ** 0.5
        if self.eta != 1:
            down, up = down_and_up(start, end, self.eta)
            kept = down / start
        return torch.lerp(denoised, sample, kept.item()) + up * self.strength * noise
