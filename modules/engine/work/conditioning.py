"""A denoiser that is told other words as the steps go on, and several prompts at once, whose answers are added up.

The pipeline is called with the words of the first step. Whatever it makes of them for its denoiser is replaced, at each
call, by what it would make of the words of that moment; so it goes for every family, and for samplers that call twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from modules.engine.families.base import Words
from modules.engine.families.denoiser_calls import Changes, DenoiserCall, Forward, answering, calls_of_a_step
from modules.engine.families.reading import Texts
from modules.engine.models.loaded_model import LoadedModel
from modules.engine.samplers.proxy import SchedulerProxy
from modules.engine.work.wording import Scene, Script
from modules.errors import ModelError


@dataclass(frozen=True)
class _Asked:
    """What is to be changed in the calls of a step so that they ask about a scene.

    `prompts`: for each prompt that is added up, in each of the calls. `negative`: what makes the first call ask about
    the negative prompt alone; None: it is half of that call.
    """

    prompts: tuple[tuple[Changes, ...], ...]
    negative: Changes | None = None


class Conditioning:
    """What a denoiser is asked in a pass. It is prepared before the first step, on the thread that draws.

    `arguments` are those of the pipeline's call beside the words, for so many `pictures`.

    Raises:
        Interrupted: the job was stopped between two layers of a text encoder.
        ModelError: prompts are to be added up, and the model has guidance of its own.
    """

    def __init__(
        self, model: LoadedModel, script: Script, arguments: Callable[[Words], Mapping[str, Any]], pictures: int
    ) -> None:
        self._model, self._script, self._pictures = model, script, pictures
        self._arguments = arguments
        self._base = self._calls(script.first)
        device = model.pipeline._execution_device
        self._weights = [torch.tensor(weights, device=device) for weights in script.wording.weights]
        self._known: dict[tuple[Texts, Texts], tuple[Changes, ...]] = {}
        self._scenes = {scene: self._asked(scene) for scene in dict(script.wording.scenes).values()}
        self._said = 0
        self._kept: Any = None

    @contextmanager
    def answering(self, shown: SchedulerProxy) -> Iterator[None]:
        """Have the denoiser asked so, as a pass comes to its steps."""
        wording = self._script.wording

        def answer(forward: Forward, call: DenoiserCall) -> Any:
            asked = self._scenes[wording.at(shown.calls_since(wording.begin))]
            number = self._said % len(self._base)
            self._said += 1
            if not wording.adds_up:
                return call.changed(asked.prompts[0][number]).ask(forward)
            if number == 0:
                return self._added_up(forward, call, asked)
            kept, self._kept = self._kept, None
            return kept

        with answering(self._model.denoiser, answer):
            yield

    def _calls(self, words: Words) -> tuple[DenoiserCall, ...]:
        model = self._model
        channels = model.family.channels(model.pipeline)
        return calls_of_a_step(model.pipeline, model.denoiser, self._arguments(words), self._pictures, channels)

    def _changes(self, prompts: Texts, negatives: Texts) -> tuple[Changes, ...]:
        if (prompts, negatives) not in self._known:
            calls = self._calls(self._script.encode(prompts, negatives))
            changes = tuple(mine.changes_to(its) for mine, its in zip(self._base, calls, strict=True))
            self._known[prompts, negatives] = changes
        return self._known[prompts, negatives]

    def _asked(self, scene: Scene) -> _Asked:
        prompts = tuple(self._changes(texts, scene.negatives) for texts in scene.prompts)
        if not self._script.wording.adds_up:
            return _Asked(prompts)
        size = len(self._base[0].sample)
        if size == 2 * self._pictures:
            return _Asked(prompts)
        if size != self._pictures:
            name = self._model.key.path.name
            raise ModelError(
                f"{name} cannot draw prompts that are added up (AND, or a weight at the end), since it is guided by "
                "more than words: write them as one prompt."
            )
        if len(self._base) == 2:
            return _Asked(prompts, self._base[0].changes_to(self._base[1].changed(prompts[0][1])))
        return _Asked(prompts, self._changes(scene.negatives, scene.negatives)[0])

    def _added_up(self, forward: Forward, call: DenoiserCall, asked: _Asked) -> Any:
        """Return the answer to all prompts at once, uncond + Σ weight · (cond - uncond), in the place of that to one.

        Where the pipeline asks about the negative prompt in a call of its own, the answer to that is kept for it.
        """
        first = call.changed(asked.prompts[0][0]).ask(forward)
        others = [call.changed(changes[0]) for changes in asked.prompts[1:]]
        if asked.negative is not None:
            self._kept = call.changed(asked.negative).ask(forward)
            answers = [first, *(other.ask(forward) for other in others)]
            summed = self._sum(_numbers(self._kept), [_numbers(answer) for answer in answers])
            return _with_numbers(first, summed)
        second = self._model.family.negative_first
        halves = _numbers(first).chunk(2)
        positive, negative = halves[second], halves[not second]
        rest = [_numbers(other.half(second).ask(forward)) for other in others]
        summed = self._sum(negative, [positive, *rest])
        return _with_numbers(first, torch.cat([negative.float(), summed] if second else [summed, negative.float()]))

    def _sum(self, negative: torch.Tensor, answers: Sequence[torch.Tensor]) -> torch.Tensor:
        """Return the sum in float32, since differences are small beside what they are of."""
        uncond = negative.float()
        summed = uncond.clone()
        for weights, cond in zip(self._weights, answers, strict=True):
            summed += weights.to(uncond).view(-1, *[1] * (uncond.ndim - 1)) * (cond.float() - uncond)
        return summed


def conditioning_of(
    model: LoadedModel, script: Script | None, arguments: Callable[[Words], Mapping[str, Any]], pictures: int
) -> Conditioning | None:
    """Return how a denoiser is asked in a pass; None: by the pipeline alone, since its words stay the same.

    Raises:
        Interrupted, ModelError: as `Conditioning`.
    """
    if script is None or script.wording.is_plain:
        return None
    return Conditioning(model, script, arguments, pictures)


def _numbers(answer: Any) -> torch.Tensor:
    """Return what a denoiser said, (batch, …); some say one tensor a picture."""
    said = answer[0]
    return said if isinstance(said, torch.Tensor) else torch.stack(list(said))


def _with_numbers(answer: Any, numbers: torch.Tensor) -> Any:
    """Return a denoiser's answer with other numbers."""
    said = numbers if isinstance(answer[0], torch.Tensor) else list(numbers.unbind())
    return (said, *answer[1:])
