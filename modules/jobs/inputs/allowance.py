"""How much guests may have kept: what they send stays for a day, and the disk is not theirs."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from modules.errors import TooMuchSent

SECONDS = 86_400.0
_SHORTEST_WAIT_SECONDS = 60


@dataclass(frozen=True)
class Bound:
    """How many pictures, and bytes of them, may be stored in a day."""

    pictures: int
    bytes: int


OF_ONE = Bound(2_000, 2 << 30)
OF_ALL = Bound(20_000, 8 << 30)


@dataclass
class _Account:
    """What was stored in the last day: when, and how large it was."""

    stored: deque[tuple[float, int]] = field(default_factory=deque)
    bytes: int = 0

    def forget(self, before: float) -> None:
        while self.stored and self.stored[0][0] < before:
            self.bytes -= self.stored.popleft()[1]

    def add(self, now: float, size: int) -> None:
        self.stored.append((now, size))
        self.bytes += size


class GuestAllowance:
    """Counts by network what guests store, and all of them together. Any thread; a restart begins anew."""

    def __init__(
        self, of_one: Bound = OF_ONE, of_all: Bound = OF_ALL, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._of_one, self._of_all, self._clock = of_one, of_all, clock
        self._lock = threading.Lock()
        self._all = _Account()
        self._by_network: dict[str, _Account] = {}

    def charge(self, network: str, size: int) -> None:
        """Count a picture of `size` bytes that a guest of this network has stored.

        Raises:
            TooMuchSent: it would be too much for a day, and is not counted.
        """
        with self._lock:
            now = self._clock()
            self._forget(now - SECONDS)
            own = self._by_network.get(network, _Account())
            for account, bound in ((own, self._of_one), (self._all, self._of_all)):
                if len(account.stored) >= bound.pictures or account.bytes + size > bound.bytes:
                    raise self._refusal(account, bound, now)
            self._by_network[network] = own
            own.add(now, size)
            self._all.add(now, size)

    def _forget(self, before: float) -> None:
        self._all.forget(before)
        for network, account in list(self._by_network.items()):
            account.forget(before)
            if not account.stored:
                del self._by_network[network]

    @staticmethod
    def _refusal(account: _Account, bound: Bound, now: float) -> TooMuchSent:
        wait = account.stored[0][0] + SECONDS - now if account.stored else SECONDS
        return TooMuchSent(
            f"Guests may send {bound.pictures:,} pictures and {bound.bytes >> 20:,} MiB of them a day: send smaller "
            "ones, use one again that was sent, or log in.",
            max(_SHORTEST_WAIT_SECONDS, round(wait)),
        )
