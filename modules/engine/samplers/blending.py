"""A part of the picture is known: the estimate of the finished latents is made to agree with it before each step.

What is blended is what the denoiser believes, not the latents with their noise (A1111's way). So samplers that look
back see a history in which the known part was always known, and noise has to be drawn for none of it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import torch

from modules.engine.samplers.estimate import Step, slope

# Return the blend of the estimate, (batch, …), with what is known, at a level of noise over signal.
Mix = Callable[[torch.Tensor, float], torch.Tensor]


@dataclass(frozen=True)
class Blend:
    """What is known of a picture, and where.

    `clean`: the finished latents, (batch, …) as the scheduler sees them. `mask`, of that shape or one that broadcasts
    to it: 1 where the picture is drawn anew, 0 where it is known, anything between for a blend of both. `mix` blends in
    another way than in proportion.
    """

    clean: torch.Tensor
    mask: torch.Tensor
    mix: Mix | None = None

    def blended(self, step: Step) -> Step:
        """Return the step as if the denoiser had believed what is known. Where all is drawn anew no bit changes."""
        seen = step.denoised()
        wanted = self._mixed(seen, step.noise_over_signal)
        per_output = slope(step.sigma, step.prediction_type) * step.output_scale
        if per_output == 0:
            return step  # No noise is left: nothing that the denoiser says counts.
        output = step.model_output + ((wanted - seen) / per_output).to(step.model_output.dtype)
        return dataclasses.replace(step, model_output=output)

    def ended(self, latents: torch.Tensor) -> torch.Tensor:
        """Return finished latents with exactly what is known, which some samplers come only near to."""
        return torch.where(self.mask.to(latents) == 0, self.clean.to(latents), latents)

    def _mixed(self, seen: torch.Tensor, level: float) -> torch.Tensor:
        if self.mix is not None:
            return self.mix(seen, level)
        mask = self.mask.to(seen)
        return mask * seen + (1 - mask) * self.clean.to(seen)


@dataclass(frozen=True)
class SoftMix:
    """A blend for each latent that depends on how much noise there is: A1111's soft inpainting.

    The more noise, the more of the known picture counts: its part is 1 - mask ** (level ** bias * strength), so
    `strength` 0 keeps none of it. Mixed latents are made as long as those that they were mixed of, on the average of
    their lengths raised to `contrast`. `clean`, (batch, channels, height, width), and `mask`, (batch or 1, 1, height,
    width), lie as the picture does; `spatial` and `running` bring latents there and back.
    """

    clean: torch.Tensor
    mask: torch.Tensor
    bias: float
    strength: float
    contrast: float
    spatial: Callable[[torch.Tensor], torch.Tensor]
    running: Callable[[torch.Tensor], torch.Tensor]

    def __call__(self, seen: torch.Tensor, level: float) -> torch.Tensor:
        """Return the blend of estimates, (batch, …) as the scheduler sees them, with what is known."""
        new, known = self.spatial(seen), self.clean.to(seen)
        power = level**self.bias * self.strength if self.strength else 0.0
        part = self.mask.to(seen).clamp(0, 1) ** power
        mixed = part * new + (1 - part) * known
        length, longer, shorter = (_length(one) for one in (mixed, new, known))
        wanted = (part.double() * longer**self.contrast + (1 - part.double()) * shorter**self.contrast) ** (
            1 / self.contrast
        )
        scaled = mixed * (wanted / (length + 1e-5)).to(mixed.dtype)
        # Where one of both is all there is, it stays as it is.
        return self.running(torch.where(part == 1, new, torch.where(part == 0, known, scaled)))


def _length(latents: torch.Tensor) -> torch.Tensor:
    """Return how long each latent is as a vector: (batch, 1, height, width), in float64, since it is raised high."""
    return torch.as_tensor(torch.linalg.vector_norm(latents.double(), dim=1, keepdim=True))
