"""An order that waits for its moment: a restart after the current image, or once nothing is to be drawn any more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from modules.link import Role

When = Literal["after-image", "idle"]


@dataclass(frozen=True)
class Moment:
    """What the noticeboard says of an engine's job: which one it is and which image is drawn. `begun` counts jobs."""

    running: bool
    begun: int
    image: int

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> Moment:
        """Read it from a snapshot of `State`."""
        return cls(bool(state["running"]), int(state["begun"]), int(state["image_index"]))


Moments = tuple[Moment, ...]  # of all engines, in the same order


@dataclass(frozen=True)
class WaitingOrder:
    """`command` as it came, what it restarts and when, the moments at which it came, and since when (epoch seconds)."""

    command: str
    target: Role
    when: When
    moments: Moments
    since: float

    @classmethod
    def from_command(cls, command: str, moments: Moments, since: float) -> WaitingOrder | None:
        """Return the order that a command gives; None for one that is to be obeyed now, or is unknown."""
        known = _WAITING_COMMANDS.get(command)
        return None if known is None else cls(command, *known, moments, since)

    def is_due(self, now: Moments, queue: Mapping[str, Any] | None) -> bool:
        """Tell whether the moment has come. `queue` is the topic of that name; None: nobody has said anything yet.

        An image is over when the next one is drawn or its job has ended. Idle means that no job runs and none is about
        to: between two jobs of a queue nothing runs either, so the queue is asked as well.
        """
        if self.when == "after-image":
            return all(moment != then or not moment.running for moment, then in zip(now, self.moments, strict=True))
        if any(moment.running for moment in now):
            return False
        if queue is None:
            return True
        return not queue["running"] and (bool(queue["paused"]) or not queue["queued"])

    def report(self) -> dict[str, Any]:
        """Return what the page shows of it."""
        return {"command": self.command, "since": self.since}


_WAITING_COMMANDS: dict[str, tuple[Role, When]] = {
    "restart-after-image": ("server", "after-image"),
    "restart-when-idle": ("server", "idle"),
    "restart-engine-after-image": ("engine", "after-image"),
    "restart-engine-when-idle": ("engine", "idle"),
}
