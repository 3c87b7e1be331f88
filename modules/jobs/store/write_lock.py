"""One writer at a time within the process, in the order of asking, and those that stop something first.

SQLite lets waiting writers try again after growing pauses, so with many of them luck decides: a stop button waited for
seconds, and some gave up.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Iterator

MOST_URGENT_IN_A_ROW = 20  # then one of the others, so that a hammered button shuts nobody out


class WriteLock:
    """A fair lock with two queues. It belongs to nobody: do not ask for it twice in one thread."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._held = False
        self._urgent: deque[threading.Event] = deque()
        self._others: deque[threading.Event] = deque()
        self._urgent_in_a_row = 0

    @contextlib.contextmanager
    def held(self, urgent: bool = False) -> Iterator[None]:
        """Hold the lock; with `urgent` before all that are not."""
        self._acquire(urgent)
        try:
            yield
        finally:
            self._pass_on()

    def _acquire(self, urgent: bool) -> None:
        with self._mutex:
            if not self._held:
                self._held = True
                return
            turn = threading.Event()
            queue = self._urgent if urgent else self._others
            queue.append(turn)
        try:
            turn.wait()
        except BaseException:  # Ctrl-C: the turn may have come in that moment
            with self._mutex:
                came = turn not in queue
                if not came:
                    queue.remove(turn)
            if came:
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        """Hand the lock to the next one; nobody can take it in between."""
        with self._mutex:
            if self._urgent and (not self._others or self._urgent_in_a_row < MOST_URGENT_IN_A_ROW):
                self._urgent_in_a_row += 1
                self._urgent.popleft().set()
            elif self._others:
                self._urgent_in_a_row = 0
                self._others.popleft().set()
            else:
                self._held = False
