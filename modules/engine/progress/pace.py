"""How long each phase of the running job takes: as learned before, corrected by what this job shows."""

from __future__ import annotations

import statistics
from collections import deque

from modules.engine.progress.timings import Experience, Kind

# Without any knowledge: what each phase takes compared with a step.
_IN_STEPS: dict[Kind, float] = {"load": 8.0, "encode": 0.5, "decode": 1.0, "save": 0.5}
_OF_THE_DENOISER: tuple[Kind, ...] = ("first", "first_after_load", "step")
_WINDOW_SECONDS = 10.0
_WINDOW_STEPS = 4
_VALUES_KEPT = 500
_LEARNED_COUNTS_AS = 1  # steps of this job
_SLOWEST = 5.0
_SHORTEST = 1e-6  # a clock that stands still must not make all parts nothing


class Pace:
    """Guesses seconds. While nothing is known of this model they are parts of a whole only (`known` is False).

    `rows` is how many rows the denoiser works on in one call: two for each picture with guidance.
    """

    def __init__(self, experience: Experience | None = None, rows: int = 2) -> None:
        self.experience = experience
        self.rows = rows
        self._steps: deque[float] = deque()
        self._measured: dict[Kind, deque[float]] = {}
        self._asked: dict[tuple[Kind, int], float | None] = {}  # what was learned does not change within a job

    @property
    def known(self) -> bool:
        """Whether the guesses are seconds."""
        return bool(self._steps or self._first_steps()) or self._learned("step", self.rows) is not None

    def measured(self, kind: Kind, seconds: float) -> None:
        """Take note of how long something took in this job."""
        seconds = max(seconds, _SHORTEST)
        self._measured.setdefault(kind, deque(maxlen=_VALUES_KEPT)).append(seconds)
        if kind == "step":
            self._steps.append(seconds)
            while len(self._steps) > _WINDOW_STEPS and sum(self._steps) - self._steps[0] > _WINDOW_SECONDS:
                self._steps.popleft()

    def work_on(self, rows: int) -> None:
        """Say on how many rows the denoiser works from now on."""
        if rows == self.rows:
            return
        self.rows = rows
        self._steps.clear()
        for kind in _OF_THE_DENOISER:
            self._measured.pop(kind, None)

    def seconds(self, kind: Kind, rows: int | None = None) -> float:
        """Return how long something takes now; of a step, on `rows` rows instead of those of now."""
        if kind in _OF_THE_DENOISER:
            return self._of_the_denoiser(kind, rows or self.rows)
        shown = self._measured.get(kind)
        if shown:
            return statistics.median(list(shown)[-_WINDOW_STEPS:])
        learned = self._learned(kind, 1)
        if learned is not None:
            return learned if kind in ("load", "encode") else learned * self.slowdown
        # Of one picture, on two rows.
        return _IN_STEPS[kind] * self._step(self.rows) * 2 / self.rows

    @property
    def slowdown(self) -> float:
        """How much slower the steps of this job are than those before: what follows will be so as well."""
        learned = self._learned("step", self.rows)
        if not learned or len(self._steps) < 2:
            return 1.0
        return min(max(self._step(self.rows) / learned, 1 / _SLOWEST), _SLOWEST)

    def teach(self) -> None:
        """Hand what this job showed on to the next ones."""
        measured, self._measured = self._measured, {}
        if self.experience is None:
            return
        for kind, shown in measured.items():
            # Of steps the mean, since what counts is how long all of them take together.
            typical = statistics.fmean(shown) if kind == "step" else statistics.median(shown)
            self.experience.learn(kind, typical, self.rows if kind in _OF_THE_DENOISER else 1)

    def _of_the_denoiser(self, kind: Kind, rows: int) -> float:
        """Return a step, or the first one of a batch, which also makes the sampler and the noise."""
        if kind == "step":
            return self._step(rows)
        shown = self._measured.get(kind)
        if shown:
            return statistics.median(shown) * rows / self.rows
        learned = self._learned(kind, rows)
        return self._step(rows) if learned is None else learned * self.slowdown

    def _step(self, rows: int) -> float:
        learned = self._learned("step", rows)
        count = len(self._measured.get("step", ()))
        if self._steps:
            shown = statistics.fmean(self._steps) * rows / self.rows
            if learned is None:
                return shown
            return (_LEARNED_COUNTS_AS * learned + count * shown) / (_LEARNED_COUNTS_AS + count)
        if learned is not None:
            return learned
        first = self._first_steps()
        if first:
            return first[-1] * rows / self.rows
        load = self._measured.get("load")
        whole = load[-1] if load else self._learned("load", 1) or 1.0
        return whole / _IN_STEPS["load"] * rows / self.rows

    def _first_steps(self) -> list[float]:
        return [seconds for kind in _OF_THE_DENOISER[:2] for seconds in self._measured.get(kind, ())]

    def _learned(self, kind: Kind, rows: int) -> float | None:
        if self.experience is None:
            return None
        if (kind, rows) not in self._asked:
            self._asked[kind, rows] = self.experience.seconds(kind, rows)
        return self._asked[kind, rows]
