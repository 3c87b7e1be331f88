"""Keep one child of a role alive: back-off, giving up, orderly restarts."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

from modules.launcher.backoff import Backoff
from modules.launcher.child import Child, Recipe
from modules.launcher.switchboard import Switchboard

logger = logging.getLogger(__name__)

Status = Literal["starting", "up", "restarting", "given_up"]
StartChild = Callable[[Recipe, Switchboard, Callable[[Child, str], None], Mapping[str, str]], Child]

SECONDS_TO_END_POLITELY = 5.0
SECONDS_TO_END_WITHOUT_LINK = 5.0


class Keeper:
    """Keep a child alive. All methods are for the supervisor's loop, except `heard`.

    `first_accepted` is called once, on a reader thread, when a server accepts for the first time: there is a page.
    """

    def __init__(
        self,
        recipe: Recipe,
        board: Switchboard,
        clock: Callable[[], float] = time.monotonic,
        start_child: StartChild = Child,
        first_accepted: Callable[[], None] = lambda: None,
    ) -> None:
        self.role = recipe.role
        self.engine = recipe.engine
        self.name = recipe.name
        self.status: Status = "starting"
        self.child: Child | None = None
        self._recipe = recipe
        self._board = board
        self._clock = clock
        self._start_child = start_child
        self._backoff = Backoff()
        self._retry_at: float | None = None
        self._retry_in: float | None = None
        self._ordered_at: float | None = None
        self._why_ended: str | None = None
        self._reason: str | None = None
        self._log: list[str] = []
        self._last_death: dict[str, Any] | None = None
        self._first_accepted: Callable[[], None] | None = first_accepted

    def start(self) -> None:
        """Start a child now."""
        self.status = "starting"
        self._retry_at = self._retry_in = self._ordered_at = None
        self.child = self._spawn()

    def restart(self) -> None:
        """Replace the child in an orderly way, or start one again that was given up."""
        if self.child is None:
            self._backoff.reset()
            self.start()
        elif self._ordered_at is None:
            self.status = "restarting"
            self._ordered_at = self._clock()
            self.child.end_politely()

    def kill(self) -> None:
        """End the child at once, since it may not hear any more, and start another. This death was ordered.

        One that has only just been started is left alone: the order was for the one before it.
        """
        if self.child is None:
            self.restart()
            return
        if self.status == "starting":
            return
        self.status = "restarting"
        self._ordered_at = self._clock()
        self.child.end_now()

    def end_stalled(self, why: str) -> None:
        """End a child that hangs, at once. This death counts, and `why` is its reason."""
        if self.child is not None and self._ordered_at is None and self._why_ended is None:
            logger.error("The %s is %s", self.name, why)
            self._why_ended = why
            self.child.end_now()

    def look(self) -> None:
        """See what became of the child and do what is due."""
        if self.child is None:
            if self._retry_at is not None and self._clock() >= self._retry_at:
                self.start()
        elif self.child.exit_code() is not None:
            self._note_end(self.child)
        else:
            self._look_at_living(self.child)

    def children(self) -> list[Child]:
        """Return every child of this role that may still run."""
        return [self.child] if self.child is not None else []

    def heard(self, child: Child, name: str) -> None:
        """Take a signal of a child, on its reader thread."""

    def report(self) -> dict[str, Any]:
        """Return what the page shows of this child."""
        return {
            "status": self.status,
            "deaths": self._backoff.deaths,
            "reason": self._reason,
            "log": self._log,
            "retry_in": self._retry_in,
        }

    def _greet(self) -> None:
        """Say for the first time that there is a page."""
        if self._first_accepted is not None:
            self._first_accepted()
            self._first_accepted = None

    def _spawn(self) -> Child | None:
        """Start a process; one that cannot even be started counts as a death."""
        extra = {} if self._last_death is None else {"STEADY_LAST_DEATH": json.dumps(self._last_death)}
        try:
            child = self._start_child(self._recipe, self._board, self.heard, extra)
        except OSError as error:
            self._note_death(f"could not be started: {error}", [], 0.0)
            return None
        logger.info("The %s starts (process %d)", self.name, child.pid)
        return child

    def _look_at_living(self, child: Child) -> None:
        now = self._clock()
        if self._ordered_at is not None:
            if now - self._ordered_at >= SECONDS_TO_END_POLITELY:
                child.end_now()
            return
        if self.status == "starting" and child.joined.is_set():
            self.status = "up"
        self._end_if_link_is_lost(child)

    def _end_if_link_is_lost(self, child: Child) -> None:
        """A child without its launcher ends; one that does not read its link any more may not be able to."""
        if child.seconds_without_link() >= SECONDS_TO_END_WITHOUT_LINK:
            logger.warning("The %s lost its link and does not end: it is killed", self.name)
            child.end_now()

    def _note_end(self, child: Child) -> None:
        reason, log = child.bury()
        reason, self._why_ended = self._why_ended or reason, None
        self.child = None
        if self._ordered_at is not None:
            logger.info("The %s has ended as ordered (%s)", self.name, reason)
            self._remember(child, ordered=True, reason=reason, log=log)
            self.start()
        else:
            self._remember(child, ordered=False, reason=reason, log=log)
            self._note_death(reason, log, child.lived_seconds)

    def _remember(self, child: Child, ordered: bool, reason: str, log: list[str]) -> None:
        """Keep how the child ended for the next one, which settles the job that it ran.

        One that ended before it had settled what an earlier one left ran none: the earlier end is still to be told.
        """
        if child.recovered.is_set():
            self._last_death = {"ordered": ordered, "reason": reason, "log": log}

    def _note_death(self, reason: str, log: list[str], lived_seconds: float) -> None:
        self._reason, self._log = reason, log
        self._retry_in = self._backoff.died(lived_seconds)
        if self._retry_in is None:
            self.status = "given_up"
            self._retry_at = None
            told = "".join(f"\n    {line}" for line in log[-10:])
            logger.error(
                "The %s died %d times in a row and is not started again: %s. Its last lines:%s",
                self.name, self._backoff.deaths, reason, told or " none",
            )  # fmt: skip
            return
        self.status = "restarting"
        self._retry_at = self._clock() + self._retry_in
        logger.warning("The %s died: %s. It starts again in %.0f s", self.name, reason, self._retry_in)
