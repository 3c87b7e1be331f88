"""The newest of its kind, told to all who watch: the more there are, the more rarely, so that they slow nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from modules.api.live.subscription import Message, Subscription

# So many get everything at once. What more of them may cost in all is a share of one core's time.
READERS_THAT_COST_NOTHING = 20
SECONDS_A_MESSAGE = 0.00015
BYTES_A_SECOND = 300e6
SHARE = 0.1


class FanOut:
    """Tells `readers` the newest message of each slot; of what comes too often the last. Event loop only."""

    def __init__(self, readers: Collection[Subscription]) -> None:
        self._readers = readers
        self._held: dict[str, Message] = {}
        self._timer: asyncio.TimerHandle | None = None

    def tell(self, slot: str, message: Message) -> None:
        """Tell at once, or as soon as those before it are paid for."""
        self._held[slot] = message
        if self._timer is None:
            self._pass_on()

    def close(self) -> None:
        """Tell nothing more."""
        if self._timer is not None:
            self._timer.cancel()
        self._held.clear()

    def _pass_on(self) -> None:
        self._timer = None
        if not self._held:
            return
        told, self._held = self._held, {}
        for slot, message in told.items():
            for reader in self._readers:
                reader.put_newest(slot, message)
        pause = seconds_of(len(self._readers), [len(message.text) for message in told.values()])
        if pause > 0:
            self._timer = asyncio.get_running_loop().call_later(pause, self._pass_on)


def seconds_of(readers: int, sizes: Collection[int]) -> float:
    """Return how long to be silent after messages of these sizes, so that all of it stays within the share."""
    if readers <= READERS_THAT_COST_NOTHING:
        return 0.0
    return readers * sum(SECONDS_A_MESSAGE + size / BYTES_A_SECOND for size in sizes) / SHARE
