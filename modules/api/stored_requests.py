"""Stop buttons in the server: a request is stored in the job's row first, then the engine is nudged.

So no click is lost when the engine dies between the click and the deed, and none hits the next job.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from modules.api.permission import Permission
from modules.errors import StorageError
from modules.jobs.rows import Actor, RequestAnswer, acting
from modules.jobs.store import JobStore
from modules.link import Link
from modules.shared_state import RequestKind, State

logger = logging.getLogger(__name__)

INTERRUPTS_UNTIL_KILLED = 3
GRACE_SECONDS = 2.0
STOPS = ("interrupt", "skip", "stop")  # a pause needs the disk: it keeps what is done so far


@dataclass
class _Asked:
    """The job that was asked last to end, when first, how often, and whether the end of its grace is waited for."""

    job: str
    since: float
    times: int = 0
    waits: bool = False


class StoredRequests:
    """The port that `State.skip`, `interrupt` and `stop_generating` go through in the server. Any thread.

    Who asks for the third time that a job ends has an engine that does not obey: it is killed, once it has had
    `GRACE_SECONDS` since the first time. An impatient triple click must not cost a load of the model.
    """

    def __init__(
        self,
        store: JobStore,
        link: Link | None,
        state: State,
        permission: Permission,
        clock: Callable[[], float] = time.monotonic,
        later: Callable[[float, Callable[[], None]], None] | None = None,
    ) -> None:
        self._store, self._link, self._state, self._permission = store, link, state, permission
        self._clock = clock
        self._later = later or _call_later
        self._lock = threading.Lock()
        self._asked = _Asked("", 0.0)

    def request(self, kind: RequestKind, job: str | None) -> bool:
        """Ask `job`, or the job that runs, to stop in the way of `kind`; False when there is nothing to stop."""
        return self.ask(kind, job).accepted

    def ask(self, kind: RequestKind, job: str | None, by: Actor | None = None) -> RequestAnswer:
        """Like `request`, with all that is known of the answer. `by` says who asks.

        Raises:
            UnknownJob: there is no such job.
            Refused: 403, it is another owner's, and that matters.
        """
        by = by or acting.get()
        try:
            answer = self._store.request(kind, job, by=by, permit=self._permission.rule(by, named=job is not None))
        except StorageError as error:
            answer = self._act_unstored(kind, job, by, error)
        if answer.accepted and answer.was == "running" and self._link is not None:
            self._link.signal("nudge", kind=kind, job=answer.job, image=answer.image)
        if kind == "interrupt" and answer.job is not None and answer.times:
            self._count(answer.job, answer.times)
        return answer

    def _act_unstored(self, kind: RequestKind, job: str | None, by: Actor | None, error: StorageError) -> RequestAnswer:
        """Stop the running job though the disk takes nothing: that may be the very thing that frees it.

        Raises:
            StorageError: nothing is stopped by a word to the engine alone.
            Refused: 403, it is another owner's, and that matters.
        """
        board = self._state.snapshot()
        running = board["begun_job"] if board["running"] else None
        if running is None or job not in (None, running) or kind not in STOPS or self._link is None:
            raise error
        self._permission.check(running, by)
        logger.error("%s of job %s could not be written down: %s", kind, running, error)
        with self._lock:
            times = self._asked.times + 1 if self._asked.job == running else 1
        image = board["image_index"]
        return RequestAnswer(True, "running", running, image, times if kind == "interrupt" else 0, unwritten(error))

    def _count(self, job: str, times: int) -> None:
        """Order the kill when it is time. A server that has just started knows of the first request only since now."""
        with self._lock:
            if self._asked.job != job or times == 1:
                self._asked = _Asked(job, self._clock())
            self._asked.times = times
            if times < INTERRUPTS_UNTIL_KILLED or self._asked.waits:
                return
            left = GRACE_SECONDS - (self._clock() - self._asked.since)
            self._asked.waits = left > 0
        if left > 0:
            self._later(left, lambda: self._kill_if_it_runs(job))
        else:
            self._kill_if_it_runs(job)

    def _kill_if_it_runs(self, job: str) -> None:
        with self._lock:
            self._asked.waits = False
        if self._state.running and self._state.begun_job == job:
            logger.warning(
                "Job %s was asked %d times to end and has not: its engine is killed.", job, INTERRUPTS_UNTIL_KILLED
            )
            self._state.server_command = "kill-engine"


def unwritten(error: StorageError) -> str:
    """Say that something was done and is not in the audit."""
    return f"It is done, but not written down, and neither is who did it: {error}"


def _call_later(seconds: float, function: Callable[[], None]) -> None:
    timer = threading.Timer(seconds, function)
    timer.daemon = True
    timer.start()
