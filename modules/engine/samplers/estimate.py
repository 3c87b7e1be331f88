"""What the denoiser believes the finished picture to be, at any step: for previews, partial pictures and samplers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import (
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    HeunDiscreteScheduler,
    KDPM2AncestralDiscreteScheduler,
    KDPM2DiscreteScheduler,
    LMSDiscreteScheduler,
)

# Their samples are x0 + sigma * noise; those of all others are scaled to unit variance.
_EXPLODING = (
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    HeunDiscreteScheduler,
    KDPM2AncestralDiscreteScheduler,
    KDPM2DiscreteScheduler,
    LMSDiscreteScheduler,
)


@dataclass(frozen=True)
class Step:
    """What one step of a sampler started from. Nothing is computed until somebody asks.

    `sample` and `model_output`: (batch, …), as the sampler sees them. The rest says how they are read (`estimate`),
    the output times `output_scale`.
    """

    sample: torch.Tensor
    model_output: torch.Tensor
    sigma: float
    prediction_type: str
    exploding: bool
    output_scale: float = 1.0

    @property
    def noise_over_signal(self) -> float:
        """How strong the noise is beside what it lies on; without an end where there is nothing else."""
        level = self.sigma * abs(self.output_scale)
        if self.prediction_type != "flow_prediction":
            return level
        return level / (1 - level) if level < 1 else math.inf

    def output_in(self, whole: torch.Tensor) -> torch.Tensor:
        """Return the model's output in the place of what it was taken from, which may tell its doubt in more channels.

        `whole`: what the denoiser said, (batch, …).
        """
        if whole.shape == self.model_output.shape:
            return self.model_output
        return torch.cat([self.model_output, whole[:, self.model_output.shape[1] :]], dim=1)

    def denoised(self, image: int | None = None) -> torch.Tensor:
        """Return the estimate of the finished latents, of one image of the batch or of all, as float32."""
        chosen = slice(None) if image is None else slice(image, image + 1)
        sample, output = self.sample[chosen].detach().float(), self.model_output[chosen].detach().float()
        return estimate(sample, output * self.output_scale, self.sigma, self.prediction_type, self.exploding)


def estimate(
    sample: torch.Tensor, output: torch.Tensor, sigma: torch.Tensor | float, prediction_type: str, exploding: bool
) -> torch.Tensor:
    """Return the finished latents as a model that said `output` to `sample` at the noise level `sigma` sees them.

    With `exploding` the sample is x0 + sigma * noise, else that divided by sqrt(1 + sigma²); with "flow_prediction" it
    is (1 - sigma) * x0 + sigma * noise, and the output is noise - x0.
    """
    if prediction_type == "sample":
        return output
    if prediction_type == "v_prediction" and exploding:
        return sample / (sigma**2 + 1) - output * (sigma / (sigma**2 + 1) ** 0.5)
    if exploding or prediction_type == "flow_prediction":
        return sample - sigma * output
    signal = 1 / (sigma**2 + 1) ** 0.5
    noise = sigma * signal
    return signal * sample - noise * output if prediction_type == "v_prediction" else (sample - noise * output) / signal


def slope(sigma: float, prediction_type: str) -> float:
    """Return by how much `estimate` grows with each unit of the model's output."""
    if prediction_type == "sample":
        return 1.0
    if prediction_type == "v_prediction":
        return float(-sigma / (sigma**2 + 1) ** 0.5)
    return -sigma


def step_of(scheduler: Any, place: int, timestep: Any, sample: torch.Tensor, output: torch.Tensor) -> Step:
    """Return the step that a scheduler of diffusers takes at a place of its list."""
    level = level_of(scheduler, place, timestep)
    channels = sample.shape[1]
    if output.ndim == 4 and output.shape[1] == 2 * channels:
        output = output[:, :channels]  # The rest is how sure the denoiser is.
    spread = scheduler.config.get("sigma_data") if hasattr(scheduler, "precondition_outputs") else None
    if spread is not None:
        # Of Karras et al. (2022), EDM: with noise levels in units of the data's spread it is v-prediction, and those
        # that diffusers calls "epsilon" there say the opposite of v.
        sign = 1 if scheduler.config.prediction_type == "v_prediction" else -1
        return Step(sample, output, level / spread, "v_prediction", exploding=True, output_scale=sign * spread)
    return Step(sample, output, level, _prediction(scheduler), is_exploding(scheduler))


def is_exploding(scheduler: Any) -> bool:
    """Tell whether the samples of a scheduler for models of noise are x0 + sigma * noise, and not of unit variance."""
    return isinstance(scheduler, _EXPLODING)


def _prediction(scheduler: Any) -> str:
    """Return what the model of a scheduler predicts. Those that are for flow models alone do not say it."""
    return "flow_prediction" if hasattr(scheduler, "scale_noise") else str(scheduler.config.prediction_type)


def level_of(scheduler: Any, place: int, timestep: Any) -> float:
    """Return the noise level at which the denoiser was asked. By the place: a scheduler counts only once it steps."""
    if hasattr(scheduler, "level_at"):
        return float(scheduler.level_at(place))
    if hasattr(scheduler, "sigmas"):
        return float(scheduler.sigmas[place])
    signal = scheduler.alphas_cumprod[int(timestep)]
    return float(((1 - signal) / signal) ** 0.5)
