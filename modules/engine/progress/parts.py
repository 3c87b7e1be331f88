"""The course of a job: its parts in order, and how much of the bar each one takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby
from typing import Literal

Phase = Literal["load", "encode", "sample", "decode", "save"]
Kind = tuple[Phase, int, bool]  # the phase, how many pictures at once, and whether it is the first of its phase

_SEGMENTS_AT_MOST = 40
_BATCHES_WITH_TWO_SEGMENTS = 8
_THINNEST_SEGMENT = 0.015
_WORTH_CHANGING = 0.03


@dataclass(frozen=True)
class Plan:
    """What a job does. `batches` holds the indices of the pictures that each call of the pipeline gives.

    `finished` holds those of earlier runs. `calls` is how often a batch calls the denoiser, where that is not once a
    step; with guidance each picture is two rows of such a call. `at_once` is how many pictures a call draws, where that
    is more than it gives: a batch is drawn whole again although some of it was finished.
    """

    steps: int
    batches: Sequence[Sequence[int]]
    images: int
    loads: bool
    finished: Sequence[Sequence[int]] = ()
    calls: int | None = None
    guided: bool = True
    at_once: int | None = None

    def drawn_with(self, indices: Sequence[int]) -> int:
        """Return how many pictures are drawn in the batch that gives these."""
        return max(self.at_once or 0, len(indices))

    def rows(self, pictures: int) -> int:
        """Return how many rows the denoiser works on for so many pictures."""
        return pictures * (2 if self.guided else 1)


@dataclass(frozen=True)
class Part:
    """One phase of a job. `batch` and `place` count in the plan; `pictures` are worked on at once.

    A batch of the plan's `finished` has a negative number.
    """

    phase: Phase
    label: str
    batch: int = 0
    place: int = 0
    pictures: int = 1
    is_first: bool = False

    @property
    def kind(self) -> Kind:
        """What decides how long it takes."""
        return self.phase, self.pictures, self.is_first


def parts_of(plan: Plan) -> list[Part]:
    """Return all parts in order: first what is finished already, then loading, the words, and each batch."""
    parts: list[Part] = []
    for number, indices in enumerate(plan.finished):
        parts += _parts_of_batch(number - len(plan.finished), indices, len(indices))
    parts.append(Part("load", "load"))
    parts.append(Part("encode", "encode"))
    for number, indices in enumerate(plan.batches):
        parts += _parts_of_batch(number, indices, plan.drawn_with(indices))
    return parts


def _parts_of_batch(number: int, indices: Sequence[int], drawn: int) -> list[Part]:
    label = f"image {indices[0] + 1}" if len(indices) == 1 else f"images {indices[0] + 1}–{indices[-1] + 1}"
    parts = [Part("sample", label, number, pictures=drawn, is_first=number == 0)]
    for place in range(len(indices)):
        parts += [Part(phase, f"finish {label}", number, place) for phase in ("decode", "save")]
    return parts


class Course:
    """Where each part ends on the bar, 0 to 1. `guess` returns how long a kind of part takes."""

    def __init__(self, plan: Plan, guess: Callable[[Kind], float], done: float = 0.0) -> None:
        self._plan = plan
        self._guess = guess
        self.parts = parts_of(plan)
        self._places = {(part.phase, part.batch, part.place): place for place, part in enumerate(self.parts)}
        finished = sum(1 for part in self.parts if part.batch < 0)
        seconds = self._guessed(self.parts)
        natural = sum(seconds[:finished]) / (sum(seconds) or 1.0)
        # What an earlier run had done stays done, also where its pictures are not there: the bar never falls.
        self.start = max(natural, min(done, 1.0))
        self._before = self.start if finished == 0 else 0.0  # lost work has a segment of its own
        self._ends = [*_spread(self._before, self.start, seconds[:finished])]
        self._ends += _spread(self.start, 1.0, seconds[finished:])
        self._segments: list[dict[str, object]] | None = None

    def place(self, phase: Phase, batch: int = 0, place: int = 0) -> int:
        """Return the number of a part."""
        return self._places[phase, batch, place]

    def begin(self, number: int) -> float:
        """Return where a part begins on the bar."""
        return self._ends[number - 1] if number > 0 else self._before

    def end(self, number: int) -> float:
        """Return where a part ends on the bar."""
        return self._ends[number]

    def later(self, number: int) -> Counter[Kind]:
        """Return how many parts of each kind come after this one."""
        return Counter(part.kind for part in self.parts[number + 1 :])

    def adapt(self, number: int, share: float, fraction: float) -> bool:
        """Spread what is left anew over what is left of the bar, when the guesses have changed much.

        The bar stands at `share`, with `fraction` of part `number` done. Tell whether the borders moved.
        """
        left = self._guessed(self.parts[number:])
        left[0] *= 1.0 - fraction
        ends = [*_spread(share, 1.0, left)]
        if abs(ends[0] - self._ends[number]) < _WORTH_CHANGING:
            return False
        self._ends[number:] = ends
        self._segments = None
        return True

    def segments(self) -> list[dict[str, object]]:
        """Return the parts as the bar shows them; those too thin to see are joined to a neighbour."""
        if self._segments is None:
            self._segments = [{"label": label, "weight": round(weight, 4)} for label, weight in self._weights()]
        return self._segments

    def _guessed(self, parts: Sequence[Part]) -> list[float]:
        guesses = {kind: self._guess(kind) for kind in {part.kind for part in parts}}
        return [guesses[part.kind] for part in parts]

    def _weights(self) -> list[tuple[str, float]]:
        batches = len(self._plan.finished) + len(self._plan.batches)
        numbered = enumerate(self.parts)
        grouped: list[tuple[str, float]] = [("before", self._before)] if self._before else []
        for label, group in groupby(numbered, key=lambda entry: self._label(entry[1], batches)):
            numbers = [number for number, _part in group]
            grouped.append((label, self.end(numbers[-1]) - self.begin(numbers[0])))
        return _without_thin_ones(grouped)

    def _label(self, part: Part, batches: int) -> str:
        if part.phase in ("load", "encode"):
            return part.label
        if batches > _SEGMENTS_AT_MOST:
            return f"{self._plan.images} images"
        if batches > _BATCHES_WITH_TWO_SEGMENTS:
            return part.label.removeprefix("finish ")
        return part.label


def _spread(start: float, end: float, seconds: Sequence[float]) -> list[float]:
    """Return where each of some parts ends when they share `start` to `end` of the bar."""
    total = sum(seconds)
    if total <= 0:
        return [end] * len(seconds)
    ends = [start + (end - start) * done / total for done in accumulate(seconds)]
    ends[-1:] = [end] if ends else []
    return ends


def _without_thin_ones(weights: list[tuple[str, float]]) -> list[tuple[str, float]]:
    """Join what is too thin to see to the segment before it, or at the start to the one after; pictures stay."""
    joined: list[tuple[str, float]] = []
    carried = 0.0
    for label, weight in weights:
        is_small_print = label in ("load", "encode") or label.startswith("finish ")
        if not is_small_print or weight + carried >= _THINNEST_SEGMENT:
            joined.append((label, weight + carried))
            carried = 0.0
        elif joined:
            joined[-1] = (joined[-1][0], joined[-1][1] + weight)
        else:
            carried += weight
    return joined
