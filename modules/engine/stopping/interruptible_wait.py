"""Wait for work that has no cancel points of its own, without being bound to its end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")

_SECONDS_BETWEEN_CHECKS = 0.02


def wait_for(work: Callable[[], T], check: Callable[[], None]) -> T:
    """Do `work` on a thread of its own and return its result; what `check` raises meanwhile ends the waiting.

    Work that nobody waits for any more goes on to its end, and its result is dropped.
    """
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, name="waited for", daemon=True).start()
    while True:
        try:
            return future.result(timeout=_SECONDS_BETWEEN_CHECKS)
        except TimeoutError:
            if future.done():
                raise  # It was the work itself that timed out.
            check()
