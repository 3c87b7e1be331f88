"""How many may follow the live stream, in all and from one address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from modules.api.answers import Refused
from modules.cmd_args import is_loopback
from modules.jobs.visitor import network_of

MOST_WATCHERS = 400
# Tabs and programs of one machine. This machine itself, behind which tests and proxies are, has all places.
MOST_WATCHERS_OF_AN_ADDRESS = 32
SECONDS_TO_COME_AGAIN = 5


class Watchers:
    """Counts those who follow. Event loop only."""

    def __init__(
        self,
        most: int = MOST_WATCHERS,
        most_of_an_address: int = MOST_WATCHERS_OF_AN_ADDRESS,
        is_known: Callable[[str], bool] = is_loopback,
    ) -> None:
        self._most, self._most_of_an_address, self._is_known = most, most_of_an_address, is_known
        self._counts: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._counts.total()

    @contextmanager
    def place(self, address: str) -> Iterator[None]:
        """Hold one of the places.

        Raises:
            Refused: 503, there is none.
        """
        network = network_of(address)
        if len(self) >= self._most:
            raise self._refusal(f"{self._most} watch already")
        if self._counts[network] >= self._most_of_an_address and not self._is_known(address):
            raise self._refusal(f"{self._most_of_an_address} watch from {address} already")
        self._counts[network] += 1
        try:
            yield
        finally:
            self._counts[network] -= 1
            if not self._counts[network]:
                del self._counts[network]

    def _refusal(self, why: str) -> Refused:
        words = f"{why}: close pages that nobody looks at, or ask /sdapi/v1/progress now and then."
        return Refused(503, words, {"Retry-After": str(SECONDS_TO_COME_AGAIN)})
