"""Stop buttons in the server: a request is stored in the job's row first, then the engine is nudged.

So no click is lost when the engine dies between the click and the deed, and none hits the next job.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from modules.api.permission import Permission
from modules.jobs.rows import Actor, RequestAnswer, acting
from modules.jobs.store import JobStore
from modules.link import Link
from modules.shared_state import RequestKind, State

logger = logging.getLogger(__name__)

INTERRUPTS_UNTIL_KILLED = 3
GRACE_SECONDS = 2.0


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
        self._first_asked: tuple[str, float] | None = None

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
        self._permission.check(job, by)
        answer = self._store.request(kind, job, by=by)
        if answer.accepted and answer.was == "running" and self._link is not None:
            self._link.signal("nudge", kind=kind, job=answer.job, image=answer.image)
        if kind == "interrupt" and answer.job is not None and answer.times:
            self._count(answer.job, answer.times)
        return answer

    def _count(self, job: str, times: int) -> None:
        """Note when a job was asked first. A server that has just started knows only since now."""
        now = self._clock()
        with self._lock:
            if self._first_asked is None or self._first_asked[0] != job:
                self._first_asked = (job, now)
            since = self._first_asked[1]
        if times < INTERRUPTS_UNTIL_KILLED:
            return
        if now - since >= GRACE_SECONDS:
            self._kill_if_it_runs(job)
        elif times == INTERRUPTS_UNTIL_KILLED:
            self._later(GRACE_SECONDS - (now - since), lambda: self._kill_if_it_runs(job))

    def _kill_if_it_runs(self, job: str) -> None:
        if self._state.running and self._state.begun_job == job:
            logger.warning(
                "Job %s was asked %d times to end and has not: its engine is killed.", job, INTERRUPTS_UNTIL_KILLED
            )
            self._state.server_command = "kill-engine"


def _call_later(seconds: float, function: Callable[[], None]) -> None:
    timer = threading.Timer(seconds, function)
    timer.daemon = True
    timer.start()
