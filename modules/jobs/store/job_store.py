"""The truth about jobs: rows in `jobs.sqlite`, changed only by the methods here.

A status goes `queued -> running -> done | interrupted | failed`, with `paused` and `quarantined` beside them. Each
change appends its event in the same transaction. All methods are safe to call from several threads and processes; each
may wait for the disk, so never call one on an event loop. All raise StorageError when the disk refuses.

Methods that a person triggers take `by`, who asks, and write it down in the same transaction.
"""

from __future__ import annotations

from collections.abc import Sequence

from modules.jobs.rows import Image, Job
from modules.jobs.store.audit import Audit
from modules.jobs.store.deletion import Deletion
from modules.jobs.store.engine import EngineSide
from modules.jobs.store.events import Events
from modules.jobs.store.images import complete_images, complete_images_of
from modules.jobs.store.pictures import Pictures
from modules.jobs.store.queue import Queue
from modules.jobs.store.requests import Requests
from modules.jobs.store.statements import JobFilter, find_job, select_jobs


class JobStore(Queue, Requests, EngineSide, Pictures, Events, Audit, Deletion):
    """The jobs, pictures and events of a data folder. Its methods are in the files of the classes above."""

    def get(self, id: str) -> Job | None:
        """Return the job, None when there is none with this id."""
        with self.moment() as now:
            return now.get(id)

    def jobs_by_id(self, ids: Sequence[str]) -> dict[str, Job]:
        """Return those of the jobs that are there; for many cheaper than one by one."""
        with self.moment() as now:
            return now.jobs_by_id(ids)

    def jobs(
        self,
        status: str | Sequence[str] | None = None,
        owner: str | None = None,
        limit: int = 50,
        offset: int = 0,
        text: str | None = None,
    ) -> tuple[list[Job], int]:
        """Return a page of jobs and how many there are in all: the queued ones in their order, else newest first.

        `text` leaves those whose prompt holds each of its words, whatever their case.
        """
        with self._database.read() as connection:
            return select_jobs(connection, JobFilter(_statuses(status), owner, text), limit, offset)

    def with_images(self, id: str) -> tuple[Job, list[Image]] | None:
        """Return the job and its complete pictures, as they are at one moment; None when there is no such job."""
        with self._database.read() as connection:
            job = find_job(connection, id)
            return None if job is None else (job, complete_images(connection, id))

    def jobs_with_images(
        self,
        status: str | Sequence[str] | None = None,
        owner: str | None = None,
        limit: int = 50,
        offset: int = 0,
        text: str | None = None,
    ) -> tuple[list[tuple[Job, list[Image]]], int]:
        """Like `jobs`, each with its complete pictures, all as they are at one moment."""
        wanted = JobFilter(_statuses(status), owner, text)
        with self._database.read() as connection:
            jobs, total = select_jobs(connection, wanted, limit, offset)
            images = complete_images_of(connection, [job.id for job in jobs])
        return [(job, images.get(job.id, [])) for job in jobs], total

    def running(self) -> Job | None:
        """Return the job that runs now."""
        with self.moment() as now:
            return now.running()

    def newest_for_owner(self, owner: str) -> Job | None:
        """Return the owner's newest unfinished job."""
        with self.moment() as now:
            return now.newest_for_owner(owner)

    def last_for_owner(self, owner: str) -> Job | None:
        """Return the owner's last job, finished or not."""
        with self.moment() as now:
            return now.last_for_owner(owner)


def _statuses(status: str | Sequence[str] | None) -> tuple[str, ...]:
    return () if status is None else (status,) if isinstance(status, str) else tuple(status)
