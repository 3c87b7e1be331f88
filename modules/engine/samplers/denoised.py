"""What the denoiser believes the finished picture to be, at any step: for previews and for partial pictures."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class Step:
    """What one step of a sampler started from. Nothing is computed until somebody asks.

    `sample` and `model_output`: (batch, channels, height / 8, width / 8). With `exploding` the sample is
    x0 + sigma * noise, otherwise that divided by sqrt(1 + sigma²).
    """

    sample: torch.Tensor
    model_output: torch.Tensor
    sigma: float
    prediction_type: str
    exploding: bool

    def denoised(self, image: int | None = None) -> torch.Tensor:
        """Return the estimate of the finished latents, of one image of the batch or of all, as float32."""
        chosen = slice(None) if image is None else slice(image, image + 1)
        sample, output = self.sample[chosen].detach().float(), self.model_output[chosen].detach().float()
        if self.prediction_type == "sample":
            return output
        signal = 1.0 / math.sqrt(1.0 + self.sigma**2)
        preserving = sample * signal if self.exploding else sample
        if self.prediction_type == "v_prediction":
            return signal * preserving - self.sigma * signal * output
        return preserving / signal - self.sigma * output


class Observed:
    """Put before a scheduler class: it keeps what its latest step started from in `latest`."""

    latest: Step | None = None


def observe_steps(scheduler_class: type, exploding: bool) -> type:
    """Return a subclass of a diffusers scheduler that keeps its latest `Step`."""

    class Scheduler(Observed, scheduler_class):  # type: ignore[misc]  # the base is a parameter
        # Pipelines look at the signature of `step` to know whether it takes `eta` and `generator`.
        @functools.wraps(scheduler_class.step)  # type: ignore[attr-defined]
        def step(self, model_output: torch.Tensor, timestep: Any, sample: torch.Tensor, *rest: Any, **more: Any) -> Any:
            self.latest = Step(sample, model_output, self._sigma_now(timestep), self.config.prediction_type, exploding)
            return super().step(model_output, timestep, sample, *rest, **more)

        def _sigma_now(self, timestep: Any) -> float:
            if hasattr(self, "sigmas"):
                return float(self.sigmas[self.step_index or 0])
            signal = self.alphas_cumprod[int(timestep)]
            return float(((1 - signal) / signal) ** 0.5)

    return Scheduler
