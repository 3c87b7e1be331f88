"""One batch: from words and seeds to finished latents, through all passes of its job."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

import torch

from modules.engine.families.base import Asked, Words
from modules.engine.families.driver import drive
from modules.engine.families.latent_layout import Layout
from modules.engine.models.loaded_model import LoadedModel
from modules.engine.samplers.estimate import Step
from modules.engine.samplers.proxy import SchedulerProxy
from modules.engine.samplers.state import SamplingState, generators_from
from modules.jobs.kinds.base import ResolvedJob

OnStep = Callable[[int, int, Step], None]
OnPass = Callable[[int, int, int], None]
Content = Literal["Prompt", "Negative prompt", "Combined"]
# Return the model of a pass, and the words as it reads them. The model before is held by nobody meanwhile.
Switch = Callable[[int], tuple[LoadedModel, Words]]


class Batch:
    """The pictures that are drawn at once. `latest` and `steps_done` say how far they came when stopped.

    With `resume` it goes on from there, in the pass `at_pass`, to the same bits as if it had never stopped. `switch` is
    asked before each pass; without it all run with the same model.
    """

    def __init__(
        self,
        model: LoadedModel | None,
        words: Words,
        resolved: ResolvedJob,
        indices: Sequence[int],
        resume: SamplingState | None = None,
        at_pass: int = 0,
        switch: Switch | None = None,
    ) -> None:
        self._drawn_with = None if model is None else (model, words)
        self._switch = switch
        self._passes = resolved.passes
        self._indices = tuple(indices)
        self._resume = resume
        self._shown: SchedulerProxy | None = None
        self._layout: Layout | None = None
        self._said_alone: tuple[torch.Tensor, torch.Tensor] | None = None
        if resume is None:
            self._generators = [torch.Generator().manual_seed(resolved.seed_of(index)) for index in indices]
        else:
            self._generators = generators_from(resume.generators)
        self.at_pass = at_pass
        self.latest: Step | None = None if resume is None else resume.latest

    @property
    def indices(self) -> tuple[int, ...]:
        """Which pictures of the job these are."""
        return self._indices

    @property
    def standing(self) -> tuple[int, int]:
        """How many steps of how many the scheduler has done in this pass; (0, 0): it has not begun."""
        if self._shown is not None:
            return self._shown.standing
        return (0, 0) if self._resume is None else self._resume.standing

    @property
    def steps(self) -> int:
        """How many steps were asked for, in all passes."""
        return sum(one.step_count for one in self._passes)

    @property
    def steps_done(self) -> int:
        """How many of the steps that were asked for are done. Some samplers call the denoiser twice a step."""
        done, of = self.standing
        before, now = self._passes[: self.at_pass], self._passes[self.at_pass]
        return sum(one.step_count for one in before) + (done * now.step_count // of if of else 0)

    def shown(self, content: Content) -> Step | None:
        """Return the latest step as it is with guidance, or as it would be by the prompt or the negative one alone."""
        if self.latest is None or self._said_alone is None or content == "Combined":
            return self.latest
        positive, negative = self._said_alone
        return dataclasses.replace(self.latest, model_output=positive if content == "Prompt" else negative)

    def spatial(self, latents: torch.Tensor) -> torch.Tensor:
        """Return latents as they lie in the picture, (batch, channels, height, width), for previews."""
        return latents if self._layout is None else self._layout.spatial(latents)

    def state(self) -> SamplingState | None:
        """Return where the pass `at_pass` was when its last whole step ended; None: there is nothing yet to be kept.

        On the thread that samples: inside `on_step`, or after `sample` has ended, also by `Interrupted`, which comes
        while the denoiser works and so leaves the sampler as the last step left it.
        """
        return self._resume if self._shown is None else self._shown.state

    def sample(self, on_step: OnStep, on_pass: OnPass = lambda number, done, steps: None) -> torch.Tensor:
        """Return the latents as the last pass left them: (batch, …), float32.

        `on_step(done, steps, step)` is called after each step, on this thread, and must return at once; before each
        pass `on_pass(number, done, steps)`, where a resumed one has something `done`, and else nothing is known: 0, 0.

        Raises:
            Interrupted: the job was stopped before one of the denoiser's blocks.
        """
        latents, resume = None, self._resume
        if resume is not None:
            done, of = resume.standing
            if done < of:
                self._switch_to(self.at_pass)
            on_pass(self.at_pass, done, of)
            latents = resume.latents if done == of else self._run(self.at_pass, resume.latents, resume, on_step)
        for number in range(0 if latents is None else self.at_pass + 1, len(self._passes)):
            self._switch_to(number)
            on_pass(number, 0, 0)
            latents = self._run(number, latents, None, on_step)
        assert latents is not None
        return latents

    def _switch_to(self, number: int) -> None:
        """Have the model of a pass at hand."""
        if self._switch is not None:
            self._drawn_with = None
            self._drawn_with = self._switch(number)

    def _run(
        self, number: int, start: torch.Tensor | None, resume: SamplingState | None, on_step: OnStep
    ) -> torch.Tensor | None:
        """Run a pass from `start`, latents that belong to where it begins; None: from noise. Return what it leaves."""
        assert self._drawn_with is not None
        model, words = self._drawn_with
        one, family, pipeline = self._passes[number], model.family, model.pipeline
        said: list[torch.Tensor] = []

        def step_ended(step: Step, _latents: torch.Tensor) -> None:
            self._shown, self.at_pass, self.latest = shown, number, step
            self._said_alone = family.said_alone([_alike(one, step) for one in said], len(self._indices))
            said.clear()
            on_step(*shown.standing, step)

        self._layout = family.layout(pipeline, (one.width, one.height))
        sampler = family.sampler(pipeline, one.sampler_name, one.scheduler, one.steps, one.shift)
        shown = SchedulerProxy(sampler, self._generators, step_ended, begin=one.begin, end=one.end, state=resume)
        arguments = family.arguments(pipeline, words, Asked.by(one, len(self._indices)))
        with _heard(model, said):
            drive(pipeline, arguments | {"generator": self._generators}, shown, start, family.channels(pipeline))
        return shown.latents


def _alike(said: torch.Tensor, step: Step) -> torch.Tensor:
    """Return what the denoiser said as far as the step reads it: some say their doubt in as many channels more."""
    channels = step.model_output.shape[1]
    return said[:, :channels] if said.ndim == 4 and said.shape[1] == 2 * channels else said


@contextmanager
def _heard(model: LoadedModel, said: list[torch.Tensor]) -> Iterator[None]:
    """Keep what the denoiser says to both prompts, before the pipeline weighs them against each other."""
    heard = model.family.heard
    hook = model.denoiser.register_forward_hook(lambda _denoiser, _inputs, output: said.append(heard(output)))
    try:
        yield
    finally:
        hook.remove()
