"""Any sampler of the table with a model that predicts a flow: the model is translated, and not the sampler.

A flow's sample is (1 - t) * clean + t * noise, and its model says noise - clean. Divided by 1 - t the sample is
clean + t / (1 - t) * noise, which samplers of the "exploding" kind know; divided by sqrt((1 - t)² + t²) it is what all
others know. The noise that the model sees is sample + (1 - t) * output. So it is a model of noise, whose noise level is
t / (1 - t): what a sampler adds to a sample on the way has the right variance, and nothing is left of it at the end.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from diffusers import SchedulerMixin
from diffusers.schedulers.scheduling_utils import SchedulerOutput

from modules.engine.samplers.estimate import is_exploding, level_of
from modules.engine.samplers.flow_levels import flow_levels
from modules.engine.samplers.over_levels import sampler_over
from modules.engine.samplers.places import begin_at, place_of

Generators = torch.Generator | list[torch.Generator] | None

# Noise alone has no level that is a number. This one is t = 0.99976.
_HIGHEST = 4096.0
# Two levels differ by at least this factor, also where t is as good as 1 for both.
_APART = 0.999
# From t = 0.98 on there is next to nothing but noise in a sample.
_FROM_NOISE = 0.98 / (1 - 0.98)


class FlowTranslation(SchedulerMixin):  # type: ignore[misc]  # diffusers is untyped
    """A scheduler that a flow pipeline takes for its `own`, and that runs a sampler for models of noise inside.

    The pipeline makes the list by the arguments of its own scheduler's method. With "Automatic" the steps are at the
    own scheduler's levels, with any other schedule type where that puts them, under the same shift. `timesteps` is what
    the denoiser is told: one for each call, and `sigmas` their t.
    """

    init_noise_sigma = 1.0

    def __init__(self, own: Any, sampler_name: str, schedule: str, steps: int) -> None:
        self.own = own
        self._sampler_name, self._schedule = sampler_name, schedule
        self._set_list(np.linspace(1.0, 1 / steps, steps), None, None)

    @property  # type: ignore[misc]  # so that `isinstance` answers for the model's own
    def __class__(self) -> type:
        return type(self.own)

    @property
    def config(self) -> Any:
        """The configuration of the model's own scheduler: pipelines read shifts from it."""
        return self.own.config

    @property
    def order(self) -> int:
        """How often the denoiser is called for a step."""
        return int(self.inner.order)

    @property
    def set_timesteps(self) -> Callable[..., None]:
        """Make the list. Pipelines look at the signature, which is that of the own scheduler's method."""
        return functools.wraps(self.own.set_timesteps)(functools.partial(self._set_timesteps))

    def set_begin_index(self, begin_index: int = 0) -> None:
        """Begin at this place of the list."""
        self._place = begin_index
        if hasattr(self.inner, "set_begin_index"):
            self.inner.set_begin_index(begin_index)

    def begin_at(self, step: int) -> int:
        """Begin at a step, and return its place; where the denoiser is called twice may depend on it."""
        place = begin_at(self.inner, step)
        self._read_list()
        self._place = place
        return place

    def place_of(self, step: int) -> int:
        """Return where in the list a step begins."""
        return place_of(self.inner, step)

    def scale_model_input(self, sample: torch.Tensor, *_arguments: Any, **_more: Any) -> torch.Tensor:
        """Return the sample: models of flows see it as it is."""
        return sample

    def scale_noise(self, sample: torch.Tensor, timestep: Any, noise: torch.Tensor) -> torch.Tensor:
        """Return `sample`, (batch, …), with the noise of a timestep, or of one for each of them."""
        part = torch.as_tensor(timestep, dtype=torch.float32, device=sample.device) / self._train_timesteps
        part = part.reshape(-1, *[1] * (sample.ndim - 1)).to(sample.dtype)
        return part * noise + (1 - part) * sample

    def noised_at(self, clean: torch.Tensor, noise: torch.Tensor, place: int) -> torch.Tensor:
        """Return `clean`, (batch, …), with the noise of a place of the list."""
        part = float(self.sigmas[place])
        return part * noise + (1 - part) * clean

    def step(
        self,
        model_output: torch.Tensor,
        timestep: Any,
        sample: torch.Tensor,
        generator: Generators = None,
        return_dict: bool = True,
    ) -> Any:
        """Do a step of the sampler; `timestep` is that of the place at which it stands."""
        place = self._place
        level, later = self._levels[place], self._levels[place + 1]
        noise = sample + model_output / (1 + level)
        known = sample / self._scale(level)
        asked = {"generator": generator} if _takes_generator(type(self.inner).step) else {}
        stepped = self.inner.step(noise, self.inner.timesteps[place], known, **asked).prev_sample * self._scale(later)
        self._place = place + 1
        stepped = stepped.to(sample.dtype)
        return SchedulerOutput(prev_sample=stepped) if return_dict else (stepped,)

    @property
    def _train_timesteps(self) -> int:
        return int(self.config.num_train_timesteps)

    def _scale(self, level: float) -> float:
        """Return what a flow's sample is of that which the sampler knows."""
        whole: float = 1 / (1 + level)
        return whole if is_exploding(self.inner) else whole * (1 + level**2) ** 0.5

    def _set_timesteps(self, *arguments: Any, **more: Any) -> None:
        """Let the model's own scheduler make its list, and take the steps from there."""
        given = inspect.signature(self.own.set_timesteps).bind(*arguments, **more).arguments
        self.own.set_timesteps(*arguments, **more)
        own = self.own.timesteps
        device = own.device
        if self._schedule == "Automatic":
            levels = np.asarray(self.own.sigmas[: len(own)].double().cpu().numpy())
            self._set_list(levels, own.double().cpu().numpy(), device)
        else:
            self._set_list(flow_levels(self._schedule, len(own), self.config, given.get("mu")), None, device)

    def _set_list(self, parts: np.ndarray, timesteps: np.ndarray | None, device: Any) -> None:
        """Make the list from t of each step, and what the denoiser is told there; None: that follows from t."""
        levels = _levels_of(parts)
        made = sampler_over(self._sampler_name, levels, _FROM_NOISE)
        made.set_timesteps(len(levels), device=device)
        self.inner = made.scheduler
        told = parts * self._train_timesteps if timesteps is None else timesteps
        # By level, as the sampler keeps it: some are asked twice, and some samplers ask between them.
        self._told = [float(timestep) for timestep in told]
        self._of_steps = [float(level) for level in np.asarray(levels, np.float32)]
        self._device = str(self.inner.timesteps.device)
        self.num_inference_steps = len(levels)
        self._read_list()
        self.set_begin_index(0)

    def _read_list(self) -> None:
        """Ask the sampler at which level it stands at each place, and so what the denoiser is told there."""
        inner = self.inner
        self._levels = [level_of(inner, place, timestep) for place, timestep in enumerate(inner.timesteps)] + [0.0]
        known = dict(zip(self._of_steps, self._told, strict=True))
        asked = np.asarray(self._levels[:-1], np.float32)
        told = [known.get(float(level), self._train_timesteps * level / (1 + level)) for level in asked]
        self.timesteps = torch.tensor(told, dtype=torch.float32, device=self._device)
        self.sigmas = torch.tensor([level / (1 + level) for level in self._levels])


@functools.cache
def _takes_generator(step: Callable[..., Any]) -> bool:
    return "generator" in inspect.signature(step).parameters


def _levels_of(parts: np.ndarray) -> list[float]:
    """Return noise over signal for t of each step, each below the one before."""
    levels: list[float] = []
    highest = _HIGHEST
    for part in parts:
        level = float(part / (1 - part)) if part < 1 else highest
        levels.append(min(level, highest))
        highest = levels[-1] * _APART
    return levels
