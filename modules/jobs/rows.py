"""What the job store hands out: typed, frozen rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

JobStatus = Literal["queued", "running", "done", "interrupted", "failed", "paused", "quarantined"]
EndStatus = Literal["done", "interrupted", "failed"]
RequestKind = Literal["skip", "interrupt", "stop"]
EventKind = Literal["job", "image", "request", "settings", "removed"]
ImageStatus = Literal["reserved", "complete", "expired"]

UNFINISHED: frozenset[str] = frozenset({"queued", "running", "paused"})
TERMINAL: frozenset[str] = frozenset({"done", "interrupted", "failed", "quarantined"})


@dataclass(frozen=True)
class Job:
    """One job. Times are seconds since the epoch; None means that it has not come to that yet.

    `number` is the order of submission. `position` is the place in the queue, 1 for the next, 0 for a running job.
    `requested` and `skip_image` are what the user asked for and the engine may not have obeyed yet.
    `stopped_after_seconds` is the time from such a request to the end of the job.
    """

    number: int
    id: str
    kind: str
    owner: str
    request: dict[str, Any]
    resolved: dict[str, Any] | None
    status: JobStatus
    priority: int
    requested: Literal["interrupt", "stop"] | None
    skip_image: int | None
    image_index: int | None
    attempts: int
    deaths: int
    created_at: float
    started_at: float | None
    finished_at: float | None
    stopped_after_seconds: float | None
    phase: str | None
    progress: float
    error: str | None
    position: int | None
    engine: str | None

    @property
    def finished(self) -> bool:
        """Whether the job will not change any more."""
        return self.status in TERMINAL


@dataclass(frozen=True)
class Image:
    """One picture of a job. `name` is its path within the data folder, with forward slashes; sizes are in pixels."""

    job_id: str
    index: int
    name: str
    seed: int
    width: int
    height: int
    infotext: str
    partial: bool
    status: ImageStatus
    completed_at: float | None


@dataclass(frozen=True)
class Event:
    """Something that happened, with a number that only grows."""

    number: int
    at: float
    kind: EventKind
    job_id: str | None
    payload: dict[str, Any]


@dataclass(frozen=True)
class Death:
    """How the engine before this one ended. An ordered end (a restart, a stop) is not held against the job."""

    ordered: bool
    reason: str
    log: tuple[str, ...] = field(default=())


class RequestAnswer(NamedTuple):
    """What became of a click: whether it acts, on which job in which status, and for a skip on which image."""

    accepted: bool
    was: str | None
    job: str | None
    image: int | None


class Pending(NamedTuple):
    """What the user asked of a running job."""

    requested: Literal["interrupt", "stop"] | None
    skip_image: int | None
