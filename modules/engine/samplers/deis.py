"""DEIS that ends without noise."""

from __future__ import annotations

import functools
from typing import Any

import torch
from diffusers import DEISMultistepScheduler
from diffusers.schedulers.scheduling_utils import SchedulerOutput


class CleanDEIS(DEISMultistepScheduler):  # type: ignore[misc]  # diffusers is untyped
    """The stock one, whose last step goes to no noise instead of to the lowest level that the model was trained on."""

    def step(
        self, model_output: torch.Tensor, timestep: Any, sample: torch.Tensor, return_dict: bool = True, **more: Any
    ) -> Any:
        """Do the stock step; the last one gives what the denoiser believes the finished latents to be."""
        if self.step_index is None:
            self._init_step_index(timestep)
        signal, noise = self._sigma_to_alpha_sigma_t(self.sigmas[self.step_index])
        stepped = super().step(model_output, timestep, sample, return_dict=False, **more)[0]
        if self.step_index == len(self.timesteps):
            kind = self.config.prediction_type
            if kind == "epsilon":
                stepped = (sample - noise * model_output) / signal
            else:
                stepped = signal * sample - noise * model_output if kind == "v_prediction" else model_output
        return SchedulerOutput(prev_sample=stepped) if return_dict else (stepped,)

    step = functools.wraps(DEISMultistepScheduler.step)(step)  # pipelines look at its signature
