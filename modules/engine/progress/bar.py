"""How far a job is: a bar that never falls, and the time that is left."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from modules.engine.progress.pace import Pace
from modules.engine.progress.parts import Course, Kind, Phase, Plan
from modules.engine.progress.timings import Experience

__all__ = ["JobProgress", "Phase", "Plan"]

Publish = Callable[[Any], None]

_SECONDS_BETWEEN_NEWS = 0.05
_SECONDS_UNTIL_REFRESHED = 0.4
# How much of a step or phase that says nothing of itself is taken for done when it takes longer than expected.
_DONE_AT_MOST = 0.95
# After these steps of a batch the bar is compared with the guesses.
_STEPS_TO_LOOK = frozenset({2, 4, 8, 16, 32, 64, 128})


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
        self._plan = Plan(steps=1, batches=(), images=0, loads=True)
        self._pace = Pace()
        self._course: Course | None = None
        self._later: Counter[Kind] = Counter()
        self._phase: Phase = "load"
        self._number = 0
        self._image = 0
        self._step = 0
        self._steps = 0
        self._fraction = 0.0
        self._shown = min(max(floor, 0.0), 0.99)
        # The bar goes from (fraction, share) of here to the end of the part.
        self._from = (0.0, self._shown)
        self._entered_at = self._stepped_at = self._advanced_at = clock()
        self._told_at = float("-inf")
        self._eta: float | None = None
        self._preview: dict[str, Any] | None = None
        self._closed = False

    @property
    def phase(self) -> Phase:
        """What happens now."""
        return self._phase

    @property
    def value(self) -> float:
        """How much of the whole is done, 0 to 1. It never falls."""
        return self._shown

    @property
    def eta_seconds(self) -> float | None:
        """How long the rest takes; None while that is unknown."""
        return self._eta

    @property
    def experience(self) -> Experience | None:
        """What is known of such jobs, as soon as the plan is."""
        return self._pace.experience

    @property
    def rows(self) -> int:
        """How many rows the denoiser works on in one call."""
        return self._pace.rows

    def plan(self, plan: Plan, experience: Experience | None = None) -> None:
        """Say what the job will do, as soon as that is known, and what is known of such jobs."""
        with self._lock:
            self._plan = plan
            self._pace = Pace(experience, plan.rows(plan.drawn_with(plan.batches[0]) if plan.batches else 1))
            self._course = Course(plan, self._seconds, self._shown)
            self._shown = self._course.start
            self._enter("load", 0, 0, self._image)

    def enter_load(self) -> None:
        """Begin with loading the model."""
        with self._lock:
            self._enter("load", 0, 0, self._image)

    def enter_encode(self) -> None:
        """Begin with encoding the prompts."""
        with self._lock:
            self._leave()
            self._enter("encode", 0, 0, self._image)

    def enter_sample(self, batch: int, done: int = 0, steps: int | None = None) -> None:
        """Begin with the steps of a batch, or go on with it where `done` of `steps` steps are done already."""
        with self._lock:
            if self._phase != "decode":  # That one was skipped in its middle.
                self._leave()
            indices = self._plan.batches[batch]
            self._pace.work_on(self._plan.rows(self._plan.drawn_with(indices)))
            self._step, self._steps = done, steps or self._plan.steps
            self._enter("sample", batch, 0, indices[0], done / self._steps)

    def step(self, done: int, steps: int) -> None:
        """Say that `done` of `steps` steps are done."""
        with self._lock:
            now = self._clock()
            self._pace.measured(self._kind_of_step(), now - self._stepped_at)
            self._stepped_at = now
            self._step, self._steps, self._fraction = done, steps, done / steps
            self._tell(look=done in _STEPS_TO_LOOK)

    def enter_decode(self, batch: int, place: int) -> None:
        """Begin with decoding the picture at `place` of a batch."""
        with self._lock:
            self._leave()
            self._enter("decode", batch, place, self._plan.batches[batch][place])

    def enter_save(self, batch: int, place: int) -> None:
        """Begin with saving the picture at `place` of a batch."""
        with self._lock:
            self._leave()
            self._enter("save", batch, place, self._plan.batches[batch][place])

    def advance(self, fraction: float) -> None:
        """Say how much of the phase is done, 0 to 1."""
        with self._lock:
            self._fraction, self._advanced_at = fraction, self._clock()
            self._tell()

    def show_preview(self, preview: dict[str, Any] | None) -> None:
        """Say how previews are made now."""
        with self._lock:
            self._preview = preview

    def refresh(self) -> None:
        """Tell how far it is by the clock, where the job itself has said nothing for a while."""
        with self._lock:
            if not self._closed and self._clock() - self._told_at >= _SECONDS_UNTIL_REFRESHED:
                self._tell(now=True)

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
            self._pace.teach()
            self._publish(None)

    # --- Where the job is -------------------------------------------------------------------------------------------

    def _enter(self, phase: Phase, batch: int, place: int, image: int, fraction: float = 0.0) -> None:
        self._phase, self._image, self._fraction = phase, image, fraction
        self._entered_at = self._stepped_at = self._clock()
        if self._course is not None:
            self._number = self._course.place(phase, batch, place)
            self._later = self._course.later(self._number)
            self._shown = max(self._shown, self._course.begin(self._number))
            self._from = (fraction, self._shown)
            if fraction > 0.0:
                # What an earlier run did is on the bar: the rest of the bar is for the rest of the steps.
                self._course.adapt(self._number, self._shown, fraction)
        self._tell(now=True, look=phase == "sample")

    def _leave(self) -> None:
        """Take note of how long the part took that ends here."""
        if self._phase != "sample" and (self._phase != "load" or self._plan.loads):
            self._pace.measured(self._phase, self._clock() - self._entered_at)

    def _kind_of_step(self) -> Any:
        if self._stepped_at != self._entered_at:
            return "step"
        after_load = self._plan.loads and self._course is not None and self._course.parts[self._number].is_first
        return "first_after_load" if after_load else "first"

    def _seconds(self, kind: Kind) -> float:
        """Return how long a part takes by all that is known now."""
        phase, pictures, is_first = kind
        if phase == "load":
            return self._pace.seconds("load") if self._plan.loads else 0.0
        if phase != "sample":
            return self._pace.seconds(phase)
        rows, calls = self._plan.rows(pictures), self._plan.calls or self._plan.steps
        first = self._pace.seconds("first_after_load" if is_first and self._plan.loads else "first", rows)
        return first + (calls - 1) * self._pace.seconds("step", rows)

    def _expected_now(self) -> float:
        """Return how long the step or the phase that runs now should take in all."""
        if self._phase == "sample":
            return self._pace.seconds("step" if self._step else self._kind_of_step())
        if self._phase != "load":
            return self._pace.seconds(self._phase)
        learned = self._pace.seconds("load") if self._plan.loads else 0.0
        if not 0.1 < self._fraction <= 1.0:
            return learned
        # By the bytes that were read: the more of them, the more they say of this load.
        shown = (self._advanced_at - self._entered_at) / self._fraction
        return learned * (1.0 - self._fraction) + shown * self._fraction if self._pace.known else shown

    def _fraction_now(self, waited: float, expected: float) -> float:
        """Return how much of the part is done, with what the clock says of the step or phase that runs."""
        passed = min(waited / expected, _DONE_AT_MOST) if expected > 0 and self._pace.known else 0.0
        if self._phase == "sample":
            steps = self._steps or 1
            return min((self._step + passed) / steps, 1.0) if self._step < steps else 1.0
        return max(self._fraction, passed)

    def _seconds_left(self, waited: float, expected: float) -> float:
        """Return how long all that is not done takes."""
        # What takes longer than expected goes on for a while: nobody knows how long.
        now = max(expected - waited, 0.05 * waited)
        if self._phase == "sample":
            now = now if self._step < self._steps else 0.0
            now += max(self._steps - self._step - 1, 0) * self._pace.seconds("step")
        return now + sum(count * self._seconds(kind) for kind, count in self._later.items())

    # --- What is told -----------------------------------------------------------------------------------------------

    def _tell(self, now: bool = False, look: bool = False) -> None:
        moment = self._clock()
        is_news = now or moment - self._told_at >= _SECONDS_BETWEEN_NEWS
        if is_news or look:
            self._measure(moment, look)
        if is_news and not self._closed:
            self._told_at = moment
            self._publish(self._value())

    def _measure(self, moment: float, look: bool) -> None:
        if self._course is None or not self._plan.batches:
            return  # Nothing is known of the whole yet.
        waited, expected = moment - self._stepped_at, self._expected_now()
        fraction = self._fraction_now(waited, expected)
        from_fraction, from_share = self._from
        rest = (fraction - from_fraction) / (1.0 - from_fraction) if from_fraction < 1.0 else 1.0
        share = from_share + max(rest, 0.0) * (self._course.end(self._number) - from_share)
        self._shown = max(self._shown, min(share, 1.0))
        self._eta = self._seconds_left(waited, expected) if self._pace.known else None
        if look and self._course.adapt(self._number, self._shown, fraction):
            self._from = (fraction, self._shown)

    def _value(self) -> dict[str, Any]:
        return {
            "job": self._job_id,
            "phase": self._phase,
            "image": self._image,
            "images": self._plan.images,
            "step": self._step,
            "steps": self._steps,
            "progress": round(self._shown, 4),
            "eta_seconds": None if self._eta is None else round(self._eta, 2),
            "segments": self._course.segments() if self._course is not None else [],
            "preview": self._preview,
        }
