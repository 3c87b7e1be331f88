"""Read jobs and events, and change the status of a job: the statements that the store's methods share."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any, NamedTuple

from modules.errors import UnknownJob
from modules.jobs.rows import Event, Job, JobStatus, Note
from modules.jobs.store.database import Transaction, batched
from modules.jobs.store.images import bring_back_partial
from modules.jobs.store.order import Waiting, queue_order

_MOST_NOTES = 50

_COLUMNS = """
    number, id, kind, owner, request, resolved, status, priority, requested, skip_image, image_index, attempts, deaths,
    created_at, started_at, finished_at, stopped_after_seconds, phase, progress, error, engine, forever, stop_requests,
    economy, notes, log, paused_at, retry_of, follows
"""
_SELECT = f"SELECT {_COLUMNS} FROM jobs"

Reader = sqlite3.Connection | Transaction


def job_of(row: sqlite3.Row, place_in_queue: int | None = None) -> Job:
    """Return the typed row."""
    values: dict[str, Any] = dict(row)
    for name in ("request", "resolved", "economy", "log", "notes"):
        if values[name] is not None:
            values[name] = _read_json(values[name], {} if name == "request" else [] if name == "notes" else None)
    values["notes"] = tuple(Note(**note) for note in values["notes"])
    values["log"] = None if values["log"] is None else tuple(values["log"])
    values["forever"] = bool(values["forever"])
    return Job(**values, position=0 if values["status"] == "running" else place_in_queue)


def _read_json(text: str, otherwise: Any) -> Any:
    """Return what a column holds; `otherwise` when it is damaged: one such row must not hide all others."""
    try:
        return json.loads(text)
    except ValueError:
        return otherwise


def read_order(reader: Reader) -> list[Waiting]:
    """Return the waiting jobs, the next first."""
    rows = reader.execute(
        "SELECT number, id, owner, priority, place, own_place FROM jobs INDEXED BY jobs_in_order"
        " WHERE status = 'queued' ORDER BY priority DESC, number"
    ).fetchall()
    turns = reader.execute("SELECT owner, turn FROM turns").fetchall()
    return queue_order(map(Waiting._make, rows), {row["owner"]: row["turn"] for row in turns})


def place_of(reader: Reader, row: sqlite3.Row) -> int:
    """Return the place of one waiting job, 1 for the next, mostly without putting the whole queue in order.

    Where nobody was moved, resumed or comes first by priority, owners are served in rounds that keep their order. So
    before the k-th job of an owner there are k - 1 of each other one, or all when that has fewer, and one more of those
    who come before the owner in a round. Turns of before hold for the first round, and so for all.
    """
    number, owner, priority = row["number"], row["owner"], row["priority"]
    unusual = reader.execute(
        "SELECT 1 FROM jobs INDEXED BY jobs_in_order WHERE status = 'queued'"
        " AND (place != 0 OR own_place != 0 OR priority > ?) LIMIT 1",
        (priority,),
    ).fetchone()
    if unusual:
        return next(place for place, one in enumerate(read_order(reader), 1) if one.id == row["id"])
    before = reader.execute(
        "WITH waiting AS ("
        "  SELECT owner, count(*) AS jobs, min(number) AS first, sum(number <= :number) AS earlier"
        "  FROM jobs INDEXED BY jobs_in_order WHERE status = 'queued' AND priority = :priority GROUP BY owner"
        "), served AS ("
        "  SELECT owner, jobs, first, earlier,"
        "  coalesce((SELECT turn FROM turns WHERE turns.owner = waiting.owner), 0) AS turn FROM waiting"
        "), own AS (SELECT earlier AS round, turn, first FROM served WHERE owner = :owner)"
        " SELECT own.round + coalesce(sum(min(served.jobs, own.round - 1)"
        "  + (served.jobs >= own.round AND (served.turn, served.first) < (own.turn, own.first))), 0)"
        " FROM own LEFT JOIN served ON served.owner != :owner",
        {"number": number, "owner": owner, "priority": priority},
    ).fetchone()
    return int(before[0])


def is_paused(reader: Reader) -> bool:
    """Tell whether the queue is paused."""
    row = reader.execute("SELECT value FROM queue WHERE key = 'paused'").fetchone()
    return row is not None and row["value"] == "1"


def find_job(reader: Reader, job_id: str) -> Job | None:
    """Return the job, None when there is none."""
    return first_job(reader, "WHERE id = ?", (job_id,))


def known_job(reader: Reader, job_id: str) -> Job:
    """Return the job.

    Raises:
        UnknownJob: there is none.
    """
    job = find_job(reader, job_id)
    if job is None:
        raise UnknownJob(job_id)
    return job


def first_job(reader: Reader, ending: str, parameters: tuple[Any, ...] = ()) -> Job | None:
    """Return the first job of `{ending}`, such as "WHERE … ORDER BY …"."""
    row = reader.execute(f"{_SELECT} {ending} LIMIT 1", parameters).fetchone()
    return _with_places(reader, [row])[0] if row else None


def jobs_with_ids(reader: Reader, ids: Sequence[str], order: Sequence[Waiting] | None = None) -> list[Job]:
    """Return those of the jobs that are there, in no order; cheaper than one by one. `order` is read when not given."""
    rows: list[sqlite3.Row] = []
    for some in batched(ids):
        rows += reader.execute(f"{_SELECT} WHERE id IN ({', '.join('?' * len(some))})", some).fetchall()
    return _with_places(reader, rows, order)


def select_jobs(reader: Reader, wanted: JobFilter, limit: int, offset: int) -> tuple[list[Job], int]:
    """Return a page of jobs and how many there are in all; the queue in its order, anything else newest first."""
    where, parameters = wanted.condition()
    if wanted.statuses == ("queued",):
        ids = {row["id"] for row in reader.execute(f"SELECT id FROM jobs {where}", parameters)}
        order = read_order(reader)
        ordered = [one.id for one in order if one.id in ids]
        page = ordered[offset : offset + limit]
        jobs = {job.id: job for job in jobs_with_ids(reader, page, order)}
        return [jobs[id] for id in page], len(ordered)
    total = int(reader.execute(f"SELECT count(*) FROM jobs {where}", parameters).fetchone()[0])
    rows = reader.execute(f"{_SELECT} {where} ORDER BY number DESC LIMIT ? OFFSET ?", (*parameters, limit, offset))
    return _with_places(reader, rows.fetchall()), total


class JobFilter(NamedTuple):
    """Which jobs are wanted: of these statuses, of this owner, with these words in the prompt, ended before then."""

    statuses: tuple[str, ...] = ()
    owner: str | None = None
    text: str | None = None
    finished_before: float | None = None

    def condition(self) -> tuple[str, tuple[Any, ...]]:
        """Return the WHERE and its parameters."""
        conditions, parameters = ["1"], list[Any]()
        if self.statuses:
            conditions.append(f"status IN ({', '.join('?' * len(self.statuses))})")
            parameters += self.statuses
        if self.owner is not None:
            conditions.append("owner = ?")
            parameters.append(self.owner)
        if self.finished_before is not None:
            conditions.append("finished_at < ?")
            parameters.append(self.finished_before)
        for word in (self.text or "").split():
            conditions.append(
                "json_valid(request) AND contains_word(CAST(json_extract(request, '$.prompt') AS BLOB), ?)"
            )
            parameters.append(word.casefold())
        return f"WHERE {' AND '.join(conditions)}", tuple(parameters)


def _with_places(reader: Reader, rows: Sequence[sqlite3.Row], order: Sequence[Waiting] | None = None) -> list[Job]:
    """Return the jobs, those that wait with their places in the queue."""
    places: dict[str, int] = {}
    waiting = [row for row in rows if row["status"] == "queued"]
    if len(waiting) == 1 and order is None:
        places = {waiting[0]["id"]: place_of(reader, waiting[0])}
    elif waiting:
        places = {one.id: place for place, one in enumerate(order or read_order(reader), 1)}
    return [job_of(row, places.get(row["id"])) for row in rows]


def select_events(reader: Reader, after: int, limit: int) -> list[Event]:
    """Return the events with a number above `after` in order."""
    rows = reader.execute(
        "SELECT number, at, kind, job_id, payload FROM events WHERE number > ? ORDER BY number LIMIT ?", (after, limit)
    )
    return [Event(**(dict(row) | {"payload": _read_json(row["payload"], {})})) for row in rows]


def end_job(
    transaction: Transaction, job: Job, status: JobStatus, error: str | None = None, log: Sequence[str] | None = None
) -> None:
    """Give a job its last status and append the event. A chain of jobs ends with one that is not done."""
    now = transaction.now()
    bring_back_partial(transaction, job.id)
    transaction.execute(
        "UPDATE jobs SET status = :status, error = :error, log = :log, finished_at = :now, phase = NULL,"
        " progress = CASE WHEN :status = 'done' THEN 1 ELSE progress END, place = 0, own_place = 0,"
        " forever = CASE WHEN :status = 'interrupted' THEN 0 ELSE forever END,"
        " stopped_after_seconds = CASE WHEN requested IS NOT NULL THEN max(0, :now - requested_at) END WHERE id = :id",
        {"status": status, "error": error, "log": json.dumps(list(log)) if log else None, "now": now, "id": job.id},
    )
    transaction.append("job", job.id, {"status": status, "error": error})


def add_note(transaction: Transaction, job: Job, kind: str, text: str) -> None:
    """Add to what people should be told of a job. The oldest go when there are too many."""
    notes = [*job.notes, Note(transaction.now(), kind, text)][-_MOST_NOTES:]
    stored = json.dumps([note._asdict() for note in notes], ensure_ascii=False)
    transaction.execute("UPDATE jobs SET notes = ? WHERE id = ?", (stored, job.id))
