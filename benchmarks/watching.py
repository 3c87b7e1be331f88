"""Follow the running program by its live stream, as a page does, and wait for what it tells."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from tests.program import TERMINAL


class Watching:
    """What the stream said last: job and phase that run, and when (monotonic) each job ended and how.

    Use it as a context manager. It connects again when its server goes.
    """

    def __init__(self, port: int) -> None:
        self.job: str | None = None
        self.phase: str | None = None
        self.ended: dict[str, tuple[str, float]] = {}
        self._port = port
        self._over = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="watching", daemon=True)

    def __enter__(self) -> Watching:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over = True
        self._thread.join(10)

    def wait(self, what: Callable[[], bool], seconds: float) -> bool:
        """Return as soon as `what` is true after a message; False when the time is over."""
        with self._changed:
            return self._changed.wait_for(what, seconds)

    def wait_for_end(self, job: str, seconds: float = 600) -> tuple[str, float]:
        """Return with which status the job ended, and when that was told."""
        assert self.wait(lambda: job in self.ended, seconds), f"job {job} does not end"
        return self.ended[job]

    def _run(self) -> None:
        while not self._over:
            with contextlib.suppress(OSError, WebSocketException):
                self._follow()

    def _follow(self) -> None:
        url = f"ws://127.0.0.1:{self._port}/steady/live?owner=benchmark"
        with connect(url, open_timeout=60, max_size=None) as connection:
            while not self._over:
                with contextlib.suppress(TimeoutError):
                    self._take(json.loads(connection.recv(timeout=0.5)), time.monotonic())

    def _take(self, message: dict[str, Any], at: float) -> None:
        with self._changed:
            if message["type"] in ("progress", "snapshot"):
                progress = message.get("progress") or {}
                self.job, self.phase = progress.get("job"), progress.get("phase")
            elif message["type"] == "event" and message["kind"] == "job":
                status = message["payload"].get("status")
                if status in TERMINAL:
                    self.ended[message["job_id"]] = (status, at)
            self._changed.notify_all()
