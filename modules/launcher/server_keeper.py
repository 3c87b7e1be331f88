"""Keep a server accepting, and swap it for a new one without a client noticing.

There are never two acceptors: the new server builds everything and reports `ready`, the old one is told to `retire` and
answers `stopped`, then the new one is told to `accept` and answers `accepting`. What comes in between waits in the
backlog of the socket, which the launcher holds. The steps are taken on the reader threads, so the gap is milliseconds;
the loop only looks after what does not come.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Literal

from modules.launcher.child import Child, Recipe
from modules.launcher.keeper import Keeper, StartChild
from modules.launcher.switchboard import Switchboard

logger = logging.getLogger(__name__)

SECONDS_TO_BE_READY = 60.0
SECONDS_TO_STOP_ACCEPTING = 5.0
SECONDS_TO_ACCEPT = 10.0

Phase = Literal["settled", "starting", "retiring", "accepting"]


class ServerKeeper(Keeper):
    """`child` is the server that accepts, `_next` the one that is to; those that still answer are kept apart."""

    def __init__(
        self,
        recipe: Recipe,
        board: Switchboard,
        clock: Callable[[], float] = time.monotonic,
        start_child: StartChild = Child,
        first_accepted: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(recipe, board, clock, start_child, first_accepted)
        self._lock = threading.RLock()  # the loop and the reader threads
        self._next: Child | None = None
        self._phase: Phase = "settled"
        self._phase_since = 0.0
        self._retired: list[Child] = []
        self._buried: dict[Child, tuple[str, list[str]]] = {}  # how they ended and their last lines; the loop's alone
        self._swap_number = 0
        self._swap_status: Literal["idle", "starting", "failed"] = "idle"
        self._swap_reason: str | None = None
        self._why_given_up: str | None = None

    def start(self) -> None:
        """Start a server that accepts as soon as it is ready."""
        with self._lock:
            self._retry_at = self._retry_in = None
            if self.child is None:
                self.status = "starting"
            self._enter("starting")
            self._next = self._spawn()
            if self._next is None:
                self._enter("settled")

    def restart(self) -> None:
        """Swap the server for a new one. While that goes on, another restart is the same restart."""
        with self._lock:
            if self._next is not None:
                return
            if self.child is None:
                self._backoff.reset()
            self._swap_number += 1
            self._swap_status, self._swap_reason = "starting", None
            self.start()

    def look(self) -> None:
        """See what became of the servers and do what is due. One that has ended is buried without the lock.

        A burial waits for the last words of the dead one, and its reader thread may wait for the lock to say them.
        """
        with self._lock:
            ended = [child for child in self.children() if child.exit_code() is not None]
        for child in ended:
            if child not in self._buried:
                self._buried[child] = child.bury()
        with self._lock:
            self._look_at_retired()
            if self._next is not None:
                self._look_at_next(self._next)
            if self.child is not None:
                self._look_at_acceptor(self.child)
            elif self._next is None and self._retry_at is not None and self._clock() >= self._retry_at:
                self.start()

    def children(self) -> list[Child]:
        """Return every server that may still run."""
        with self._lock:
            return [child for child in (self.child, self._next, *self._retired) if child is not None]

    def heard(self, child: Child, name: str) -> None:
        """Take the next step of a swap, on the reader thread of the server that made it possible."""
        with self._lock:
            if name == "ready" and child is self._next and self._phase == "starting":
                if self.child is None:
                    self._let_accept(child)
                else:
                    self._enter("retiring")
                    self.child.line.signal("retire")
            elif name == "stopped" and child is self.child and self._phase == "retiring" and self._next is not None:
                self._let_accept(self._next)
            elif name == "accepting" and child is self._next and self._phase == "accepting":
                self._settle(child)

    def swap_report(self) -> dict[str, Any]:
        """Return what the page shows of the latest restart."""
        with self._lock:
            return {"status": self._swap_status, "reason": self._swap_reason, "number": self._swap_number}

    def _enter(self, phase: Phase) -> None:
        self._phase = phase
        self._phase_since = self._clock()

    def _let_accept(self, child: Child) -> None:
        if self.child is not None:
            self._retired.append(self.child)
            self.child = None
        self._enter("accepting")
        child.line.signal("accept")

    def _settle(self, child: Child) -> None:
        self.child, self._next = child, None
        self.status = "up"
        self._enter("settled")
        if self._swap_status == "starting":
            self._swap_status = "idle"
            logger.info("The new server accepts (process %d)", child.pid)
        self._greet()

    def _look_at_retired(self) -> None:
        for child in [child for child in self._retired if child in self._buried]:
            self._retired.remove(child)
            logger.info("The old server has given its last answers and ended (%s)", self._buried.pop(child)[0])

    def _look_at_next(self, child: Child) -> None:
        waited = self._clock() - self._phase_since
        if child in self._buried:
            self._note_end_of_next(child, *self._buried.pop(child))
        elif child.exit_code() is not None:
            return  # since a moment: it is buried at the next look
        elif self._phase == "starting" and self.child is not None and waited >= SECONDS_TO_BE_READY:
            self._give_up_next(child, f"it was not ready after {SECONDS_TO_BE_READY:.0f} s")
        elif self._phase == "retiring" and self.child is not None and waited >= SECONDS_TO_STOP_ACCEPTING:
            logger.warning("The old server does not stop accepting: it is killed")
            self.child.end_now()
        elif self._phase == "accepting" and waited >= SECONDS_TO_ACCEPT:
            logger.warning("The new server does not accept: it is killed")
            child.end_now()
        else:
            self._end_if_link_is_lost(child)

    def _look_at_acceptor(self, child: Child) -> None:
        if child not in self._buried:
            if child.exit_code() is None:
                self._end_if_link_is_lost(child)
            return
        reason, log = self._buried.pop(child)
        self.child = None
        if self._next is None:
            self._note_death(reason, log, child.lived_seconds)
            return
        logger.warning("The old server died while the new one starts: %s", reason)
        self._reason, self._log = reason, log
        if self._phase == "retiring":
            self._let_accept(self._next)

    def _note_end_of_next(self, child: Child, reason: str, log: list[str]) -> None:
        reason, self._why_given_up = self._why_given_up or reason, None
        self._next = None
        if self._phase == "retiring" and self.child is not None:
            self._retired.append(self.child)  # It cannot accept again.
            self.child = None
        self._enter("settled")
        self._note_death(reason, log, child.lived_seconds)

    def _give_up_next(self, child: Child, reason: str) -> None:
        """End a server that is not ready in time; it is buried at the next look. Its `ready` comes too late by then."""
        self._why_given_up = reason
        self._enter("settled")
        child.end_now()

    def _note_death(self, reason: str, log: list[str], lived_seconds: float) -> None:
        """A death costs the page only when nobody accepts any more; else it is a restart that failed."""
        if self._swap_status == "starting":
            self._swap_status = "failed"
            self._swap_reason = f"The new server failed: {reason}. {log[-1] if log else ''}".strip()
        if self.child is None:
            super()._note_death(reason, log, lived_seconds)
        else:
            self._reason, self._log = reason, log
            logger.error("The new server failed (%s); the old one goes on", reason)
