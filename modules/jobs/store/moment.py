"""What several questions answer about one and the same moment: between two transactions a job may have been claimed."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import cached_property

from modules.jobs.rows import Event, Image, Job
from modules.jobs.store.images import complete_images
from modules.jobs.store.order import Waiting
from modules.jobs.store.statements import find_job, first_job, is_paused, jobs_with_ids, read_order, select_events

_UNFINISHED = "status IN ('queued', 'running', 'paused')"


class Moment:
    """The database as one read transaction sees it. For one thread, while that lasts."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @cached_property
    def order(self) -> list[Waiting]:
        """The waiting jobs, the next first."""
        return read_order(self._connection)

    def get(self, id: str) -> Job | None:
        """Return the job, None when there is none with this id."""
        return find_job(self._connection, id)

    def jobs_by_id(self, ids: Sequence[str]) -> dict[str, Job]:
        """Return those of the jobs that are there; for many cheaper than one by one."""
        order = self.order if len(ids) > 1 else None
        return {job.id: job for job in jobs_with_ids(self._connection, ids, order)}

    def images(self, id: str) -> list[Image]:
        """Return the complete pictures of a job in order."""
        return complete_images(self._connection, id)

    def running(self) -> Job | None:
        """Return the job that runs now."""
        return first_job(self._connection, "WHERE status = 'running' ORDER BY number")

    def newest_for_owner(self, owner: str) -> Job | None:
        """Return the owner's newest unfinished job."""
        return first_job(self._connection, f"WHERE owner = ? AND {_UNFINISHED} ORDER BY number DESC", (owner,))

    def last_for_owner(self, owner: str) -> Job | None:
        """Return the owner's last job, finished or not."""
        return first_job(self._connection, "WHERE owner = ? ORDER BY number DESC", (owner,))

    def queued_ids(self, limit: int = 200) -> list[str]:
        """Return the ids of the waiting jobs, the next first."""
        return [one.id for one in self.order[:limit]]

    def queued_count(self) -> int:
        """Return how many jobs wait."""
        return int(self._connection.execute("SELECT count(*) FROM jobs WHERE status = 'queued'").fetchone()[0])

    def counts(self) -> dict[str, int]:
        """Return how many jobs there are of each status; those of which there are none are left out."""
        return {row[0]: row[1] for row in self._connection.execute("SELECT status, count(*) FROM jobs GROUP BY status")}

    def queue_paused(self) -> bool:
        """Tell whether no job is claimed until `resume_queue`."""
        return is_paused(self._connection)

    def events_after(self, number: int, limit: int = 500) -> list[Event]:
        """Return the events above `number` in order, at most `limit`."""
        return select_events(self._connection, number, limit)

    def last_event(self) -> int:
        """Return the number of the last event, 0 when nothing has happened yet. Compaction does not change it."""
        row = self._connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
        return int(row["seq"]) if row else 0
