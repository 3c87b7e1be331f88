"""How often passwords may be tried."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable

from modules.jobs.visitor import network_of

WINDOW_SECONDS = 300.0
MOST_PER_ADDRESS = 10
MOST_PER_USER = 30
MOST_REMEMBERED = 10_000


class Attempts:
    """Counts what was tried and not right, by address and by user, for five minutes. Event loop only.

    What is refused is not tried and does not count, so nobody can be kept out for ever by being tried again. An attempt
    counts from its beginning: many at once are no way round. Sessions and tokens are no attempts.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def seconds_to_wait(self, address: str, user: str) -> float:
        """Return after how many seconds this address may try this user again; 0: now."""
        place, person = _keys(address, user)
        return max(self._wait(place, MOST_PER_ADDRESS), self._wait(person, MOST_PER_USER))

    def begin(self, address: str, user: str) -> None:
        """Count an attempt."""
        for key in _keys(address, user):
            times = self._times.setdefault(key, deque(maxlen=max(MOST_PER_ADDRESS, MOST_PER_USER)))
            times.append(self._clock())
            self._times.move_to_end(key)
        while len(self._times) > MOST_REMEMBERED:
            self._times.popitem(last=False)

    def was_right(self, address: str, user: str) -> None:
        """Take the newest attempt back: it was none."""
        for key in _keys(address, user):
            if times := self._times.get(key):
                times.pop()

    def _wait(self, key: str, most: int) -> float:
        times = self._times.get(key)
        if times is None or len(times) < most:
            return 0.0
        return max(0.0, times[-most] + WINDOW_SECONDS - self._clock())


def _keys(address: str, user: str) -> tuple[str, str]:
    return f"address {network_of(address)}", f"user {user}"
