"""How long each part of the running job takes: as learned before, corrected by what this job shows."""

from __future__ import annotations

import statistics
from collections import deque
from typing import NamedTuple

from modules.engine.progress.timings import Experience, Kind, Size

# Without any knowledge: what each phase takes compared with a step, of two rows.
_IN_STEPS: dict[Kind, float] = {
    "load": 8.0, "encode": 0.5, "prepare": 0.6, "upscale": 4.0, "upscale_plain": 1.2, "decode": 1.0, "save": 0.5,
}  # fmt: skip
_FIRST_STEPS: tuple[Kind, ...] = ("first", "first_after_load")
_OF_A_BATCH: tuple[Kind, ...] = ("prepare", "upscale", "upscale_plain")  # with as many rows as pictures
_WINDOW_SECONDS = 10.0
_WINDOW_STEPS = 4
_VALUES_KEPT = 500
_SLOWEST = 5.0
_SHORTEST = 1e-6  # a clock that stands still must not make all parts nothing


class Cost(NamedTuple):
    """What a part of a job takes: one time of the kind `first` (None: no time), and that of `steps` more steps.

    `model` says which of the job's models takes it, by a number from 0.
    """

    first: Kind | None
    size: Size | None = None
    steps: int = 0
    model: int = 0


class Pace:
    """Guesses seconds. While nothing is known of this model they are parts of a whole only (`known` is False).

    `size` is that of the denoiser's calls now. What takes most of the job is of the kind `mainly`: its time is what has
    to be known. `like` is another model of the job: where nothing is known of this one, it takes as long as that one.
    """

    def __init__(
        self,
        experience: Experience | None = None,
        size: Size = Size(512, 512, 2),  # noqa: B008
        mainly: Kind = "step",
    ) -> None:
        self.experience = experience
        self.size = size
        self._mainly = mainly
        self.like: Pace | None = None
        self._measured: dict[tuple[Kind, Size | None], deque[float]] = {}
        self._newest_steps: dict[Size, float] = {}  # the mean of the window; the size that was last is last
        self._asked: dict[tuple[Kind, Size | None], float | None] = {}  # what was learned stays so within a job

    @property
    def known(self) -> bool:
        """Whether the guesses are seconds."""
        if self._mainly != "step":
            return self._newest_of(self._mainly) is not None or self._learned(self._mainly, self.size) is not None
        return self.knows(self.size) or (self.like is not None and self.like.knows(self.size))

    def knows(self, size: Size) -> bool:
        """Tell whether it can say by itself how long a step takes."""
        return self._shown_elsewhere(size) is not None or self._learned("step", size) is not None

    def measured(self, kind: Kind, size: Size | None, seconds: float) -> None:
        """Take note of how long something took in this job."""
        seconds = max(seconds, _SHORTEST)
        values = self._measured.setdefault((kind, size), deque(maxlen=_VALUES_KEPT))
        values.append(seconds)
        if kind == "step" and size is not None:
            weight = max(1 / len(values), min(seconds / _WINDOW_SECONDS, 1 / _WINDOW_STEPS))
            mean = self._newest_steps.pop(size, seconds)
            self._newest_steps[size] = mean + weight * (seconds - mean)

    def cost(self, cost: Cost) -> float:
        """Return how long a part takes."""
        if cost.first is None:
            return 0.0
        seconds = self.seconds(cost.first, cost.size)
        return seconds + cost.steps * self.seconds("step", cost.size) if cost.steps else seconds

    def seconds(self, kind: Kind, size: Size | None) -> float:
        """Return how long something takes now."""
        if kind == "step":
            return self._step(size or self.size)
        shown = self._measured.get((kind, size))
        if shown:
            return statistics.median(list(shown)[-_WINDOW_STEPS:])
        learned = self._learned(kind, size)
        if learned is not None:
            return learned if kind in ("load", "encode") else learned * self.slowdown
        if kind in _FIRST_STEPS:
            return self._step(size or self.size)
        one = size or self.size
        if kind in _OF_A_BATCH and (elsewhere := self._newest_of(kind)) is not None:
            return elsewhere[1] * one.cells / elsewhere[0].cells
        pictures = one.rows if kind in _OF_A_BATCH else 1
        return _IN_STEPS[kind] * pictures * self._step(one._replace(rows=2))

    @property
    def slowdown(self) -> float:
        """How much slower the steps of this job are than those before: what follows will be so as well."""
        size = next(reversed(self._newest_steps), None)
        learned = None if size is None else self._learned("step", size)
        if size is None or not learned or len(self._measured["step", size]) < 2:
            return 1.0
        return min(max(self._step(size) / learned, 1 / _SLOWEST), _SLOWEST)

    def teach(self) -> None:
        """Hand what this job showed on to the next ones."""
        measured, self._measured, self._newest_steps = self._measured, {}, {}
        if self.experience is None:
            return
        for (kind, size), shown in measured.items():
            # Of steps the mean, since what counts is how long all of them take together.
            typical = statistics.fmean(shown) if kind == "step" else statistics.median(shown)
            self.experience.learn(kind, typical, size)

    def _step(self, size: Size) -> float:
        learned, shown = self._learned("step", size), self._newest_steps.get(size)
        if shown is not None:
            count = len(self._measured["step", size])
            # What was learned counts as one step of this job.
            return shown if learned is None else (learned + count * shown) / (1 + count)
        if learned is not None:
            return learned * self.slowdown
        elsewhere = self._shown_elsewhere(size)
        if elsewhere is not None:
            return elsewhere
        if self.like is not None and self.like.knows(size):
            return self.like._step(size)
        load = self._measured.get(("load", None))
        whole = load[-1] if load else self._learned("load", None) or _IN_STEPS["load"]
        return whole / _IN_STEPS["load"] * size.cells / self.size.cells

    def _shown_elsewhere(self, size: Size) -> float | None:
        """Return a step as the newest ones of another size tell, or the first one that there was."""
        shown = list(self._newest_steps.items()) or [
            (its, values[-1]) for (kind, its), values in self._measured.items() if kind in _FIRST_STEPS and its
        ]
        return shown[-1][1] * size.cells / shown[-1][0].cells if shown else None

    def _newest_of(self, kind: Kind) -> tuple[Size, float] | None:
        """Return how long something took last in this job, and at which size."""
        shown = [(its, values[-1]) for (one, its), values in self._measured.items() if one == kind and its and values]
        return shown[-1] if shown else None

    def _learned(self, kind: Kind, size: Size | None) -> float | None:
        if self.experience is None:
            return None
        if (kind, size) not in self._asked:
            self._asked[kind, size] = self.experience.seconds(kind, size)
        return self._asked[kind, size]
