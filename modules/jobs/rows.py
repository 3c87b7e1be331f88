"""What the job store hands out: typed, frozen rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, get_args

JobStatus = Literal["queued", "running", "paused", "done", "interrupted", "failed", "quarantined"]
EndStatus = Literal["done", "interrupted", "failed"]
RequestKind = Literal["skip", "interrupt", "stop", "pause"]
Requested = Literal["interrupt", "stop", "pause"]
EventKind = Literal["job", "image", "request", "settings", "removed", "queue"]
ImageStatus = Literal["reserved", "complete", "expired"]

STATUSES: tuple[JobStatus, ...] = get_args(JobStatus)
# webui/assets/model/statuses.js has the same.
UNFINISHED: frozenset[str] = frozenset({"queued", "running", "paused"})
TERMINAL: frozenset[str] = frozenset(STATUSES) - UNFINISHED
FAILED: frozenset[str] = frozenset({"failed", "quarantined"})
RETRIED: frozenset[str] = FAILED | {"interrupted"}
SEED_HIGHEST = 2**63 - 1  # the largest whole number that a row holds


@dataclass(frozen=True)
class Actor:
    """Who asks: the owner that the browser or the client names, and the address that it asks from.

    With `only_own` he sees and touches his own jobs only.
    """

    owner: str
    address: str
    only_own: bool = False


class Note(NamedTuple):
    """Something that people should be told of a job. `at` is in seconds since the epoch."""

    at: float
    kind: str
    text: str


@dataclass(frozen=True)
class Job:
    """One job. Times are seconds since the epoch; None means that it has not come to that yet.

    `number` is the order of submission. `position` is the place in the queue, 1 for the next, 0 for a running job.
    `requested` and `skip_image` are what the user asked for and the engine may not have obeyed yet; `stop_requests`
    counts the interrupts since the engine took it. `stopped_after_seconds` is the time from such a request to the end
    of the job, or to its pause. `paused_at` is when it was paused last, `economy` the cheaper settings that it draws
    with since it ran out of memory, `log` the engine's last lines before it was quarantined. When a job with `forever`
    is done another like it comes, whose `follows` names it; `retry_of` is the job that it was made from by editing,
    `address` where it was sent from, "" when nobody knows. `wanted` are the indices of the pictures that it was queued
    again for after it had ended; None: all that are missing.
    """

    number: int
    id: str
    kind: str
    owner: str
    request: dict[str, Any]
    resolved: dict[str, Any] | None
    status: JobStatus
    priority: int
    requested: Requested | None
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
    forever: bool = False
    stop_requests: int = 0
    economy: dict[str, Any] | None = None
    notes: tuple[Note, ...] = ()
    log: tuple[str, ...] | None = None
    paused_at: float | None = None
    retry_of: str | None = None
    follows: str | None = None
    requested_at: float | None = None
    address: str = ""
    wanted: tuple[int, ...] | None = None

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
    """What became of a click: whether it acts, on which job in which status, and for a skip on which image.

    `times` says the how many-th interrupt of the running job it was, 0 for anything else. `notice` is what people
    should be told besides: that it acts though it could not be written down.
    """

    accepted: bool
    was: str | None
    job: str | None
    image: int | None = None
    times: int = 0
    notice: str | None = None


class Pending(NamedTuple):
    """What the user asked of a running job."""

    requested: Requested | None
    skip_image: int | None


class AuditRow(NamedTuple):
    """Who did what, when. `at` is in seconds since the epoch."""

    number: int
    at: float
    owner: str
    address: str
    action: str
    job_id: str | None
    detail: dict[str, Any]


class QueueLimits(NamedTuple):
    """How many jobs may wait or be paused, in all and of one owner; 0 is without limit."""

    total: int = 0
    per_owner: int = 0
