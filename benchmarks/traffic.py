"""Clients that ask the running program over and over, and what their answers took."""

from __future__ import annotations

import http.client
import json
import math
import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from tests.program import Program

STEPS = 20


def job_that_lasts(program: Program, seconds: float) -> dict[str, Any]:
    """Return a request whose job takes about so long on this machine as busy as it is now."""
    job: dict[str, Any] = {"prompt": "red heart", "seed": 3, "steps": STEPS}
    program.wait_for(program.submit(**job), timeout_seconds=300)  # loads the model
    took = min(_job_seconds(program, job) for _ in range(3))
    return {**job, "n_iter": max(2, math.ceil(seconds / took))}


def _job_seconds(program: Program, request: dict[str, Any]) -> float:
    job = program.wait_for(program.submit(**request), timeout_seconds=300)
    return float(job["finished_at"] - job["started_at"])


@dataclass(frozen=True)
class Route:
    """A request that can be made at any time without changing anything."""

    method: str
    path: str
    body: Any = None


@dataclass
class Traffic:
    """Threads that ask `routes` in turn, each `rate` times a second in all; half of them keep their connection.

    Use it as a context manager. `seconds` holds (duration, route) of each answer, `failed` what went wrong.
    """

    port: int
    routes: tuple[Route, ...]
    rate: float
    clients: int = 4
    seconds: list[tuple[float, Route]] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(self.clients)]

    def __enter__(self) -> Traffic:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def percentile(self, share: float) -> float:
        """Return the duration that `share` (0 to 1) of the answers did not exceed."""
        durations = sorted(duration for duration, _ in self.seconds)
        return durations[min(int(len(durations) * share), len(durations) - 1)]

    def _ask(self, number: int) -> None:
        kept = number % 2 == 0
        pause = self.clients / self.rate
        due = time.monotonic() + pause * number / self.clients
        connection: http.client.HTTPConnection | None = None
        turn = number
        while not self._stopped.wait(max(0.0, due - time.monotonic())):
            due = max(due + pause, time.monotonic() - pause)
            route = self.routes[turn % len(self.routes)]
            turn += 1
            began = time.monotonic()
            try:
                connection = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
                body = None if route.body is None else json.dumps(route.body)
                connection.request(route.method, route.path, body, {"content-type": "application/json"})
                answer = connection.getresponse()
                content = answer.read()
                if answer.status != 200:
                    self.failed.append(f"{route.path}: {answer.status} {content[:100]!r}")
                if not kept or answer.will_close:
                    connection.close()
                    connection = None
            except (OSError, http.client.HTTPException) as error:
                self.failed.append(f"{route.path} ({'kept' if kept else 'new'}): {error!r}")
                connection = None
            self.seconds.append((time.monotonic() - began, route))
        if connection is not None:
            connection.close()
