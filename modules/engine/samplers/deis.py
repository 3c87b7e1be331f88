"""DEIS that ends without noise."""

from __future__ import annotations

import functools
from typing import Any

import torch
from diffusers import DEISMultistepScheduler
from diffusers.schedulers.scheduling_utils import SchedulerOutput

from modules.engine.samplers.estimate import estimate
from modules.engine.samplers.terminal_noise import FromTerminalNoise


class DEIS(FromTerminalNoise, DEISMultistepScheduler):  # type: ignore[misc]  # diffusers is untyped
    """The stock one, whose last step goes to no noise instead of to the lowest level that the model was trained on."""

    def step(
        self, model_output: torch.Tensor, timestep: Any, sample: torch.Tensor, return_dict: bool = True, **more: Any
    ) -> Any:
        """Do the stock step; the last one gives what the denoiser believes the finished latents to be."""
        stepped = super().step(model_output, timestep, sample, return_dict=False, **more)[0]
        if self.step_index == len(self.timesteps):
            sigma = self.sigmas[self.step_index - 1]
            stepped = estimate(sample, model_output, sigma, self.config.prediction_type, exploding=False)
        return SchedulerOutput(prev_sample=stepped) if return_dict else (stepped,)

    step = functools.wraps(DEISMultistepScheduler.step)(step)  # pipelines look at its signature
