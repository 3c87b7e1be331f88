"""What samplers share that do their steps themselves, over the noise levels of one of diffusers' schedulers."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import torch
from diffusers.schedulers.scheduling_utils import SchedulerOutput
from diffusers.utils.torch_utils import randn_tensor

Generators = torch.Generator | list[torch.Generator] | None


class OwnStep:
    """Put before a scheduler whose list and levels are right: `stepped` is all that differs."""

    def step(
        self: Any,
        model_output: torch.Tensor,
        timestep: Any,
        sample: torch.Tensor,
        generator: Generators = None,
        return_dict: bool = True,
    ) -> Any:
        """Go on from the place where the scheduler stands; the first time that is the place of `timestep`."""
        if self.step_index is None:
            self._init_step_index(timestep)
        stepped, seen = self.stepped(model_output, timestep, sample, generator)
        self._step_index += 1
        return SchedulerOutput(prev_sample=stepped) if return_dict else (stepped, seen)

    @abstractmethod
    def stepped(
        self, model_output: torch.Tensor, timestep: Any, sample: torch.Tensor, generator: Generators
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the sample after the call of the denoiser that answered `model_output`, and what it takes for the
        finished latents: (batch, …) each.
        """


def noise_like(sample: torch.Tensor, generator: Generators) -> torch.Tensor:
    """Return noise from the generators of the pictures."""
    noise: torch.Tensor = randn_tensor(sample.shape, generator=generator, device=sample.device, dtype=sample.dtype)
    return noise
