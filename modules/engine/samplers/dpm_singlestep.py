"""Samplers that look at a point amid each step: DPM++ SDE and DPM++ 2S a, and what all of their kind share.

diffusers has neither: its DPMSolverSDEScheduler draws noise from torchsde by a seed alone, not from the generators of
the pictures. Both here take the noise levels and points between them from diffusers' DPM2, which has the same.
Source: the samplers of the same names in k-diffusion, after https://arxiv.org/abs/2211.01095.
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers import KDPM2AncestralDiscreteScheduler, KDPM2DiscreteScheduler
from diffusers.schedulers.scheduling_utils import SchedulerOutput
from diffusers.utils.torch_utils import randn_tensor

Generators = torch.Generator | list[torch.Generator] | None


class _TwoCalls:
    """A sampler's step in two calls of the denoiser: to the point amid it, then from its start to its end.

    Put before a scheduler class of diffusers that counts both calls as places of its list.
    """

    def step(
        self: Any,
        model_output: torch.Tensor,
        timestep: Any,
        sample: torch.Tensor,
        generator: Generators = None,
        return_dict: bool = True,
    ) -> Any:
        """Go to the point amid the step, or from the step's start to its end with what was seen there."""
        if self.step_index is None:
            self._init_step_index(timestep)
        first = self.state_in_first_order
        at = self.step_index if first else self.step_index - 1
        start, middle, _ = self._levels(at)
        denoised = denoised_of(self, model_output, sample, start if first else middle)
        go = self._to_the_middle if first else self._to_the_end
        stepped = go(at, denoised, sample, generator)
        self._step_index += 1
        return SchedulerOutput(prev_sample=stepped) if return_dict else (stepped, denoised)


class DPMppSDE(_TwoCalls, KDPM2DiscreteScheduler):  # type: ignore[misc]  # diffusers is untyped
    """DPM++ SDE: two calls of the denoiser a step, noise after each.

    The noise of a whole step and that of its first half are of one Brownian motion over the noise level. A step asks
    for no more than its own two pieces, so they are drawn as they come, and no tree of them is needed.
    """

    sample: torch.Tensor | None
    motion: torch.Tensor | None = None

    def set_timesteps(self, *arguments: Any, **more: Any) -> None:
        """Prepare the list."""
        super().set_timesteps(*arguments, **more)
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
        noise = _noise_like(sample, generator)
        self.sample, self.motion = sample, (start - middle).sqrt() * noise
        return _with_noise(sample, denoised, start, middle, noise)

    def _to_the_end(self, at: int, denoised: torch.Tensor, sample: torch.Tensor, generator: Generators) -> torch.Tensor:
        assert self.sample is not None and self.motion is not None
        start, middle, end = self._levels(at)
        motion = self.motion + (middle - end).sqrt() * _noise_like(sample, generator)
        stepped = _with_noise(self.sample, denoised, start, end, motion / (start - end).sqrt())
        self.sample = self.motion = None
        return stepped


class DPMpp2SAncestral(_TwoCalls, KDPM2AncestralDiscreteScheduler):  # type: ignore[misc]  # diffusers is untyped
    """DPM++ 2S a: two calls of the denoiser a step, noise after the second."""

    sample: torch.Tensor | None

    def _levels(self, at: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return the noise levels of the step's start, middle and end."""
        return self.sigmas[at], self.sigmas_interpol[at], self.sigmas_down[at]

    def _to_the_middle(
        self, at: int, denoised: torch.Tensor, sample: torch.Tensor, generator: Generators
    ) -> torch.Tensor:
        start, middle, _ = self._levels(at)
        self.sample = sample
        return torch.lerp(denoised, sample, (middle / start).item())

    def _to_the_end(self, at: int, denoised: torch.Tensor, sample: torch.Tensor, generator: Generators) -> torch.Tensor:
        assert self.sample is not None
        start, _, end = self._levels(at)
        noise = _noise_like(sample, generator) * self.sigmas_up[at]
        stepped: torch.Tensor = torch.lerp(denoised, self.sample, (end / start).item()) + noise
        self.sample = None
        return stepped


def denoised_of(scheduler: Any, model_output: torch.Tensor, sample: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
    """Return the estimate of the finished latents from a sample that is x0 + sigma * noise."""
    kind = scheduler.config.prediction_type
    if kind == "epsilon":
        return sample - sigma * model_output
    if kind == "v_prediction":
        return sample / (sigma**2 + 1) - model_output * (sigma / (sigma**2 + 1) ** 0.5)
    return model_output


def know_the_middle(scheduler_class: type, ahead: int) -> type:
    """Return a subclass that knows at which noise level the denoiser was asked, also amid a step.

    `ahead`: how many places after that of the step its middle stands in `sigmas_interpol`.
    """

    class Scheduler(scheduler_class):  # type: ignore[misc]  # the base is a parameter
        def set_timesteps(
            self, num_inference_steps: int, device: Any = None, num_train_timesteps: int | None = None
        ) -> None:
            if num_train_timesteps is not None:
                # The constructor asks for a step for each: a quarter of a second for a list that nobody looks at.
                num_inference_steps = 2
            super().set_timesteps(num_inference_steps, device, num_train_timesteps)
            for name in ("sigmas_interpol", "sigmas_up", "sigmas_down"):
                if hasattr(self, name):  # Beside `sigmas`: numbers that are looked at would make the device wait.
                    setattr(self, name, getattr(self, name).cpu())
            if hasattr(self, "sigmas_down"):
                _mend_far_steps(self)

        def _sigma_now(self, timestep: Any) -> float:
            if self.state_in_first_order:
                return float(self.sigmas[self.step_index or 0])
            return float(self.sigmas_interpol[self.step_index - 1 + ahead])

    return Scheduler


def _mend_far_steps(scheduler: Any) -> None:
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


def _with_noise(
    sample: torch.Tensor, denoised: torch.Tensor, start: torch.Tensor, end: torch.Tensor, noise: torch.Tensor
) -> torch.Tensor:
    """Go from one noise level to another, half of the way down by new noise."""
    kept = (end / start) ** 2
    up = (end**2 * (1 - kept)) ** 0.5
    return torch.lerp(denoised, sample, kept.item()) + up * noise


def _noise_like(sample: torch.Tensor, generator: Generators) -> torch.Tensor:
    noise: torch.Tensor = randn_tensor(sample.shape, generator=generator, device=sample.device, dtype=sample.dtype)
    return noise
