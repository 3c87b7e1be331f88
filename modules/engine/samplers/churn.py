"""Euler, Heun and DPM2 that are thrown back into more noise before each step.

Source: Karras et al. (2022), https://arxiv.org/abs/2206.00364, algorithm 2, and the samplers of these names in
k-diffusion. diffusers adds the noise after it has asked the denoiser, which sees another sample than the step starts
from; here a step ends with the noise of the next one, so that the denoiser is asked at the level that it is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import torch

from modules.engine.samplers.estimate import estimate
from modules.engine.samplers.own_step import Generators, OwnStep, noise_like
from modules.engine.samplers.stock import Euler

Method = Literal["Euler", "Heun", "DPM2"]
METHODS: Mapping[str, Method] = {"Euler": "Euler", "Heun": "Heun", "DPM2": "DPM2"}
# No step is thrown back by more than this.
_MOST = 2**0.5 - 1


class Churned(OwnStep, Euler):
    """One of the three, over the levels that Euler would have.

    `starts` are those at which steps begin, with their noise, and `ends` those at which they end: without it. `sigmas`
    and `timesteps` are what the denoiser is told at each call.
    """

    method: Method = "Euler"
    churn = 0.0
    lowest = 0.0
    highest = float("inf")
    strength = 1.0
    order = 1
    starts: torch.Tensor
    ends: torch.Tensor
    sigmas: torch.Tensor
    sample: torch.Tensor | None = None
    slope: torch.Tensor | None = None
    timesteps: torch.Tensor
    num_inference_steps: int

    def set_timesteps(self, *arguments: Any, **more: Any) -> None:
        """Make Euler's list; `throw_back` makes that of the method of it."""
        self.order = 1
        self.sample = self.slope = None
        super().set_timesteps(*arguments, **more)

    def throw_back(self) -> None:
        """Raise the levels at which steps begin, and put in the second calls of those that have two."""
        plain = self.sigmas.double().cpu()
        count = len(plain) - 1
        factor = 1 + min(self.churn / count, _MOST)
        highest = min(self.highest, self.plain_sigma_max or self.highest)
        churned = (plain[:-1] >= self.lowest) & (plain[:-1] <= highest)
        self.starts, self.ends = torch.where(churned, plain[:-1] * factor, plain[:-1]), plain[1:]
        known = dict(zip(plain[:-1].tolist(), self.timesteps.tolist(), strict=True))
        levels: list[float] = []
        for start, end in zip(self.starts.tolist(), self.ends.tolist(), strict=True):
            levels.append(start)
            if end > 0 and self.method != "Euler":
                levels.append(end if self.method == "Heun" else (start * end) ** 0.5)
        told = [known[level] if level in known else self._timestep_of(level) for level in levels]
        self.timesteps = torch.tensor(told, dtype=torch.float32, device=self.timesteps.device)
        self.sigmas = torch.tensor([*levels, 0.0], dtype=torch.float32)
        self.order = 1 if self.method == "Euler" else 2

    def noised_at(self, clean: torch.Tensor, noise: torch.Tensor, place: int) -> torch.Tensor:
        """Return `clean`, (batch, …), with the noise of a place of the list."""
        return clean + noise * float(self.sigmas[place])

    def stepped(
        self: Any, model_output: torch.Tensor, timestep: Any, sample: torch.Tensor, generator: Generators
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Go from the start of a step to its end, or to where it asks once more, and add the noise of the next one."""
        place = self.step_index
        number = place // self.order
        denoised = estimate(sample, model_output, self.sigmas[place], self.config.prediction_type, exploding=True)
        slope = (sample - denoised) / float(self.sigmas[place])
        start, end = float(self.starts[number]), float(self.ends[number])
        if self.sample is not None:
            mean = (self.slope + slope) / 2 if self.method == "Heun" else slope
            stepped, self.sample, self.slope = self.sample + mean * (end - start), None, None
            stepped = self._thrown_back(stepped, number, generator)
        elif self.order == 2 and end > 0:
            self.sample, self.slope = sample, slope
            stepped = sample + slope * (float(self.sigmas[place + 1]) - start)
        else:
            stepped = denoised if end == 0 else self._thrown_back(sample + slope * (end - start), number, generator)
        return stepped, denoised

    def _thrown_back(self, sample: torch.Tensor, number: int, generator: Generators) -> torch.Tensor:
        """Return a sample at the end of a step with the noise that the next one starts with."""
        end, start = float(self.ends[number]), float(self.starts[number + 1])
        if start <= end:
            return sample
        raised: float = (start**2 - end**2) ** 0.5
        return sample + self.strength * raised * noise_like(sample, generator)

    def _timestep_of(self, level: float) -> float:
        signal = self.alphas_cumprod.double().cpu()
        log_levels = (((1 - signal) / signal) ** 0.5).log().numpy()
        return float(self._sigma_to_t(torch.tensor(level, dtype=torch.float64).numpy(), log_levels))
