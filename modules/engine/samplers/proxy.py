"""What a pipeline is shown in the place of a scheduler, and through which every step of it is seen.

Pipelines differ in nearly all they do around their loop, but all of them ask a scheduler for a list, go through it and
call `step`. So this is where a pass begins at any place, and where it is watched.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from modules.engine.samplers.blending import Blend
from modules.engine.samplers.estimate import Step, step_of
from modules.engine.samplers.places import begin_at, place_of
from modules.engine.samplers.state import SamplingState, restore, take_state


@dataclass(frozen=True)
class Sampler:
    """A scheduler of diffusers, and what is put right in its list, in this order, whenever it has made one."""

    scheduler: Any
    mends: tuple[Callable[[Any], None], ...] = ()

    def set_timesteps(self, *arguments: Any, **more: Any) -> None:
        """Make the list, by the arguments of the scheduler's own method."""
        self.scheduler.set_timesteps(*arguments, **more)
        for mend in self.mends:
            mend(self.scheduler)


# Told after each step what it started from, and the latents that came of it.
Watch = Callable[[Step, torch.Tensor], None]


def _nobody(step: Step, latents: torch.Tensor) -> None:
    """Watch nothing."""


def _nothing() -> None:
    """Do nothing."""


class SchedulerProxy:
    """A scheduler as a pipeline is to see it: its list from one place to another. One for each run; never copied.

    `begin` and `end` count the steps that the pipeline asks for; with a `state` it goes on from there. The scheduler
    itself keeps its whole list, since some look at its length. `generators` are those of the pictures: flow pipelines
    forget to hand them to a sampler that draws noise. `place` is the one of the list that is next, and `latest` and
    `latents` are what the last step started from and gave. With `unit_noise` the pipeline leaves its noise as it is
    drawn, instead of making it as strong as the first step has it. With a `blend` a part of the picture is known: steps
    are told as if the denoiser knew it, and at the end of the list `latents` hold just that. One that begins with other
    things than noise is told what the pipeline is given as its `start`: as soon as there is a list, of which `begun` is
    told, that is a state to go on from. `latest` is then what it is before the first step.
    """

    def __init__(
        self,
        sampler: Sampler,
        generators: Sequence[torch.Generator] = (),
        watch: Watch = _nobody,
        begin: int = 0,
        end: int | None = None,
        state: SamplingState | None = None,
        unit_noise: bool = False,
        blend: Blend | None = None,
        start: torch.Tensor | None = None,
        begun: Callable[[], None] = _nothing,
        latest: Step | None = None,
    ) -> None:
        self._sampler = sampler
        self._scheduler = sampler.scheduler
        self._generators = list(generators)
        self._watch = watch
        self._begin, self._end, self._state = begin, end, state
        self._unit_noise = unit_noise
        self._blend = blend
        self._start, self._begun = start, begun
        self._first = 0
        self._shown = slice(0, None)
        self._signature = inspect.signature(self._scheduler.step)
        self.place = 0 if state is None else state.place
        self.latest: Step | None = latest if state is None else state.latest
        self.latents: torch.Tensor | None = None

    @property  # type: ignore[misc]  # so that `isinstance` answers for the scheduler
    def __class__(self) -> type:
        kind: type = self._scheduler.__class__  # what it answers for itself, not `type` of it
        return kind

    @property
    def timesteps(self) -> Any:
        """The part of the list that is to be done."""
        return self._scheduler.timesteps[self._shown]

    @property
    def set_timesteps(self) -> Callable[..., None]:
        """Make the list. Pipelines look at the signature, which is that of the scheduler's own method."""
        return functools.wraps(self._scheduler.set_timesteps)(functools.partial(self._set_timesteps))

    @property
    def step(self) -> Callable[..., Any]:
        """Do a step. Pipelines look at the signature, which is that of the scheduler's own method."""
        return functools.wraps(self._scheduler.step)(functools.partial(self._step))

    def scale_model_input(self, sample: torch.Tensor, *arguments: Any, **more: Any) -> Any:
        """Return what the denoiser is given. Schedulers of flows have nothing to scale, yet some pipelines ask them."""
        own = getattr(self._scheduler, "scale_model_input", None)
        return sample if own is None else own(sample, *arguments, **more)

    def __getattr__(self, name: str) -> Any:
        own = getattr(self._scheduler, name)
        if name == "init_noise_sigma" and self._unit_noise:
            return 1.0
        return self._set_begin_index if name == "set_begin_index" else own

    @property
    def state(self) -> SamplingState | None:
        """Where the last whole step ended, or where it goes on from; None: it is at its beginning."""
        if self.latents is None:
            return self._state
        return take_state(
            self.place, self.latents, self._scheduler, self._generators, self.latest, self._first, self._shown.stop
        )

    @property
    def standing(self) -> tuple[int, int]:
        """How many places of how many are done, as soon as there is a list."""
        places = len(self._scheduler.timesteps) if self._shown.stop is None else self._shown.stop
        return self.place - self._first, places - self._first

    def calls_since(self, step: int) -> int:
        """Return how often the denoiser was asked since a step of the list, up to the place that is next."""
        return self.place - place_of(self._scheduler, step)

    def unwatch(self) -> None:
        """Tell nobody any more: who watches may hold it, and the two would keep each other in memory."""
        self._watch, self._begun = _nobody, _nothing

    def _set_timesteps(self, *arguments: Any, **more: Any) -> None:
        self._sampler.set_timesteps(*arguments, **more)
        self._first = begin_at(self._scheduler, self._begin)
        if self._state is None:
            self.place = self._first
        else:
            restore(self._scheduler, self._state)
        self._shown = slice(self.place, None if self._end is None else place_of(self._scheduler, self._end))
        if self._state is None and self._start is not None:
            self.latents = self._start
            self._begun()

    def _set_begin_index(self, begin_index: int = 0) -> None:
        if self._state is None:
            self._scheduler.set_begin_index(self.place + begin_index)

    def _step(self, *arguments: Any, **more: Any) -> Any:
        bound = self._signature.bind(*arguments, **more)
        values = bound.arguments
        if "generator" in self._signature.parameters and self._generators and values.get("generator") is None:
            values["generator"] = self._generators
        latest = step_of(self._scheduler, self.place, values["timestep"], values["sample"], values["model_output"])
        if self._blend is not None:
            latest = self._blend.blended(latest)
            values["model_output"] = latest.output_in(values["model_output"])
        stepped = self._scheduler.step(*bound.args, **bound.kwargs)
        self.place += 1
        self.latest = latest
        self.latents = stepped[0] if isinstance(stepped, tuple) else stepped.prev_sample
        if self._blend is not None and self.place == len(self._scheduler.timesteps):
            self.latents = self._blend.ended(self.latents)
        self._watch(latest, self.latents)
        return stepped
