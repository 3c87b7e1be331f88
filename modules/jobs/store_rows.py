"""Read jobs and events, and change the status of a job: the statements that the store's methods share."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from modules.jobs.rows import Event, Job, JobStatus
from modules.jobs.store_database import Transaction

QUEUE_ORDER = "priority DESC, number"

_COLUMNS = """
    number, id, kind, owner, request, resolved, status, priority, requested, skip_image, image_index, attempts, deaths,
    created_at, started_at, finished_at, stopped_after_seconds, phase, progress, error, engine
"""

# The place in the queue of one job is counted; for many, all places are numbered once.
_SELECT_ONE = f"""
    SELECT {_COLUMNS},
        CASE status
            WHEN 'running' THEN 0
            WHEN 'queued' THEN (
                SELECT count(*) FROM jobs AS other
                WHERE other.status = 'queued' AND other.priority > jobs.priority
            ) + (
                SELECT count(*) FROM jobs AS other
                WHERE other.status = 'queued' AND other.priority = jobs.priority AND other.number <= jobs.number
            )
        END AS position
    FROM jobs
"""
_SELECT_MANY = f"""
    SELECT {_COLUMNS}, CASE status WHEN 'running' THEN 0 ELSE place END AS position
    FROM jobs LEFT JOIN (
        SELECT number AS placed, row_number() OVER (ORDER BY {QUEUE_ORDER}) AS place FROM jobs WHERE status = 'queued'
    ) ON placed = number
"""

Reader = sqlite3.Connection | Transaction


def job_of(row: sqlite3.Row) -> Job:
    """Return the typed row."""
    values: dict[str, Any] = dict(row)
    values["request"] = json.loads(values["request"])
    if values["resolved"] is not None:
        values["resolved"] = json.loads(values["resolved"])
    return Job(**values)


def find_job(reader: Reader, job_id: str) -> Job | None:
    """Return the job, None when there is none."""
    row = reader.execute(f"{_SELECT_ONE} WHERE id = ?", (job_id,)).fetchone()
    return job_of(row) if row else None


def first_job(reader: Reader, ending: str, parameters: tuple[Any, ...] = ()) -> Job | None:
    """Return the first job of `{ending}`, such as "WHERE … ORDER BY …"."""
    row = reader.execute(f"{_SELECT_ONE} {ending} LIMIT 1", parameters).fetchone()
    return job_of(row) if row else None


def select_jobs(
    reader: Reader, statuses: Sequence[str], owner: str | None, limit: int, offset: int
) -> tuple[list[Job], int]:
    """Return a page of jobs and how many there are in all; the queue in its order, anything else newest first."""
    conditions, parameters = ["1"], list[Any]()
    if statuses:
        conditions.append(f"status IN ({', '.join('?' * len(statuses))})")
        parameters += statuses
    if owner is not None:
        conditions.append("owner = ?")
        parameters.append(owner)
    where = f"WHERE {' AND '.join(conditions)}"
    order = QUEUE_ORDER if tuple(statuses) == ("queued",) else "number DESC"
    total = int(reader.execute(f"SELECT count(*) FROM jobs {where}", tuple(parameters)).fetchone()[0])
    rows = reader.execute(f"{_SELECT_MANY} {where} ORDER BY {order} LIMIT ? OFFSET ?", (*parameters, limit, offset))
    return [job_of(row) for row in rows], total


def select_events(reader: Reader, after: int, limit: int) -> list[Event]:
    """Return the events with a number above `after` in order."""
    rows = reader.execute(
        "SELECT number, at, kind, job_id, payload FROM events WHERE number > ? ORDER BY number LIMIT ?", (after, limit)
    )
    return [Event(**(dict(row) | {"payload": json.loads(row["payload"])})) for row in rows]


def end_job(transaction: Transaction, job: Job, status: JobStatus, error: str | None = None) -> None:
    """Give a job its last status and append the event."""
    now = transaction.now()
    transaction.execute(
        "UPDATE jobs SET status = :status, error = :error, finished_at = :now, phase = NULL,"
        " progress = CASE WHEN :status = 'done' THEN 1 ELSE progress END,"
        " stopped_after_seconds = max(0, :now - requested_at) WHERE id = :id",
        {"status": status, "error": error, "now": now, "id": job.id},
    )
    transaction.append("job", job.id, {"status": status, "error": error})


def requeue_job(transaction: Transaction, job: Job, deaths: int) -> None:
    """Put a job whose engine is gone back to its place in the queue and append the event."""
    transaction.execute(
        "UPDATE jobs SET status = 'queued', deaths = ?, phase = NULL, engine = NULL WHERE id = ?", (deaths, job.id)
    )
    transaction.append("job", job.id, {"status": "queued", "deaths": deaths})
