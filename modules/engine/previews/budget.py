"""How much previews may cost: which method they can afford, and how often.

The preview thread shares cores, caches and Python's lock with the sampler, so its own time says little of what the job
loses. What counts is how much longer steps are during which it worked, compared with those during which it did not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from modules.engine.previews.methods import Method
from modules.engine.progress.timings import Experience, Kind

_KIND: dict[Method, Kind] = {"full": "preview_full", "small": "preview_small", "linear": "preview_linear"}
_NAMES: dict[Method, str] = {
    "full": "A full preview", "small": "A preview by the small decoder", "linear": "A linear preview",
}  # fmt: skip
_NEWEST_COUNTS = 0.2  # in moving averages
_OVER = 1.15  # times the budget: then something cheaper
_FAR_OVER = 2.0  # times the budget: at once, where else two in a row decide
_WELL_UNDER = 0.6  # times the budget: then something better
_PREVIEWS_BEFORE_UP = 5
# With fast steps previews go by time: a clear picture now and then says more than a blurred one after each step.
_LONGEST_WAIT_FOR_BETTER_SECONDS = 1.0
_SHORTEST_PAUSE_SECONDS = 0.2  # who watches sees no more than five pictures a second
_LONGEST_PAUSE_SECONDS = 5.0
_VALUES_LEARNED = 5
_WARMING_UP_AT_MOST_SECONDS = 1.0


class Loss:
    """How much time the job loses for each second that the preview thread works: a slope, fitted as steps come.

    It starts as `LIKELY`, which gives way as soon as steps with and without previews differ enough to tell.
    """

    LIKELY = 1.0
    _LOW, _HIGH = 0.1, 3.0
    _STRENGTH = 0.02
    _NEWEST = 0.05

    def __init__(self) -> None:
        self._mean_work, self._mean_longer = 0.0, 1.0
        self._variance = self._together = 0.0

    @property
    def per_second(self) -> float:
        """Return the slope."""
        slope = (self._together + self._STRENGTH * self.LIKELY) / (self._variance + self._STRENGTH)
        return min(max(slope, self._LOW), self._HIGH)

    def step(self, took: float, worked: float, usual: float) -> None:
        """Take note of a step that `took` seconds, in which the preview thread `worked` so many."""
        work, longer = worked / usual, took / usual
        if longer > 3.0:
            return  # Something else happened.
        work_off, longer_off = work - self._mean_work, longer - self._mean_longer
        self._mean_work += self._NEWEST * work_off
        self._mean_longer += self._NEWEST * longer_off
        keep = 1.0 - self._NEWEST
        self._variance = keep * (self._variance + self._NEWEST * work_off * work_off)
        self._together = keep * (self._together + self._NEWEST * work_off * longer_off)


@dataclass(frozen=True)
class Choice:
    """How the next preview is made, and why not in the best way."""

    method: Method
    reason: str | None


class Budget:
    """Chooses the method for one job after the other. Not thread-safe: the caller holds a lock."""

    def __init__(self) -> None:
        self._experience: Experience | None = None
        self._pictures = 1
        self._step: float | None = None
        self._loss = Loss()
        self._costs: dict[Method, float] = {}
        self._made: dict[Method, int] = {}
        self._failed: set[Method] = set()
        self._method: Method | None = None
        self._usable: list[Method] = []
        self._room: float | None = None  # what one preview may cost
        self._since_switch = 0
        self._over = 0

    @property
    def step_seconds(self) -> float | None:
        """How long a step takes."""
        return self._step

    def begin(self, experience: Experience | None, rows: int, pictures: int = 1) -> None:
        """Begin with a job; what is known of its previews and steps is where it starts.

        `rows` are those of a call of the denoiser, `pictures` those that a preview shows.
        """
        self._experience, self._pictures = experience, pictures
        self._costs, self._made, self._failed = {}, {}, set()
        self._method, self._since_switch, self._over = None, 0, 0
        self._step = None
        if experience is None:
            return
        self._step = experience.seconds("step", rows)
        for method, kind in _KIND.items():
            known = experience.seconds(kind, pictures)
            if known is not None:
                self._costs[method] = known
        decode = experience.seconds("decode")
        if decode is not None:
            # At least what decoding takes with all cores: where that is hopeless it need not be tried.
            self._costs.setdefault("full", decode * pictures)

    def step_took(self, seconds: float, worked: float) -> None:
        """Take note of a step during which the preview thread worked for `worked` seconds."""
        if self._step is None:
            self._step = seconds
        elif seconds > 0:
            self._loss.step(seconds, worked, self._step)
            # A step that was held up counts for no more than a slow one.
            self._step += _NEWEST_COUNTS * (min(seconds, 3 * self._step) - self._step)

    def made(self, method: Method, worked: float, cold: bool = False) -> None:
        """Take note of a preview that took `worked` seconds of its thread.

        One that was `cold` is neither charged nor learned: the first use of a method also loads and warms up. Only
        what no warming up explains is known from then on.
        """
        if cold:
            if worked > _WARMING_UP_AT_MOST_SECONDS:
                self._costs.setdefault(method, worked - _WARMING_UP_AT_MOST_SECONDS)
            return
        known = self._costs.get(method)
        count = self._made[method] = self._made.get(method, 0) + 1
        self._costs[method] = worked if known is None else known + _NEWEST_COUNTS * (worked - known)
        self._since_switch += 1
        if self._experience is not None and count <= _VALUES_LEARNED:
            self._experience.learn(_KIND[method], worked, self._pictures)

    def failed(self, method: Method) -> None:
        """Use another method for the rest of the job, if there is one."""
        self._failed.add(method)

    def choose(self, available: Sequence[Method], share: float, every: int) -> Choice:
        """Return how the next preview is made when there is one each `every` steps and all may cost `share` of them.

        Where so many steps pass quickly there may be fewer, for the sake of better ones.
        """
        usable = [method for method in available if method not in self._failed] or [available[-1]]
        room = None if self._step is None else share * max(self._step * every, _LONGEST_WAIT_FOR_BETTER_SECONDS)
        self._usable, self._room = usable, room
        before = self._method
        if room is None:
            # Nothing is known: the model's own decoder may take seconds, a small one does not.
            method = next((method for method in usable if method != "full"), usable[-1])
        elif before is None or before not in usable:
            method = next((method for method in usable if self._fits(method, room, 1.0)), usable[-1])
        else:
            method = self._beside(usable, usable.index(before), room)
        if method != before:
            self._since_switch = self._over = 0
        self._method = method
        return Choice(method, self._reason(available, usable, share, every))

    def pause_seconds(self, method: Method, share: float) -> float:
        """Return how long to make none after one, so that all together keep the budget and go by time."""
        if math.isinf(share):
            return 0.0
        cost = self._cost(method)
        if self._is_far_over(method):
            # A try, once for each model: what comes next is cheaper, and who watches need not pay for it.
            cost = min(self._cost(cheaper) for cheaper in self._usable[self._usable.index(method) + 1 :])
        return min(max(cost / share, _SHORTEST_PAUSE_SECONDS), _LONGEST_PAUSE_SECONDS)

    def _beside(self, usable: Sequence[Method], place: int, room: float) -> Method:
        """Return the method at `place`, or the one below or above it."""
        cost = self._cost(usable[place])
        self._over = self._over + 1 if cost > _OVER * room else 0
        if place + 1 < len(usable) and (self._over >= 2 or self._is_far_over(usable[place])):
            return usable[place + 1]
        better = usable[place - 1] if place > 0 else None
        rested = self._since_switch >= _PREVIEWS_BEFORE_UP or self._made.get(usable[place], 0) == self._since_switch
        if better is not None and rested and self._fits(better, room, _WELL_UNDER):
            return better
        return usable[place]

    def _is_far_over(self, method: Method) -> bool:
        """Tell whether one preview is enough to know that the next must be made with something cheaper."""
        has_cheaper = method in self._usable[:-1]
        return has_cheaper and self._room is not None and self._cost(method) > _FAR_OVER * self._room

    def _fits(self, method: Method, room: float, part: float) -> bool:
        """Tell whether a method costs less than a part of the room. One that was never tried is worth a try."""
        return method not in self._costs or self._cost(method) <= part * room

    def _cost(self, method: Method) -> float:
        return self._costs.get(method, 0.0) * self._loss.per_second

    def _reason(self, available: Sequence[Method], usable: Sequence[Method], share: float, every: int) -> str | None:
        wanted = available[0]
        if self._method == wanted or self._step is None:
            return None
        if wanted not in usable:
            return f"{_NAMES[wanted]} failed."
        span = f"{'a step' if every == 1 else f'{every} steps'} of {_seconds(self._step * every)}"
        if self._step * every < _LONGEST_WAIT_FOR_BETTER_SECONDS:
            span = "a second"
        return (
            f"{_NAMES[wanted]} costs {_seconds(self._cost(wanted))}, "
            f"and {span} may cost {share * 100:.0f} % for previews."
        )


def _seconds(seconds: float) -> str:
    if seconds < 0.1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s"
