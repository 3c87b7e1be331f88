"""How much previews may cost: which method they can afford, and how often.

The preview thread shares cores, caches and Python's lock with the sampler, so its own time says little of what the job
loses. What counts is how much longer steps are during which it worked, compared with those during which it did not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from modules.engine.previews.methods import Method
from modules.engine.progress.timings import Experience, Kind, Size

_KIND: dict[Method, Kind] = {"full": "preview_full", "small": "preview_small", "linear": "preview_linear"}
_NAMES: dict[Method, str] = {
    "full": "A full preview", "small": "A preview by the small decoder", "linear": "A linear preview",
}  # fmt: skip
_NEWEST_COUNTS = 0.2  # in moving averages
_STAYS_UNTIL = 1.25  # times the room that there is, so that near the border it does not go to and fro
# With fast steps previews go by time: a clear picture now and then says more than a blurred one after each step.
_LONGEST_WAIT_FOR_BETTER_SECONDS = 1.0
_SHORTEST_PAUSE_SECONDS = 0.2  # who watches sees no more than five pictures a second
_WARMING_UP_AT_MOST_SECONDS = 1.0


class Loss:
    """How much time the job loses for each second that the preview thread works: the slope of a line, least squares.

    It begins as `LIKELY`, and stays near it while the thread works for small parts of the steps, which tell little.
    """

    LIKELY = 1.0
    _LIKELY_COUNTS = 2.0  # as much as two steps during which the thread worked all the time
    _KEPT = 0.99  # of what is known, after each step

    def __init__(self) -> None:
        self._together = self._squares = 0.0

    @property
    def per_second(self) -> float:
        """Return how many seconds that is."""
        together = self._together + self.LIKELY * self._LIKELY_COUNTS
        return min(max(together / (self._squares + self._LIKELY_COUNTS), 0.1), 3.0)

    def step(self, longer: float, worked: float) -> None:
        """Take note of a step that was so much `longer` than usual, and of the thread's work, both in usual steps."""
        if longer - worked < 2.0:  # Otherwise something else happened.
            self._together = self._KEPT * self._together + worked * longer
            self._squares = self._KEPT * self._squares + worked * worked


@dataclass(frozen=True)
class Choice:
    """How the next preview is made, and why not in the best way."""

    method: Method
    reason: str | None


class Budget:
    """Chooses the method for one job after the other. Not thread-safe: the caller holds a lock."""

    def __init__(self) -> None:
        self._loss = Loss()
        self.begin(None, Size(512, 512))

    def begin(self, experience: Experience | None, size: Size, pictures: int = 1) -> None:
        """Begin with a job; what is known of its previews and steps is where it starts.

        `size` is that of a call of the denoiser, `pictures` are those that a preview shows.
        """
        self.size = size
        self._experience, self._shown = experience, size._replace(rows=pictures)
        self._step: float | None = None  # without what previews cost it
        self._costs: dict[Method, float] = {}  # learned and measured
        self._least: dict[Method, float] = {}  # what a method costs at least, while nothing better is known
        self._failed: set[Method] = set()
        self._method: Method | None = None
        self._usable: list[Method] = []
        self._room = 0.0  # what one preview may cost
        if experience is None:
            return
        self._step = experience.seconds("step", size)
        for method, kind in _KIND.items():
            known = experience.seconds(kind, self._shown)
            if known is not None:
                self._costs[method] = known
        decode = experience.seconds("decode", size._replace(rows=1))
        if decode is not None:
            # At least what decoding takes with all cores: where that is hopeless it need not be tried.
            self._least["full"] = decode * pictures

    def is_for(self, experience: Experience | None, size: Size) -> bool:
        """Tell whether this is the model that it knows, and the size of its calls."""
        return (experience, size) == (self._experience, self.size)

    def step_took(self, seconds: float, worked: float) -> None:
        """Take note of a step during which the preview thread worked for `worked` seconds."""
        if self._step is None:
            self._step = seconds
        elif self._step > 0:
            self._loss.step(seconds / self._step - 1.0, worked / self._step)
            # A step that was held up counts for no more than a slow one.
            own = min(max(seconds - worked * self._loss.per_second, 0.0), 3 * self._step)
            self._step += _NEWEST_COUNTS * (own - self._step)

    def made(self, method: Method, worked: float, cold: bool = False) -> None:
        """Take note of a preview that took `worked` seconds of its thread.

        One that was `cold` is neither charged nor learned: the first use of a method also loads and warms up. Only
        what no warming up explains is known from then on.
        """
        if cold:
            self._least[method] = max(worked - _WARMING_UP_AT_MOST_SECONDS, self._least.get(method, 0.0))
            return
        known = self._costs.get(method, worked)
        self._costs[method] = known + _NEWEST_COUNTS * (worked - known)
        if self._experience is not None:
            self._experience.learn(_KIND[method], worked, self._shown)

    def failed(self, method: Method) -> None:
        """Use another method for the rest of the job, if there is one."""
        self._failed.add(method)

    def choose(self, available: Sequence[Method], share: float, every: int) -> Choice:
        """Return how the next preview is made when there is one each `every` steps and all may cost `share` of them.

        Where so many steps pass quickly there may be fewer, for the sake of better ones.
        """
        self._usable = [method for method in available if method not in self._failed] or [available[-1]]
        if self._step is None:
            # Nothing is known: the model's own decoder may take seconds, a small one does not.
            self._method = cheap = next((method for method in self._usable if method != "full"), self._usable[-1])
            return Choice(cheap, None)
        self._room = share * max(self._step * every, _LONGEST_WAIT_FOR_BETTER_SECONDS)
        self._method = best = self._best()
        return Choice(best, self._reason(available[0], share, self._step * every, every))

    def pause_seconds(self, share: float) -> float:
        """Return how long to make none after one, so that the next one and all after it keep the budget."""
        if math.isinf(share):
            return 0.0
        # Another job may have begun while the last preview of the one before was made.
        cost = self._cost(self._best()) if self._usable else 0.0
        return max(cost / share, _SHORTEST_PAUSE_SECONDS)

    def _best(self) -> Method:
        """Return the best method that there is room for. One that was never tried is worth a try."""
        fitting = (
            method
            for method in self._usable
            if self._cost(method) <= self._room * (_STAYS_UNTIL if method == self._method else 1.0)
        )
        return next(fitting, self._usable[-1])

    def _cost(self, method: Method) -> float:
        return self._costs.get(method, self._least.get(method, 0.0)) * self._loss.per_second

    def _reason(self, wanted: Method, share: float, seconds: float, every: int) -> str | None:
        if self._method == wanted:
            return None
        if wanted in self._failed:
            return f"{_NAMES[wanted]} failed."
        span = f"{'a step' if every == 1 else f'{every} steps'} of {_seconds(seconds)}"
        if seconds < _LONGEST_WAIT_FOR_BETTER_SECONDS:
            span = "a second"
        return (
            f"{_NAMES[wanted]} costs {_seconds(self._cost(wanted))}, "
            f"and {span} may cost {share * 100:.0f} % for previews."
        )


def _seconds(seconds: float) -> str:
    if seconds < 0.1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s"
