"""What a pass is told in the course of its steps: texts that change, are added up, and differ between pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from modules.engine.families.base import Words
from modules.engine.families.reading import Text, Texts
from modules.jobs.kinds.base import Pass, PictureWords, ResolvedJob
from modules.jobs.kinds.stages import Stage, stages_of
from modules.jobs.kinds.word_values import calls_of
from modules.prompts.meaning import ScheduledPrompt, meaning_of
from modules.prompts.schedules import stretch_at


class Scene(NamedTuple):
    """What is told at once: the prompts that are added up (AND), and the negative ones, each as texts of the pictures.

    There is one text for all pictures, or one for each.
    """

    prompts: tuple[Texts, ...]
    negatives: Texts


class Wording(NamedTuple):
    """The scenes of a pass, each with the call of the denoiser after which it ends, and what the prompts count.

    Calls are counted from 0, from step `begin` of the list on. `weights` are by prompt, and for each picture.
    """

    scenes: tuple[tuple[int, Scene], ...]
    weights: tuple[tuple[float, ...], ...]
    begin: int = 0

    @property
    def first(self) -> Scene:
        """What the pass begins with."""
        return self.scenes[0][1]

    @property
    def adds_up(self) -> bool:
        """Whether the answers to several prompts are added up, or that to one counts more or less than it is."""
        return any(weight != 1 for weights in self.weights for weight in weights) or len(self.weights) > 1

    @property
    def is_plain(self) -> bool:
        """Whether it is the same from the beginning to the end, and one prompt."""
        return len(self.scenes) == 1 and not self.adds_up

    def at(self, call: int) -> Scene:
        """Return what is told at a call of the denoiser."""
        return next((scene for until, scene in self.scenes if call <= until), self.scenes[-1][1])


@dataclass(frozen=True)
class Script:
    """A wording, and how the model of a pass encodes texts of it: prompts and negative ones."""

    wording: Wording
    encode: Callable[[Texts, Texts], Words]

    @property
    def first(self) -> Words:
        """The words that the pipeline is called with."""
        return self.encode(self.wording.first.prompts[0], self.wording.first.negatives)

    def encode_all(self) -> None:
        """Have all of it encoded, so that it is remembered."""
        told = {(texts, scene.negatives): None for _until, scene in self.wording.scenes for texts in scene.prompts}
        for prompts, negatives in told:
            self.encode(prompts, negatives)


class _Told(NamedTuple):
    """The prompts of one picture."""

    prompts: tuple[ScheduledPrompt, ...]
    negative: ScheduledPrompt


def wording_of(resolved: ResolvedJob, number: int, indices: Sequence[int]) -> Wording:
    """Return what the pass with this number is told of the pictures `indices`, which are drawn at once."""
    one, stage = resolved.passes[number], _stage_of(resolved.passes, number)
    first = stage.first
    steps, base = calls_of(resolved, stage)
    words = one.words or resolved.words

    def told(text: PictureWords) -> _Told:
        prompt, negative = (
            meaning_of(said, steps, base, syntax=words.syntax, old=words.old_editing, negative=is_negative).prompts
            for said, is_negative in ((text.prompt, False), (text.negative_prompt, True))
        )
        return _Told(prompt, negative[0])

    texts = [words.of(index) for index in indices]
    if all(text == texts[0] for text in texts):
        texts = texts[:1]
    pictures = [told(text) for text in texts]
    count = max(len(picture.prompts) for picture in pictures)
    weights = tuple(tuple(_prompt_of(picture, place)[1] for picture in pictures) for place in range(count))
    return Wording(_scenes(pictures, count), weights, first.begin)


def _stage_of(passes: Sequence[Pass], number: int) -> Stage:
    """Return the stage that a pass belongs to: the steps of both passes of one are counted together."""
    ends = 0
    for stage in stages_of(passes):
        ends += 1 if stage.refined is None else 2
        if number < ends:
            return stage
    raise IndexError(number)


def _scenes(pictures: Sequence[_Told], count: int) -> tuple[tuple[int, Scene], ...]:
    """Return the scenes; one ends wherever a text of a picture does."""
    schedules = [prompt.schedule for picture in pictures for prompt in (*picture.prompts, picture.negative)]
    ends = sorted({stretch.until for schedule in schedules for stretch in schedule})
    scenes: list[tuple[int, Scene]] = []
    for end in ends:
        prompts = tuple(
            tuple(_text_at(_prompt_of(picture, place)[0], end) for picture in pictures) for place in range(count)
        )
        scene = Scene(prompts, tuple(_text_at(picture.negative, end) for picture in pictures))
        if scenes and scenes[-1][1] == scene:
            scenes.pop()
        scenes.append((end, scene))
    return tuple(scenes)


def _prompt_of(picture: _Told, place: int) -> tuple[ScheduledPrompt, float]:
    """Return the prompt at a place, and what it counts; a picture that has fewer than others has none there."""
    if place < len(picture.prompts):
        return picture.prompts[place], picture.prompts[place].weight
    return picture.prompts[0], 0.0


def _text_at(prompt: ScheduledPrompt, call: int) -> Text:
    schedule = prompt.schedule
    said = schedule[stretch_at(schedule, call)].text
    return Text(said, tuple(stretch.text for stretch in schedule) if len(schedule) > 1 else ())
