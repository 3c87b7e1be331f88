"""What samplers share that look at a point amid each step: the denoiser is called twice, there and at the start.

Their noise levels and the points between them are those of diffusers' DPM2.
"""

from __future__ import annotations

from typing import Any

import torch

from modules.engine.samplers.estimate import estimate
from modules.engine.samplers.own_step import Generators, OwnStep
from modules.engine.samplers.terminal_noise import FromTerminalNoise


class LooksAmid(FromTerminalNoise):
    """Put before one of diffusers' DPM2 schedulers: it knows where the denoiser was asked, also amid a step.

    `middle_ahead`: how many places after that of the step its middle stands in `sigmas_interpol`.
    """

    middle_ahead: int
    sigmas: torch.Tensor
    sigmas_interpol: torch.Tensor
    timesteps: torch.Tensor
    state_in_first_order: bool

    def set_timesteps(
        self, num_inference_steps: int, device: Any = None, num_train_timesteps: int | None = None
    ) -> None:
        """Prepare the list."""
        if num_train_timesteps is not None:
            # The constructor asks for a step for each: a quarter of a second for a list that nobody looks at.
            num_inference_steps = 2
        super().set_timesteps(num_inference_steps, device, num_train_timesteps)  # type: ignore[misc]
        for name in ("sigmas_interpol", "sigmas_up", "sigmas_down"):
            if hasattr(self, name):  # Beside `sigmas`: numbers that are looked at would make the device wait.
                setattr(self, name, getattr(self, name).cpu())

    def level_at(self, place: int) -> torch.Tensor:
        """Return the noise level at which the denoiser is asked at a place of the list, also before it is there."""
        before_the_end = len(self.timesteps) - 1 - place
        if place == 0 or before_the_end % 2 == 0:  # the last step has one call, and the first may have one
            return self.sigmas[place]
        return self.sigmas_interpol[place - 1 + self.middle_ahead]


class TwoCalls(OwnStep, LooksAmid):
    """A sampler's step in two calls of the denoiser: to the point amid it, then from its start to its end.

    Put before one of diffusers' DPM2 schedulers, which counts both calls as places of its list.
    """

    def stepped(
        self: Any, model_output: torch.Tensor, timestep: Any, sample: torch.Tensor, generator: Generators
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Go to the point amid the step, or from the step's start to its end with what was seen there."""
        first = self.state_in_first_order
        at = self.step_index if first else self.step_index - 1
        level = self.level_at(self.step_index)
        denoised = estimate(sample, model_output, level, self.config.prediction_type, exploding=True)
        go = self._to_the_middle if first else self._to_the_end
        stepped = go(at, denoised, sample, generator)
        return stepped, denoised


def mend_far_steps(scheduler: Any) -> None:
    """Put right what rounding makes of a step from very far up, such as 4096, to almost nothing.

    There float32 finds the noise to add as large as that of the end or larger, and the point between is no number.
    """
    for first in range(0, len(scheduler.timesteps) - 1, 2):
        if scheduler.sigmas_down[first] > 0:
            continue
        start, end = scheduler.sigmas[first], scheduler.sigmas[first + 1]
        # Both places of a step but the very first, which has one.
        places = slice(max(first - 1, 0), first + 1)
        scheduler.sigmas_down[places] = end**2 / start
        scheduler.sigmas_interpol[places] = end  # amid the two, on the logarithmic scale
        scheduler.timesteps[first + 1] = scheduler.timesteps[first + 2]
