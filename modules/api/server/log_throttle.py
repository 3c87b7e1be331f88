"""A line that a client can bring about as often as it likes is logged now and then, with how often it was held back."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

SECONDS_BETWEEN = 60.0
# asyncio's when no file can be opened for a new connection: once for each attempt; uvicorn's of what is no HTTP.
LOGGERS = ("asyncio", "uvicorn.error")


class Throttle(logging.Filter):
    """Lets a line of code say its words once a minute. A traceback of the application is never held back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._last: dict[tuple[str, int], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Decide about one line."""
        if record.exc_info and record.name != "asyncio":
            return True
        place, now = (record.pathname, record.lineno), self._clock()
        said, held = self._last.get(place, (-SECONDS_BETWEEN, 0))
        if now - said < SECONDS_BETWEEN:
            self._last[place] = said, held + 1
            return False
        self._last[place] = now, 0
        if held:
            record.msg, record.args = f"{record.getMessage()} (and {held} times more since then)", ()
        return True


def throttle_logs() -> None:
    """Hold back what clients can repeat without end."""
    for name in LOGGERS:
        logging.getLogger(name).addFilter(Throttle())
