"""How jobs come to be and go from one status to another, each with its event."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from modules.jobs.rows import SEED_HIGHEST, Death, Job, JobStatus, Note, Requested
from modules.jobs.store.database import Reader, Transaction
from modules.jobs.store.jobs import known_job
from modules.jobs.store.places import put_first

DEATHS_TO_QUARANTINE = 2
_MOST_NOTES = 50
STRENGTH = {None: 0, "pause": 1, "stop": 2, "interrupt": 3}
OUT_OF_QUEUE: Mapping[str, Any] = {"place": 0, "own_place": 0}
UNASKED: Mapping[str, Any] = {"requested": None, "requested_at": None}


def insert_job(transaction: Transaction, request: Mapping[str, Any], **columns: Any) -> None:
    """Write the row of a new waiting job."""
    row = columns | {
        "request": json.dumps(dict(request), ensure_ascii=False), "status": "queued", "created_at": transaction.now()
    }  # fmt: skip
    names = ", ".join(row)
    transaction.execute(f"INSERT INTO jobs ({names}) VALUES (:{', :'.join(row)})", row)


def change(transaction: Transaction, job_id: str, **columns: Any) -> None:
    """Write columns of a job's row."""
    sets = ", ".join(f"{name} = :{name}" for name in columns)
    transaction.execute(f"UPDATE jobs SET {sets} WHERE id = :job_id", columns | {"job_id": job_id})


def become(transaction: Transaction, job: Job, status: JobStatus, tell: str | None = None, **columns: Any) -> None:
    """Give a job a status and the columns that go with it; append the event, which may `tell` one of them too."""
    change(transaction, job.id, status=status, phase=None, **columns)
    transaction.append("job", job.id, {"status": status} | ({tell: columns[tell]} if tell else {}))


def end_job(
    transaction: Transaction, job: Job, status: JobStatus, error: str | None = None, log: Sequence[str] | None = None
) -> None:
    """Give a job its last status. A chain of jobs ends with one that is not done.

    Partial pictures that were to be drawn anew and were not are complete again: their files are still there.
    """
    now = transaction.now()
    transaction.execute(
        "UPDATE images SET status = 'complete', completed_at = ? WHERE job_id = ? AND partial AND status = 'reserved'",
        (now, job.id),
    )
    become(
        transaction, job, status, tell="error", **OUT_OF_QUEUE, error=error, finished_at=now,
        requested=job.requested, requested_at=job.requested_at,
        log=json.dumps(list(log)) if log else None, progress=1 if status == "done" else job.progress,
        forever=job.forever and status != "interrupted", stopped_after_seconds=_since_asked(job, now),
    )  # fmt: skip


def pause_job(transaction: Transaction, job: Job) -> None:
    """Put a job aside until someone resumes it."""
    now = transaction.now()
    become(
        transaction, job, "paused", **OUT_OF_QUEUE, **UNASKED, engine=None, paused_at=now,
        stopped_after_seconds=_since_asked(job, now),
    )  # fmt: skip


def unpause_job(transaction: Transaction, job: Job) -> None:
    """Let a paused job wait again, first among its owner's jobs that nobody moved."""
    first = transaction.execute(
        "SELECT coalesce(min(own_place), 0) FROM jobs WHERE status = 'queued' AND owner = ? AND priority = ?",
        (job.owner, job.priority),
    ).fetchone()[0]
    become(transaction, job, "queued", **UNASKED, stopped_after_seconds=None, own_place=first - 1)


def requeue_job(transaction: Transaction, job: Job, deaths: int) -> None:
    """Let a running job wait again, as the next of its priority."""
    become(transaction, job, "queued", tell="deaths", deaths=deaths, requested_at=None, engine=None)
    put_first(transaction, job)


def asked(job: Job, kind: Requested, now: float) -> Job:
    """Return the job with a request: a stronger one replaces a weaker one, and a weaker one takes nothing back."""
    return replace(job, requested=kind, requested_at=now) if STRENGTH[kind] > STRENGTH[job.requested] else job


def interrupt_job(transaction: Transaction, job: Job, kind: Requested) -> None:
    """End a job that does not run, since it was asked to stop."""
    end_job(transaction, asked(job, kind, transaction.now()), "interrupted")


def _since_asked(job: Job, now: float) -> float | None:
    return None if job.requested is None or job.requested_at is None else max(0.0, now - job.requested_at)


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
    change(transaction, job.id, deaths=deaths)
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


def remove_job(transaction: Transaction, job: Job) -> None:
    """Take a job out as if it had never been; one that has pictures already (its engine died) becomes interrupted."""
    if has_pictures(transaction, job.id):
        end_job(transaction, job, "interrupted")
    else:
        transaction.execute("DELETE FROM jobs WHERE id = ?", (job.id,))
        transaction.append("removed", job.id, {})


def has_pictures(reader: Reader, job_id: str) -> bool:
    """Tell whether a picture of the job was at least begun."""
    return reader.execute("SELECT 1 FROM images WHERE job_id = ? LIMIT 1", (job_id,)).fetchone() is not None


def queue_successor(transaction: Transaction, job: Job) -> None:
    """Queue the job that follows one that is done. A pause that came too late for that one is meant for this."""
    id = secrets.token_hex(8)
    insert_job(
        transaction, next_request(job.request), id=id, kind=job.kind, owner=job.owner, priority=job.priority,
        forever=True, follows=job.id, address=job.address,
    )  # fmt: skip
    transaction.append("job", id, {"status": "queued", "follows": job.id})
    if job.requested == "pause":
        pause_job(transaction, known_job(transaction, id))


def next_request(request: dict[str, Any]) -> dict[str, Any]:
    """Return the request of the next job: a fixed seed goes on after the last one used, -1 is drawn anew."""
    seed = request.get("seed", -1)
    if not isinstance(seed, int) or seed < 0:
        return request
    count = (request.get("batch_size") or 1) * (request.get("n_iter") or 1)
    after = seed + count
    return request | {"seed": after if after + count - 1 <= SEED_HIGHEST else 0}


def add_note(transaction: Transaction, job: Job, kind: str, text: str) -> None:
    """Add to what people should be told of a job. The oldest go when there are too many."""
    notes = [*job.notes, Note(transaction.now(), kind, text)][-_MOST_NOTES:]
    stored = json.dumps([note._asdict() for note in notes], ensure_ascii=False)
    change(transaction, job.id, notes=stored)
