"""The end of this server, as those see it whom it still serves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class GracefulShutdown:
    """Two steps: `leaving` (another server takes over: finish, take nothing new) and `stopping` (end now).

    Event loop only.
    """

    def __init__(self) -> None:
        self.leaving = asyncio.Event()
        self.stopping = asyncio.Event()
        self._waiters = 0

    @property
    def waiters(self) -> int:
        """How many clients wait for a picture."""
        return self._waiters

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Count a client that waits for a picture: a leaving server ends only after its answer."""
        self._waiters += 1
        try:
            yield
        finally:
            self._waiters -= 1

    def leave(self) -> None:
        """Streams end, answers close their connection, settings are no longer written."""
        self.leaving.set()

    def stop(self) -> None:
        """Whoever still waits is told to come back later."""
        self.leaving.set()
        self.stopping.set()
