"""Talks to the running program and to its database, and takes down what should not have been answered."""

import contextlib
import http.client
import json
import sqlite3
import threading
import time
from typing import Any

from tests.chaos.ledger import Ledger
from tests.chaos.plan import Wish
from tests.chaos.readers import Reader
from tests.program import Program


class Talker:
    """One run against one program. `problems` are found on the way, `compared` counts pictures that were compared."""

    def __init__(self, program: Program, wishes: list[Wish]) -> None:
        self.program = program
        self.wishes = wishes
        self.ledger = Ledger()
        self.problems: list[str] = []
        # Whoever waits may hear that a job was removed before the one who removed it does: looked at in the end.
        self.told_gone: list[str] = []
        self.readers: list[Reader] = []
        self.waiting_clients: list[threading.Thread] = []
        self.interrupted_in_queue: list[tuple[float, float, str | None, int | None]] = []
        self.compared = 0
        self._server_blows: list[float] = []

    def raw(self, method: str, path: str, body: Any = None) -> tuple[int | None, bytes]:
        """Return status and body; status None when the connection broke, which only a kill excuses."""
        began = time.monotonic()
        try:
            return self.program.call(
                method, path, body if body is not None or method != "POST" else {}, timeout_seconds=90
            )
        except (OSError, http.client.HTTPException) as error:
            if not self._was_killed_since(began):
                self.problems.append(f"{method} {path} failed although nobody killed the server: {error!r}")
            return None, b""

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Return the answer; None when it was lost."""
        status, answer = self.raw(method, path, body)
        if status is None:
            return None
        if status != 200:
            self.problems.append(f"{method} {path} {body}: {status} {answer[:300]!r}")
            return None
        return json.loads(answer)

    def running_row(self) -> tuple[str, str, str | None] | None:
        """Return id, engine and phase of the job that the database says runs."""
        found = self.query("SELECT id, engine, phase FROM jobs WHERE status = 'running'")
        return found[0] if found else None

    def jobs_in(self, statuses: tuple[str, ...]) -> list[str]:
        """Return the ids of the jobs in one of these statuses, in the order of their submission."""
        marks = ", ".join("?" * len(statuses))
        return [id for (id,) in self.query(f"SELECT id FROM jobs WHERE status IN ({marks}) ORDER BY number", *statuses)]

    def count(self, status: str) -> int:
        return int(self.query("SELECT count(*) FROM jobs WHERE status = ?", status)[0][0])

    def query(self, sql: str, *parameters: Any) -> list[Any]:
        """Ask the database itself, which is there also while no server is."""
        with contextlib.closing(
            sqlite3.connect(f"file:{self.program.data}/jobs.sqlite?mode=ro", uri=True)
        ) as connection:
            return connection.execute(sql, parameters).fetchall()

    def _was_killed_since(self, began: float) -> bool:
        """Tell whether the server of a request that began then was killed; the next deed waits until one is up."""
        return any(blow >= began - 1 for blow in self._server_blows)
