"""DPM++ 2S a, which diffusers lacks.

Source: the sampler of the same name in k-diffusion, after https://arxiv.org/abs/2211.01095.
"""

from __future__ import annotations

import torch
from diffusers import KDPM2AncestralDiscreteScheduler

from modules.engine.samplers.own_step import Generators, noise_like
from modules.engine.samplers.two_calls import TwoCalls


class DPMpp2SAncestral(TwoCalls, KDPM2AncestralDiscreteScheduler):  # type: ignore[misc]  # diffusers is untyped
    """Two calls of the denoiser a step, noise after the second."""

    middle_ahead = 0
    sample: torch.Tensor | None

    def _to_the_middle(
        self, at: int, denoised: torch.Tensor, sample: torch.Tensor, _generator: Generators
    ) -> torch.Tensor:
        self.sample = sample
        return torch.lerp(denoised, sample, (self.sigmas_interpol[at] / self.sigmas[at]).item())

    def _to_the_end(self, at: int, denoised: torch.Tensor, sample: torch.Tensor, generator: Generators) -> torch.Tensor:
        assert self.sample is not None
        noise = noise_like(sample, generator) * self.sigmas_up[at]
        kept = (self.sigmas_down[at] / self.sigmas[at]).item()
        stepped: torch.Tensor = torch.lerp(denoised, self.sample, kept) + noise
        self.sample = None
        return stepped
