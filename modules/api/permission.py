"""Who may act on whose job. Call in a thread: the job is looked up."""

from __future__ import annotations

from modules.api.answers import Refused
from modules.api.services import Services
from modules.errors import UnknownJob
from modules.jobs.rows import Actor, RequestAnswer
from modules.shared_state import RequestKind

NOTHING_RUNS = RequestAnswer(False, None, None, None)


def allow(services: Services, job_id: str, by: Actor) -> None:
    """Let `by` act on a job. With the setting `only_own_jobs` it must be its owner; all else is only kept in the audit.

    Raises:
        UnknownJob: there is none.
        Refused: 403.
    """
    job = services.store.get(job_id)
    if job is None:
        raise UnknownJob(job_id)
    allow_owner(services, job.owner, by, f"Job {job_id}")


def allow_owner(services: Services, owner: str | None, by: Actor, what: str) -> None:
    """Let `by` act on what belongs to `owner`; None: it belongs to several.

    Raises:
        Refused: 403.
    """
    services.options.refresh()
    if services.options.values.only_own_jobs and owner != by.owner:
        raise Refused(403, f"{what} belongs to another owner: the setting only_own_jobs lets nobody else act on it.")


def ask_job(services: Services, kind: RequestKind, job_id: str | None, by: Actor) -> RequestAnswer:
    """Store a request for a job, or for the one that runs now.

    Raises:
        UnknownJob: there is no such job.
        Refused: 403.
    """
    if not services.options.values.only_own_jobs:
        return services.requests.ask(kind, job_id, by)
    if job_id is None:
        running = services.store.running()
        if running is None:
            return NOTHING_RUNS
        job_id = running.id
    allow(services, job_id, by)
    return services.requests.ask(kind, job_id, by)
