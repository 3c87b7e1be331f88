"""What can be asked about jobs: their rows, typed, with their places in the queue."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from typing import Any, NamedTuple

from modules.errors import UnknownJob
from modules.jobs.rows import UNFINISHED, Image, Job, Note
from modules.jobs.store.database import Reader, Source, batched, marks, read_json
from modules.jobs.store.images import complete_images, find_image
from modules.jobs.store.order import Order, first_ids, places_of, read_order

_SELECT = """
    SELECT number, id, kind, owner, request, resolved, status, priority, requested, skip_image, image_index, attempts,
    deaths, created_at, started_at, finished_at, stopped_after_seconds, phase, progress, error, engine, forever,
    stop_requests, economy, notes, log, paused_at, retry_of, follows, requested_at, address, wanted FROM jobs
"""
_JSON_COLUMNS = ("request", "resolved", "economy", "log", "notes", "wanted")
_NAME_OF_INPUT = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}\.png")
_UNFINISHED = f"status IN {tuple(sorted(UNFINISHED))}"


class JobFilter(NamedTuple):
    """Which jobs are wanted: of these statuses, of this owner, with these words in the prompt, ended by then.

    The words are looked for whatever their case.
    """

    statuses: tuple[str, ...] = ()
    owner: str | None = None
    text: str | None = None
    finished_until: float | None = None

    def condition(self) -> tuple[str, tuple[Any, ...]]:
        """Return the WHERE and its parameters."""
        conditions, parameters = ["1"], list[Any]()
        if self.statuses:
            conditions.append(f"status IN {marks(self.statuses)}")
            parameters += self.statuses
        if self.owner is not None:
            conditions.append("owner = ?")
            parameters.append(self.owner)
        if self.finished_until is not None:
            conditions.append("finished_at <= ?")
            parameters.append(self.finished_until)
        for word in (self.text or "").split():
            conditions.append(
                "json_valid(request) AND contains_word(CAST(json_extract(request, '$.prompt') AS BLOB), ?)"
            )
            parameters.append(word.casefold())
        return f"WHERE {' AND '.join(conditions)}", tuple(parameters)


ALL_JOBS = JobFilter()


class Jobs:
    """Questions about jobs, each answered as of one moment; those that a `Moment` is asked, as of the same one."""

    def __init__(self, source: Source, order: Order = read_order) -> None:
        self._source, self._order = source, order

    def get(self, id: str) -> Job | None:
        """Return the job, None when there is none with this id."""
        with self._source.read() as connection:
            return find_job(connection, id)

    def by_ids(self, ids: Sequence[str]) -> dict[str, Job]:
        """Return those of the jobs that are there; for many cheaper than one by one."""
        with self._source.read() as connection:
            return {job.id: job for job in jobs_with_ids(connection, ids, self._order)}

    def page(self, wanted: JobFilter = ALL_JOBS, limit: int = 50, offset: int = 0) -> tuple[list[Job], int]:
        """Return a page of jobs and how many there are in all: the queued ones in their order, else newest first."""
        with self._source.read() as connection:
            return select_jobs(connection, wanted, limit, offset, self._order)

    def images(self, id: str) -> list[Image]:
        """Return the complete pictures of a job in order."""
        return self.images_of([id]).get(id, [])

    def images_of(self, ids: Sequence[str]) -> dict[str, list[Image]]:
        """Return the complete pictures of these jobs in order; jobs without any are left out."""
        with self._source.read() as connection:
            return complete_images(connection, ids)

    def image(self, id: str, index: int) -> Image | None:
        """Return one picture of a job, complete or not."""
        with self._source.read() as connection:
            return find_image(connection, id, index)

    def running(self) -> Job | None:
        """Return the job that runs now."""
        with self._source.read() as connection:
            return running_job(connection)

    def newest_of(self, owner: str) -> Job | None:
        """Return the owner's newest unfinished job."""
        with self._source.read() as connection:
            return first_job(connection, f"WHERE owner = ? AND {_UNFINISHED} ORDER BY number DESC", (owner,))

    def last_of(self, owner: str) -> Job | None:
        """Return the owner's last job, finished or not."""
        with self._source.read() as connection:
            return first_job(connection, "WHERE owner = ? ORDER BY number DESC", (owner,))

    def inputs_named(self) -> frozenset[str]:
        """Return what looks like the name of an input in any job: these pictures are needed."""
        with self._source.read() as connection:
            rows = connection.execute(
                "SELECT request, resolved FROM jobs WHERE request LIKE :input OR resolved LIKE :input",
                {"input": "%.png%"},
            )
            return frozenset(
                name for row in rows for text in row if text is not None for name in _NAME_OF_INPUT.findall(text)
            )

    def queued_ids(self, limit: int | None = None) -> list[str]:
        """Return the ids of the waiting jobs, the next first, at most `limit`."""
        with self._source.read() as connection:
            return first_ids(connection, limit, self._order)

    def queued_count(self) -> int:
        """Return how many jobs wait."""
        with self._source.read() as connection:
            return int(connection.execute("SELECT count(*) FROM jobs WHERE status = 'queued'").fetchone()[0])

    def counts(self) -> dict[str, int]:
        """Return how many jobs there are of each status; those of which there are none are left out."""
        with self._source.read() as connection:
            return dict(connection.execute("SELECT status, count(*) FROM jobs GROUP BY status").fetchall())

    def queue_paused(self) -> bool:
        """Tell whether no job is claimed until the queue is resumed."""
        with self._source.read() as connection:
            return is_paused(connection)


