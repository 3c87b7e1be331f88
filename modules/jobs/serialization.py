"""Jobs in the form in which REST, the event stream and the page tell them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from pydantic import ValidationError

from modules.jobs.kinds.base import PictureWords, Resolved, ResolvedJob
from modules.jobs.kinds.grid.resolved import ResolvedGrid
from modules.jobs.kinds.registry import KINDS, read_resolved
from modules.jobs.outputs import output_answer
from modules.jobs.rows import Image, Job


@dataclass(frozen=True)
class Picture:
    """A picture by what draws it: a job, or a cell of a grid, and its index there."""

    drawn: ResolvedJob
    index: int


def job_answer(job: Job, images: Iterable[Image]) -> dict[str, Any]:
    """Return the answer of `GET /sdapi/v1/jobs/{id}`."""
    return {
        "id": job.id,
        "kind": job.kind,
        "status": job.status,
        "position": job.position,
        "phase": job.phase,
        "progress": job.progress,
        "attempts": job.attempts,
        "deaths": job.deaths,
        "error": job.error,
        "owner": job.owner,
        "priority": job.priority,
        "requested": job.requested,
        "image_index": job.image_index,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
        "stopped_after_seconds": job.stopped_after_seconds,
        "paused_at": job.paused_at,
        "forever": job.forever,
        "stop_requests": job.stop_requests,
        "economy": job.economy,
        "notes": [note._asdict() for note in job.notes],
        "log": None if job.log is None else list(job.log),
        "retry_of": job.retry_of,
        "follows": job.follows,
        "wanted": None if job.wanted is None else list(job.wanted),
        "request": _request_answer(job),
        "resolved": resolved_answer(job),
        "preview": _kept_preview(job),
        "outputs": [output_answer(image) for image in images],
    }


def resolved_answer(job: Job) -> dict[str, Any] | None:
    """Return what the engine draws of a job, as its kind tells it; None: it has not begun with it.

    None also of what only another version can read: one such row must not make a whole list unreadable.
    """
    resolved = resolved_of(job)
    return None if resolved is None else KINDS[job.kind].told(resolved)


def resolved_of(job: Job) -> Resolved | None:
    """Return what the engine draws of a job; None as with `resolved_answer`."""
    if job.resolved is None or job.kind not in KINDS:
        return None
    try:
        return read_resolved(job.kind, job.resolved)
    except ValidationError:
        return None


def pictures_in(resolved: Resolved | None) -> tuple[Picture, ...]:
    """Return what draws each of a job's pictures, in order; nothing of a job that draws none."""
    if isinstance(resolved, ResolvedJob):
        return tuple(Picture(resolved, index) for index in range(resolved.image_count))
    if isinstance(resolved, ResolvedGrid):
        return tuple(picture for cell in resolved.cells for picture in pictures_in(cell.drawn))
    return ()


def prompts_of(job: Job) -> tuple[PictureWords, ...]:
    """Return the words of each of a job's pictures, in order; nothing before the engine has closed its request."""
    return tuple(one.drawn.words.of(one.index) for one in pictures_in(resolved_of(job)))


def _request_answer(job: Job) -> dict[str, Any]:
    return KINDS[job.kind].told_request(job.request) if job.kind in KINDS else {}


def _kept_preview(job: Job) -> str | None:
    """Return where a paused job's last preview is, if one was made; it is another one after each pause."""
    if job.status != "paused" or job.paused_at is None or job.resolved is None:
        return None
    return f"/sdapi/v1/jobs/{quote(job.id, safe='()')}/preview?at={job.paused_at:.3f}"
