"""What becomes of a job whose engine is gone."""

from __future__ import annotations

from modules.jobs.rows import Death, Job
from modules.jobs.store_database import Transaction
from modules.jobs.store_rows import end_job, requeue_job

DEATHS_TO_QUARANTINE = 2


def recover_job(transaction: Transaction, job: Job, death: Death | None) -> None:
    """Interrupt a job that was asked to stop, quarantine one that killed two engines, queue any other again.

    A death counts against the job unless it was ordered (a restart, a stop) or nothing is known about it (the launcher
    itself died). The job keeps its place, since the queue goes by priority and order of submission.
    """
    if job.requested is not None:
        end_job(transaction, job, "interrupted")
        return
    counts = death is not None and not death.ordered
    deaths = job.deaths + 1 if counts else job.deaths
    if death is not None and counts and deaths >= DEATHS_TO_QUARANTINE:
        transaction.execute("UPDATE jobs SET deaths = ? WHERE id = ?", (deaths, job.id))
        end_job(transaction, job, "quarantined", _reason(deaths, death))
        return
    requeue_job(transaction, job, deaths)


def _reason(deaths: int, death: Death) -> str:
    words = (
        f"The engine died {deaths} times while it drew this job, last: {death.reason}. "
        "It is not tried again: submit it anew with a smaller size or batch, or another model."
    )
    return "\n".join((words, "Last lines of the engine's log:", *death.log)) if death.log else words