def is_paused(reader: Reader) -> bool:
    """Tell whether the queue is paused."""
    return reader.execute("SELECT 1 FROM queue WHERE key = 'paused' AND value = '1'").fetchone() is not None


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


def running_job(reader: Reader) -> Job | None:
    """Return the job that runs."""
    return first_job(reader, "WHERE status = 'running' ORDER BY number")


def first_job(reader: Reader, ending: str, parameters: tuple[Any, ...] = ()) -> Job | None:
    """Return the first job of `{ending}`, such as "WHERE … ORDER BY …"."""
    rows = reader.execute(f"{_SELECT} {ending} LIMIT 1", parameters).fetchall()
    return _with_places(reader, rows)[0] if rows else None


def jobs_with_ids(reader: Reader, ids: Sequence[str], order: Order = read_order) -> list[Job]:
    """Return those of the jobs that are there, in no order; cheaper than one by one."""
    rows: list[sqlite3.Row] = []
    for some in batched(ids):
        rows += reader.execute(f"{_SELECT} WHERE id IN {marks(some)}", some).fetchall()
    return _with_places(reader, rows, order)


def select_jobs(reader: Reader, wanted: JobFilter, limit: int, offset: int, order: Order) -> tuple[list[Job], int]:
    """Return a page of jobs and how many there are in all; the queue in its order, anything else newest first."""
    where, parameters = wanted.condition()
    if wanted.statuses == ("queued",):
        ids = {row["id"] for row in reader.execute(f"SELECT id FROM jobs {where}", parameters)}
        ordered = [one.id for one in order(reader) if one.id in ids]
        page = ordered[offset : offset + limit]
        jobs = {job.id: job for job in jobs_with_ids(reader, page, order)}
        return [jobs[id] for id in page], len(ordered)
    total = int(reader.execute(f"SELECT count(*) FROM jobs {where}", parameters).fetchone()[0])
    rows = reader.execute(f"{_SELECT} {where} ORDER BY number DESC LIMIT ? OFFSET ?", (*parameters, limit, offset))
    return _with_places(reader, rows.fetchall()), total


def _with_places(reader: Reader, rows: Sequence[sqlite3.Row], order: Order = read_order) -> list[Job]:
    """Return the jobs, those that wait with their places in the queue."""
    waiting = [row["id"] for row in rows if row["status"] == "queued"]
    places = places_of(reader, waiting, order) if waiting else {}
    return [_job_of(row, places.get(row["id"])) for row in rows]


def _job_of(row: sqlite3.Row, place_in_queue: int | None) -> Job:
    values: dict[str, Any] = dict(row)
    for name in _JSON_COLUMNS:
        if values[name] is not None:
            values[name] = read_json(values[name])
    values["request"] = values["request"] or {}
    values["notes"] = tuple(Note(**note) for note in values["notes"] or ())
    values["log"] = None if values["log"] is None else tuple(values["log"])
    values["wanted"] = None if values["wanted"] is None else tuple(values["wanted"])
    values["forever"] = bool(values["forever"])
    return Job(**values, position=0 if values["status"] == "running" else place_in_queue)
