"""A job that was asked three times to end and has not is ended with its engine.

This is a part of stopping that job and not a restart: who may stop it may do this too, also where restarts are for this
machine alone. The launcher decides, since an engine that hangs cannot and a server may be replaced in between.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from modules.launcher.keeper import Keeper
from modules.shared_state import State

logger = logging.getLogger(__name__)

INTERRUPTS_UNTIL_KILLED = 3
# An impatient triple click must not cost a load of the model.
GRACE_SECONDS = 2.0


@dataclass
class _Asked:
    """The job that was asked last to end, since when, how often, and whether it was seen to run since."""

    job: str
    since: float
    times: int = 0
    seen: bool = False


class Disobedience:
    """Counts interrupts (any thread) and, for the supervisor's loop, ends the engine that does not obey them.

    `state` is that engine's. Interrupts of jobs that it does not run may be counted too, and do nothing.
    """

    def __init__(self, state: State, engine: Keeper, clock: Callable[[], float] = time.monotonic) -> None:
        self._state = state
        self._engine = engine
        self._clock = clock
        self._lock = threading.Lock()
        self._asked: _Asked | None = None

    def note(self, job: str, times: int) -> None:
        """Take an interrupt of the running job, the `times`-th of this run; 0: nobody could count it."""
        with self._lock:
            if self._asked is None or self._asked.job != job or times == 1:
                self._asked = _Asked(job, self._clock())
            self._asked.times = max(self._asked.times + 1, times)

    def look(self) -> None:
        """Do what is due."""
        with self._lock:
            asked = self._asked
            if asked is None:
                return
            board = self._state.snapshot()
            if not board["running"] or board["begun_job"] != asked.job:
                self._asked = None if asked.seen else asked  # it may be about to begin
                return
            asked.seen = True
            if asked.times < INTERRUPTS_UNTIL_KILLED or self._clock() - asked.since < GRACE_SECONDS:
                return
            self._asked = None
        logger.warning("Job %s was asked %d times to end and has not: its engine is killed", asked.job, asked.times)
        self._engine.kill()
