"""How far a job is: a bar that never falls, and the time that is left."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

from modules.engine.progress.pace import Cost, Pace
from modules.engine.progress.parts import Part, Phase, segments_of
from modules.engine.progress.timings import Experience, Kind, Size

Publish = Callable[[Any], None]

_SECONDS_BETWEEN_NEWS = 0.05
_SECONDS_UNTIL_REFRESHED = 0.4
# How much of a step or phase that says nothing of itself is taken for done when it takes longer than expected.
_DONE_AT_MOST = 0.95
_TELLING: tuple[Kind, ...] = ("load", "upscale", "upscale_plain")  # they say how far they are
_FURTHEST_FLOOR = 0.9995  # The parts that are left have some of the bar, and it falls by nothing that is seen.
_WORTH_MOVING = 0.03  # of the bar: borders that are less far off stay where they are


class JobProgress:
    """The progress of one job. `publish` gets the topic's value, at most about twenty times a second.

    `floor` is how far the bar stood when an earlier run of the job ended. All methods may be called from any thread.
    """

    def __init__(
        self, job_id: str, publish: Publish, clock: Callable[[], float] = time.monotonic, floor: float = 0.0
    ) -> None:
        self._job_id = job_id
        self._publish = publish
        self._clock = clock
        self._lock = threading.RLock()
        self._parts: Sequence[Part] = ()
        self._images = self._stages = 0
        self._paces: Sequence[Pace] = (Pace(),)  # of each model of the job
        self._borders: list[float] = []  # where each part begins on the bar, and where the last one ends
        self._segments: list[dict[str, object]] = []
        self._numbers: dict[tuple[Phase, int, int], int] = {}
        self._number = 0
        self._part = Part("load", "load", Cost(None))
        self._later: Counter[Cost] = Counter()  # what the parts behind this one cost
        self._step = self._steps = 0
        self._is_first = True
        self._read = 0.0  # how much of a load is done, or of what else says so
        self._shown = min(max(floor, 0.0), _FURTHEST_FLOOR)
        # Within the part that runs the bar goes from the second, where this much of it is done, to the part's end.
        self._from = (0.0, self._shown)
        self._began_at = self._read_at = clock()  # the step that runs now, or the phase
        self._told_at = float("-inf")
        self._eta: float | None = None
        self._preview: dict[str, Any] | None = None
        self._closed = False

    @property
    def phase(self) -> Phase:
        """What happens now."""
        return self._part.phase

    @property
    def value(self) -> float:
        """How much of the whole is done, 0 to 1. It never falls."""
        return self._shown

    @property
    def experience(self) -> Experience | None:
        """What is known of such jobs, as soon as the plan is: of the model that works now."""
        return self._pace.experience

    @property
    def size(self) -> Size:
        """What the denoiser works on in one call, as soon as the plan is known."""
        return self._pace.size

    def plan(self, parts: Sequence[Part], *known: Experience | None) -> None:
        """Say what the job will do, as soon as that is known, and what is `known` of each of its models.

        It begins to load: the first load is that of what no earlier run has done.
        """
        with self._lock:
            self._parts, self._images = parts, sum(part.phase == "save" for part in parts)
            self._stages = 1 + max(part.stage for part in parts)
            self._numbers = {(part.phase, part.image, part.turn): number for number, part in enumerate(parts)}
            begun = next(number for number, part in enumerate(parts) if part.phase == "load")
            self._paces = _paces(parts[begun:], known or (None,))
            seconds = self._seconds(parts)
            # What an earlier run had done stays done, also where its pictures are not there: the bar never falls.
            self._shown = max(self._shown, sum(seconds[:begun]) / (sum(seconds) or 1.0))
            before = 0.0 if begun else self._shown  # lost work has a segment of its own
            finished = _spread(before, self._shown, seconds[:begun])
            self._borders = [before, *finished, *_spread(self._shown, 1.0, seconds[begun:])]
            self._segments = segments_of(parts, self._borders)
            self._number, self._later = -1, Counter(part.cost for part in parts)
            self._enter(begun)

    def enter(self, phase: Phase, image: int = 0, turn: int = 0, done: int = 0, steps: int = 0) -> None:
        """Begin with a phase, of the picture `image` or of the batch of which that one is the first.

        `turn` is the number of the pass that it belongs to. In the phase "sample" that goes on where `done` of `steps`
        steps are done.
        """
        with self._lock:
            if not self._parts:  # There is no plan yet.
                self._tell(now=True)
                return
            number = self._numbers[phase, image, turn]
            if number == self._number + 1:  # Otherwise the part before was skipped in its middle.
                self._leave()
            cost = self._parts[number].cost
            if phase == "sample" and cost.size is not None:
                self._paces[cost.model].size = cost.size
                self._step, self._steps = done, steps or cost.steps + 1
            self._enter(number, done / steps if steps else 0.0)

    def step(self, done: int, steps: int) -> None:
        """Say that `done` of `steps` steps of the pass are done."""
        with self._lock:
            now = self._clock()
            self._pace.measured(self._kind or "step", self._part.cost.size, now - self._began_at)
            self._began_at, self._is_first = now, False
            self._step, self._steps = done, steps
            self._tell()

    def advance(self, fraction: float) -> None:
        """Say how much of the model is loaded, or of the pictures enlarged, 0 to 1."""
        with self._lock:
            self._read, self._read_at = fraction, self._clock()
            self._tell()

    def show_preview(self, preview: dict[str, Any] | None) -> None:
        """Say how previews are made now."""
        with self._lock:
            self._preview = preview

    def refresh(self) -> None:
        """Tell how far it is by the clock, where the job itself has said nothing for a while."""
        with self._lock:
            if self._clock() - self._told_at >= _SECONDS_UNTIL_REFRESHED:
                self._tell()

    def complete(self) -> None:
        """Say that all is done."""
        with self._lock:
            self._leave()
            self._shown, self._eta = 1.0, 0.0
            self._closed = True
            self._publish(self._value())

    def clear(self) -> None:
        """Say that nothing runs any more, and hand on what was learned."""
        with self._lock:
            self._closed = True
            for pace in self._paces:
                pace.teach()
            self._publish(None)

    # --- Where the job is -------------------------------------------------------------------------------------------

    @property
    def _pace(self) -> Pace:
        """How fast what works now is."""
        return self._paces[self._part.cost.model]

    @property
    def _kind(self) -> Kind | None:
        """What runs now: a step, or the phase as a whole."""
        return self._part.cost.first if self._is_first else "step"

    def _enter(self, number: int, fraction: float = 0.0) -> None:
        """Begin with a part, of which an earlier run has done a fraction: that is on the bar already."""
        # The parts of thousands of pictures are not counted anew with each of them.
        passed = self._parts[self._number + 1 : number + 1]
        again = self._parts[number + 1 : self._number + 1]
        self._later = +(self._later - Counter(part.cost for part in passed) + Counter(part.cost for part in again))
        self._number, self._part = number, self._parts[number]
        self._read, self._is_first = 0.0, True
        self._began_at = self._clock()
        self._shown = max(self._shown, self._borders[number])
        self._from = (fraction, self._shown)
        self._tell(now=True)

    def _leave(self) -> None:
        """Take note of how long the part took that ends here; steps were noted one by one."""
        kind, phase = self._part.cost.first, self._part.phase
        if phase != "sample" and kind is not None:
            self._pace.measured(kind, self._part.cost.size, self._clock() - self._began_at)

    def _expected(self) -> float:
        """Return how long the step or the phase that runs now should take in all."""
        kind = self._kind
        learned = 0.0 if kind is None else self._pace.seconds(kind, self._part.cost.size)
        if kind not in _TELLING or not 0.1 < self._read <= 1.0:
            return learned
        # By the bytes that were read, or the tiles that are done: the more of them, the more they say of this time.
        shown = (self._read_at - self._began_at) / self._read
        return learned * (1.0 - self._read) + shown * self._read if self._pace.known else shown

    def _fraction(self, waited: float, expected: float) -> float:
        """Return how much of the part is done, with what the clock says of the step or phase that runs."""
        passed = min(waited / expected, _DONE_AT_MOST) if expected > 0 and self._pace.known else 0.0
        if self._part.phase == "sample":
            return min((self._step + passed) / self._steps, 1.0) if self._step < self._steps else 1.0
        return max(self._read, passed)

    def _seconds_left(self, waited: float, expected: float, later: float) -> float:
        # What takes longer than expected goes on for a while: nobody knows how long.
        now = max(expected - waited, 0.05 * waited)
        if self._part.phase == "sample":
            now = now if self._step < self._steps else 0.0
            now += max(self._steps - self._step - 1, 0) * self._pace.seconds("step", self._part.cost.size)
        return now + later

    def _seconds(self, parts: Sequence[Part]) -> list[float]:
        guesses = {cost: self._paces[cost.model].cost(cost) for cost in {part.cost for part in parts}}
        return [guesses[part.cost] for part in parts]

    # --- What is told -----------------------------------------------------------------------------------------------

    def _tell(self, now: bool = False) -> None:
        moment = self._clock()
        if self._closed or not (now or moment - self._told_at >= _SECONDS_BETWEEN_NEWS):
            return
        if self._parts:
            self._measure(moment)
        self._told_at = moment
        self._publish(self._value())

    def _measure(self, moment: float) -> None:
        """Derive the bar and the time left from the parts that are left, by all that is known now."""
        waited, expected = moment - self._began_at, self._expected()
        fraction = self._fraction(waited, expected)
        later = sum(count * self._paces[cost.model].cost(cost) for cost, count in self._later.items())
        self._eta = self._seconds_left(waited, expected, later) if self._pace.known else None
        begun, shown = self._from
        end = self._borders[self._number + 1]
        rest = (fraction - begun) / (1.0 - begun) if begun < 1.0 else 1.0
        self._shown = max(self._shown, min(shown + max(rest, 0.0) * (end - shown), 1.0))
        left = self._pace.cost(self._part.cost) * (1.0 - fraction)
        if left + later > 0 and abs(self._shown + (1 - self._shown) * left / (left + later) - end) >= _WORTH_MOVING:
            self._move_borders(left)
            self._from = (fraction, self._shown)

    def _move_borders(self, left: float) -> None:
        """Spread `left` seconds of this part, and the parts after it, anew over what is left of the bar."""
        later = self._seconds(self._parts[self._number + 1 :])
        self._borders[self._number + 1 :] = _spread(self._shown, 1.0, [left, *later])
        self._segments = segments_of(self._parts, self._borders)

    def _value(self) -> dict[str, Any]:
        return {
            "job": self._job_id,
            "phase": self._part.phase,
            "image": self._part.image,
            "images": self._images,
            "step": self._step,
            "steps": self._steps,
            "pass": self._part.stage,
            "passes": self._stages,
            "progress": round(self._shown, 4),
            "eta_seconds": None if self._eta is None else round(self._eta, 2),
            "segments": self._segments,
            "preview": self._preview,
        }


def _paces(parts: Sequence[Part], known: Sequence[Experience | None]) -> list[Pace]:
    """Return the pace of each model of which this much is `known`, for what is left.

    The others are taken to be like the one that works first, and that one to be like one that is known.
    """
    paces = [
        Pace(one, *_yardstick([part for part in parts if part.cost.model == model] or parts))
        for model, one in enumerate(known)
    ]
    first = paces[parts[0].cost.model]
    for pace in paces:
        if pace is not first:
            pace.like = first
    first.like = next((pace for pace in paces if pace is not first and pace.knows(first.size)), None)
    return paces


def _yardstick(parts: Sequence[Part]) -> tuple[Size, Kind]:
    """Return the size of the first thing that has one, and what takes most of the job: steps, where there are any."""
    size = next((size for part in parts if (size := part.cost.size)), Size(512, 512))
    drawn = any(part.phase == "sample" for part in parts)
    enlarged = next((part.cost.first for part in parts if part.phase == "upscale" and part.cost.first), None)
    return size, "step" if drawn or enlarged is None else enlarged


def _spread(start: float, end: float, seconds: Sequence[float]) -> list[float]:
    """Return where each of some parts ends when they share `start` to `end` of the bar."""
    total = sum(seconds)
    ends = [start + (end - start) * done / total if total > 0 else end for done in accumulate(seconds)]
    ends[-1:] = [end] if ends else []
    return ends
