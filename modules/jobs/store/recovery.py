"""What becomes of a job whose engine is gone, or gives it back."""

from __future__ import annotations

from modules.jobs.rows import Death, Job
from modules.jobs.store.database import Transaction
from modules.jobs.store.places import put_first
from modules.jobs.store.requests import pause_job
from modules.jobs.store.statements import end_job

DEATHS_TO_QUARANTINE = 2


def recover_job(transaction: Transaction, job: Job, death: Death | None) -> None:
    """Interrupt or pause a job that was asked to, quarantine one that killed two engines, queue any other again.

    A death counts against the job unless it was ordered (a restart, a stop) or nothing is known about it (the launcher
    itself died). The job is the next of its priority.
    """
    if job.requested in ("interrupt", "stop"):
        end_job(transaction, job, "interrupted")
        return
    counts = death is not None and not death.ordered
    deaths = job.deaths + 1 if counts else job.deaths
    transaction.execute("UPDATE jobs SET deaths = ? WHERE id = ?", (deaths, job.id))
    if job.requested == "pause":
        pause_job(transaction, job)
    elif death is not None and counts and deaths >= DEATHS_TO_QUARANTINE:
        words = (
            f"The engine died {deaths} times while it drew this job, last: {death.reason}. "
            "It is not tried again by itself: retry it, or send it with a smaller size or batch, or another model."
        )
        end_job(transaction, job, "quarantined", words, log=death.log)
    else:
        requeue_job(transaction, job, deaths)


def requeue_job(transaction: Transaction, job: Job, deaths: int) -> None:
    """Let a running job wait again, as the next of its priority, and append the event."""
    transaction.execute(
        "UPDATE jobs SET status = 'queued', requested_at = NULL, phase = NULL, engine = NULL WHERE id = ?", (job.id,)
    )
    put_first(transaction, job)
    transaction.append("job", job.id, {"status": "queued", "deaths": deaths})
