"""Jobs that go: one that waits is taken out of the queue, those that have ended are forgotten."""

from __future__ import annotations

import math
import time
from dataclasses import asdict

from fastapi import APIRouter, Request
from starlette.responses import Response

from modules.api.answers import error_answer, json_answer
from modules.api.auth.client import actor_of
from modules.api.services import Services
from modules.errors import InvalidRequest, UnknownJob
from modules.jobs.rows import TERMINAL, Actor
from modules.jobs.store.jobs import JobFilter

SECONDS_A_DAY = 86_400


def routes(services: Services) -> APIRouter:
    """DELETE /sdapi/v1/jobs and /sdapi/v1/jobs/{id}."""
    router = APIRouter(prefix="/sdapi/v1/jobs")
    workers = services.workers

    @router.delete("/{job_id}")
    async def remove(request: Request, job_id: str, files: bool = False, waiting: bool = False) -> Response:
        """Take a job that waits out of the queue, or delete one that has ended; with `files` its saved pictures too.

        With `waiting` one that has ended meanwhile stays.
        """
        by = actor_of(request)
        if await workers.run_control(take_out, services, job_id, by):
            return json_answer({"accepted": True, "was": "queued"})
        return await workers.run(keep_job if waiting else remove_job, services, job_id, files, by)

    @router.delete("")
    async def remove_many(
        request: Request,
        status: str | None = None,
        owner: str | None = None,
        text: str | None = None,
        older_than_days: float | None = None,
        finished_until: float | None = None,
        files: bool = False,
        all: bool = False,
    ) -> Response:
        """Delete the jobs that have ended and fit; without any filter say `all`. Some thousands at a time: see `left`.

        `status` may be several, `text` is in the prompt, `older_than_days` counts from the end of a job, and
        `finished_until` is the `finished_at` of the last that is meant; with `files` saved pictures are removed too.
        """
        by = actor_of(request)
        until = end_of(older_than_days, finished_until)
        wanted = filter_of(status, by.owner if by.only_own else owner, text, until, all=all)
        deleted = await workers.run(remove_jobs, services, wanted, files, by)
        return json_answer(deleted)

    return router


def end_of(older_than_days: float | None, finished_until: float | None) -> float | None:
    """Return when, in Unix time, a job that is meant has ended at the latest; None: whenever.

    Raises:
        InvalidRequest: a value is not possible.
    """
    ends = []
    if older_than_days is not None:
        if not (math.isfinite(older_than_days) and older_than_days >= 0):
            raise InvalidRequest(
                f"older_than_days {older_than_days} is not possible: use 0 or more.", "older_than_days"
            )
        ends.append(time.time() - older_than_days * SECONDS_A_DAY)
    if finished_until is not None:
        if not math.isfinite(finished_until):
            raise InvalidRequest(
                f"finished_until {finished_until} is not possible: use the finished_at of a job.", "finished_until"
            )
        ends.append(finished_until)
    return min(ends, default=None)


def filter_of(
    status: str | None, owner: str | None, text: str | None, finished_until: float | None, *, all: bool
) -> JobFilter:
    """Return which jobs are meant.

    Raises:
        InvalidRequest: a value is not possible, or nothing says which.
    """
    statuses = tuple(one.strip() for one in (status or "").split(",") if one.strip())
    for one in statuses:
        if one not in TERMINAL:
            known = ", ".join(sorted(TERMINAL))
            raise InvalidRequest(f"status {one!r} is none of a job that has ended: use some of {known}.", "status")
    wanted = JobFilter(statuses, owner or None, (text or "").strip() or None, finished_until)
    if wanted == JobFilter() and not all:
        raise InvalidRequest(
            "Nothing says which jobs: send status, owner, text, older_than_days or finished_until, or all=true.", "all"
        )
    return wanted


def take_out(services: Services, job_id: str, by: Actor) -> bool:
    """Take a job out of the queue; False when it does not wait.

    Raises:
        Refused: 403, it belongs to another owner.
    """
    services.permission.check(job_id, by)
    return services.store.queue.remove(job_id, by=by)


def remove_job(services: Services, job_id: str, files: bool, by: Actor) -> Response:
    """Forget a job that has ended; 409 when it has not.

    Raises:
        UnknownJob: there is none.
    """
    answer, deleted = services.store.deletion.delete(job_id, files, by=by)
    if answer.accepted:
        left = {"files": deleted.files, "files_left": deleted.files_left}
        return json_answer({"accepted": True, "was": answer.was, **left})
    return error_answer(409, "NotEnded", f"Job {job_id} is {answer.was}: interrupt it first.")


def keep_job(services: Services, job_id: str, files: bool, by: Actor) -> Response:
    """Say that a job does not wait any more, and let it be.

    Raises:
        UnknownJob: there is none.
    """
    job = services.store.jobs.get(job_id)
    if job is None:
        raise UnknownJob(job_id)
    return error_answer(409, "NotQueued", f"Job {job_id} is {job.status}: it does not wait any more.")


def remove_jobs(services: Services, wanted: JobFilter, files: bool, by: Actor) -> dict[str, int]:
    """Forget the jobs that are meant.

    Raises:
        Refused: 403, they belong to others.
    """
    what = "The history" if wanted.owner is None else f"What {wanted.owner} drew"
    services.permission.check_owner(wanted.owner, by, what)
    return asdict(services.store.deletion.delete_jobs(wanted, files, by=by))
