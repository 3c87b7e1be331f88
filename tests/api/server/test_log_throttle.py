"""A line that clients bring about fills no disk; what else goes wrong is always told."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterator

import pytest

from modules.api.server.log_throttle import SECONDS_BETWEEN, Throttle


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Iterator[Clock]:
    clock = Clock()
    throttle = Throttle(clock)
    for name in ("asyncio", "uvicorn.error"):
        logging.getLogger(name).addFilter(throttle)
    yield clock
    for name in ("asyncio", "uvicorn.error"):
        logging.getLogger(name).removeFilter(throttle)


def test_a_repeated_line_is_told_once_a_minute_with_its_number(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    def complain() -> None:
        logging.getLogger("uvicorn.error").warning("Invalid %s", "request")

    for _ in range(1000):
        complain()
    logging.getLogger("uvicorn.error").warning("Something else")
    clock.now += SECONDS_BETWEEN
    complain()
    assert [record.getMessage() for record in caplog.records] == [
        "Invalid request",
        "Something else",
        "Invalid request (and 999 times more since then)",
    ]


def test_each_fault_of_the_application_is_told(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        try:
            raise ValueError("a fault")
        except ValueError as error:
            logging.getLogger("uvicorn.error").error("Exception in ASGI application\n", exc_info=error)
    assert len(caplog.records) == 3


async def test_a_machine_without_files_is_one_line(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """As asyncio tells it, once for each connection that could not be accepted."""
    loop = asyncio.get_running_loop()
    with socket.socket() as listening:
        for _ in range(1000):
            error = OSError(24, "Too many open files")
            message = "socket.accept() out of system resource"
            loop.default_exception_handler({"message": message, "exception": error, "socket": listening})
    assert len(caplog.records) == 1
