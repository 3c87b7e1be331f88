"""One batch: from words and seeds to finished latents, through all passes of its job."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import torch

from modules.engine.families.base import Asked, Words
from modules.engine.families.driver import drive
from modules.engine.families.latent_layout import Layout
from modules.engine.families.telling import Told
from modules.engine.models.loaded_model import LoadedModel
from modules.engine.samplers.blending import Blend
from modules.engine.samplers.estimate import Step
from modules.engine.samplers.proxy import Sampler, SchedulerProxy
from modules.engine.samplers.state import SamplingState, generators_from
from modules.engine.work.beginning import Beginning
from modules.engine.work.conditioning import conditioning_of
from modules.engine.work.noising import begun, from_noise
from modules.engine.work.seeds import Seeds
from modules.engine.work.tiled_denoiser import in_tiles
from modules.engine.work.wording import Script
from modules.jobs.kinds.base import Pass, ResolvedJob

OnStep = Callable[[int, int, Step], None]
OnPass = Callable[[int, int, int], None]
Content = Literal["Prompt", "Negative prompt", "Combined"]


@dataclass(frozen=True)
class Ready:
    """What a pass runs with: a model, the words as it reads them, and what it begins with.

    Without a `beginning` that is noise, or else what the pass before it left. The model is `told` of pictures, or not.
    With a `script` the words are those of its first scene.
    """

    model: LoadedModel
    words: Words
    beginning: Beginning | None = None
    told: Told | None = None
    script: Script | None = None


# Return what the pass with this number runs with. Told what the pass before it left, if there was one, and whether the
# pass goes on amid its steps. The model before is held by nobody meanwhile.
Switch = Callable[[int, torch.Tensor | None, bool], Ready]


class Batch:
    """The pictures that are drawn at once. `latest` and `steps_done` say how far they came when stopped.

    With `resume` it goes on from there, in the pass `at_pass`, to the same bits as if it had never stopped. `switch` is
    asked before each pass; without it all run with the same model. `latest` is a step of the pass `latest_pass`. The
    denoiser sees `tile` pixels a side at a time, or as many as the pass says if that is less; None: all.
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
        tile: int | None = None,
    ) -> None:
        self._ready = None if model is None else Ready(model, words)
        self._switch = switch
        self._tile = tile
        self._on_begun: Callable[[], None] = lambda: None
        self._passes = resolved.passes
        self._indices = tuple(indices)
        self._resume = resume
        self._shown: SchedulerProxy | None = None
        self._layout: Layout | None = None
        self._said_alone: tuple[torch.Tensor, torch.Tensor] | None = None
        self._blend: Blend | None = None
        self._seeds = Seeds.of(resolved, indices)
        self._generators = self._seeds.generators() if resume is None else generators_from(resume.generators)
        self.at_pass = at_pass
        self.latest: Step | None = None if resume is None else resume.latest
        # One that was stopped before its first step has the latest step of the pass before.
        self.latest_pass = at_pass if resume is None or resume.standing[0] else max(at_pass - 1, 0)

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
        alone = dataclasses.replace(self.latest, model_output=positive if content == "Prompt" else negative)
        return alone if self._blend is None else self._blend.blended(alone)

    def spatial(self, latents: torch.Tensor) -> torch.Tensor:
        """Return latents as they lie in the picture, (batch, channels, height, width), for previews."""
        return latents if self._layout is None else self._layout.spatial(latents)

    def state(self) -> SamplingState | None:
        """Return where the pass `at_pass` was when its last whole step ended; None: there is nothing yet to be kept.

        A pass that begins with pictures, or with what was enlarged, can be kept as soon as it has its noise.

        On the thread that samples: inside `on_step`, or after `sample` has ended, also by `Interrupted`, which comes
        while the denoiser works and so leaves the sampler as the last step left it.
        """
        return self._resume if self._shown is None else self._shown.state

    def sample(
        self,
        on_step: OnStep,
        on_pass: OnPass = lambda number, done, steps: None,
        on_begun: Callable[[], None] = lambda: None,
    ) -> torch.Tensor:
        """Return the latents as the last pass left them: (batch, …), float32.

        `on_step(done, steps, step)` is called after each step, on this thread, and must return at once; before each
        pass `on_pass(number, done, steps)`, where a resumed one has something `done`, and else nothing is known: 0, 0;
        and `on_begun` once a pass that does not begin with noise alone has its noise.

        Raises:
            Interrupted: the job was stopped before one of the denoiser's blocks.
        """
        self._on_begun = on_begun
        latents, resume = None, self._resume
        if resume is not None:
            done, of = resume.standing
            if done < of:
                self._switch_to(self.at_pass, None, resumed=True)
            on_pass(self.at_pass, done, of)
            latents = resume.latents if done == of else self._run(self.at_pass, resume.latents, resume, on_step)
        for number in range(0 if latents is None else self.at_pass + 1, len(self._passes)):
            self._switch_to(number, latents)
            on_pass(number, 0, 0)
            latents = self._run(number, latents, None, on_step)
        assert latents is not None
        return latents

    def _switch_to(self, number: int, left: torch.Tensor | None, resumed: bool = False) -> None:
        """Have at hand what a pass runs with."""
        if self._switch is not None:
            self._ready = None
            self._ready = self._switch(number, left, resumed)

    def _tile_of(self, one: Pass) -> int | None:
        return min((tile for tile in (one.tile, self._tile) if tile), default=None)

    def _run(
        self, number: int, start: torch.Tensor | None, resume: SamplingState | None, on_step: OnStep
    ) -> torch.Tensor | None:
        """Run a pass from `start`, latents that belong to where it begins; None: from noise. Return what it leaves."""
        assert self._ready is not None
        model, words, beginning = self._ready.model, self._ready.words, self._ready.beginning
        one, family, pipeline = self._passes[number], model.family, model.pipeline
        said: list[torch.Tensor] = []

        def pass_begun() -> None:
            self._shown, self.at_pass = shown, number
            self._on_begun()

        def step_ended(step: Step, _latents: torch.Tensor) -> None:
            self._shown, self.at_pass, self.latest, self.latest_pass = shown, number, step, number
            self._said_alone = family.said_alone([_alike(one, step) for one in said], len(self._indices))
            said.clear()
            on_step(*shown.standing, step)

        self._blend = None if beginning is None else beginning.blend
        self._layout = family.layout(pipeline, (one.width, one.height))
        arguments = self._arguments(one, self._ready, words)
        if resume is None and beginning is not None and not beginning.goes_on:
            start = self._begun(number, self._ready, arguments)
        elif resume is None and start is None and not self._seeds.are_plain:
            start = self._from_noise(number, model, arguments)
        shown = SchedulerProxy(
            _sampler(model, one), self._generators, step_ended, begin=one.begin, end=one.end, state=resume,
            blend=self._blend, start=start, begun=pass_begun, latest=self.latest,
        )  # fmt: skip
        with family.mending(pipeline), _telling(self._ready):
            conditioning = conditioning_of(
                model, self._ready.script, partial(self._arguments, one, self._ready), len(self._indices)
            )
            asked = nullcontext() if conditioning is None else conditioning.answering(shown)
            with _heard(model, said), in_tiles(model, (one.width, one.height), self._tile_of(one)), asked:
                drive(pipeline, arguments | {"generator": self._generators}, shown, start, family.channels(pipeline))
        return shown.latents

    def _arguments(self, one: Pass, ready: Ready, words: Words) -> dict[str, Any]:
        """Return the arguments of the pipeline's call in a pass, without generators."""
        family = ready.model.family
        arguments = family.arguments(ready.model.pipeline, words, Asked.by(one, len(self._indices)))
        return arguments if ready.told is None else arguments | family.told_arguments(ready.told)

    def _begun(self, number: int, ready: Ready, arguments: Mapping[str, Any]) -> torch.Tensor:
        """Return what a pass starts from: what it begins with, under the noise of its first step.

        A second pass draws that anew from the pictures' seeds, as A1111 does: it is that of img2img with these.
        """
        assert ready.beginning is not None
        if number > 0:
            self._generators = self._seeds.generators()
        one, given = self._passes[number], {**arguments, "generator": self._generators}
        sampler = _sampler(ready.model, one)
        start = begun(ready.model, given, sampler, ready.beginning, one.begin, self._seeds)
        self._generators = self._seeds.generators_after(self._generators)
        return start

    def _from_noise(self, number: int, model: LoadedModel, arguments: Mapping[str, Any]) -> torch.Tensor:
        """Return what a first pass starts from whose noise is not that which the pipeline would draw."""
        given = {**arguments, "generator": self._generators}
        start = from_noise(model, given, _sampler(model, self._passes[number]), self._seeds)
        self._generators = self._seeds.generators_after(self._generators)
        return start


def _sampler(model: LoadedModel, one: Pass) -> Sampler:
    """Return the sampler of a pass, as good as new."""
    return model.family.sampler(model.pipeline, one.sampler_name, one.scheduler, one.steps, one.shift, one.noise)


def _telling(ready: Ready) -> AbstractContextManager[None]:
    """Have the denoiser told of pictures, where it is."""
    told = None if ready.told is None else ready.model.family.telling(ready.model.pipeline, ready.told)
    return nullcontext() if told is None else told


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
