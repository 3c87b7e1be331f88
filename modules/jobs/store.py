"""The truth about jobs: rows in `jobs.sqlite`, changed only by the methods here.

A status goes `queued -> running -> done | interrupted | failed`, with `paused` and `quarantined` beside them. Each
change appends its event in the same transaction. All methods are safe to call from several threads and processes; each
may wait for the disk, so never call one on an event loop. All raise StorageError when the disk refuses.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from modules.errors import InvalidRequest, UnknownJob
from modules.images.naming import highest_number, result_folder, saved_folder
from modules.images.results import remove_orphans, remove_result
from modules.jobs import store_images
from modules.jobs.rows import Death, EndStatus, Event, Image, Job, Pending, RequestAnswer, RequestKind
from modules.jobs.store_database import Database, Transaction
from modules.jobs.store_recovery import recover_job
from modules.jobs.store_rows import QUEUE_ORDER, end_job, find_job, first_job, select_events, select_jobs
from modules.paths import DataFolder

# An id names a folder of results, so it holds nothing that means something to a file system.
_JOB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.()-]{0,99}")


class JobStore:
    """The jobs, pictures and events of a data folder.

    A corrupt database is set aside with its `-wal` and `-shm`; `notices` tells the user. `announce`, when set, is
    called after every commit that appended events, with the highest number.
    """

    def __init__(
        self, database: Path, folder: DataFolder | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self._folder = folder or DataFolder(database.parent)
        self._clock = clock
        self._database = Database(database, clock)

    @property
    def notices(self) -> list[str]:
        """What the user should be told about the database."""
        return self._database.notices

    @property
    def announce(self) -> Callable[[int], None] | None:
        """Called after each commit with the highest event number, on the thread that committed."""
        return self._database.announce

    @announce.setter
    def announce(self, announce: Callable[[int], None] | None) -> None:
        self._database.announce = announce

    def close(self) -> None:
        """Close the database. The store cannot be used after."""
        self._database.close()

    # --- Submitting and reading -------------------------------------------------------------------------------------

    def submit(
        self, kind: str, request: Mapping[str, Any], owner: str, id: str | None = None, priority: int = 0
    ) -> Job:
        """Queue a checked request. With an id that is known, return that job: submitting twice is once.

        Raises:
            InvalidRequest: the id holds characters that no id may hold.
        """
        if id is not None and not _JOB_ID.fullmatch(id):
            raise InvalidRequest(f"Job id {id[:60]!r} is not possible: use up to 100 of A-Z a-z 0-9 _ . ( ) -.", "id")
        job_id = id or secrets.token_hex(8)
        with self._database.write() as transaction:
            known = find_job(transaction, job_id)
            if known is not None:
                return known
            transaction.execute(
                "INSERT INTO jobs (id, kind, owner, request, status, priority, created_at)"
                " VALUES (?, ?, ?, ?, 'queued', ?, ?)",
                (job_id, kind, owner, json.dumps(dict(request), ensure_ascii=False), priority, transaction.now()),
            )
            transaction.append("job", job_id, {"status": "queued"})
            return _known_job(transaction, job_id)

    def get(self, id: str) -> Job | None:
        """Return the job, None when there is none with this id."""
        with self._database.read() as connection:
            return find_job(connection, id)

    def jobs(
        self, status: str | Sequence[str] | None = None, owner: str | None = None, limit: int = 50, offset: int = 0
    ) -> tuple[list[Job], int]:
        """Return a page of jobs and how many there are in all: the queued ones in their order, else newest first."""
        statuses = () if status is None else (status,) if isinstance(status, str) else tuple(status)
        with self._database.read() as connection:
            return select_jobs(connection, statuses, owner, limit, offset)

    def running(self) -> Job | None:
        """Return the job that runs now."""
        with self._database.read() as connection:
            return first_job(connection, "WHERE status = 'running' ORDER BY number")

    def queued_ids(self, limit: int = 200) -> list[str]:
        """Return the ids of the waiting jobs, the next first."""
        with self._database.read() as connection:
            query = f"SELECT id FROM jobs WHERE status = 'queued' ORDER BY {QUEUE_ORDER} LIMIT ?"
            return [row["id"] for row in connection.execute(query, (limit,))]

    def queued_count(self) -> int:
        """Return how many jobs wait."""
        with self._database.read() as connection:
            return int(connection.execute("SELECT count(*) FROM jobs WHERE status = 'queued'").fetchone()[0])

    def newest_for_owner(self, owner: str) -> Job | None:
        """Return the owner's newest unfinished job."""
        with self._database.read() as connection:
            unfinished = "status IN ('queued', 'running', 'paused')"
            return first_job(connection, f"WHERE owner = ? AND {unfinished} ORDER BY number DESC", (owner,))

    def last_for_owner(self, owner: str) -> Job | None:
        """Return the owner's last job, finished or not."""
        with self._database.read() as connection:
            return first_job(connection, "WHERE owner = ? ORDER BY number DESC", (owner,))

    # --- The engine's side ------------------------------------------------------------------------------------------

    def claim(self, engine: str) -> Job | None:
        """Make the next queued job the engine's own; None when none waits. No two callers get the same one."""
        with self._database.write() as transaction:
            waiting = first_job(transaction, f"WHERE status = 'queued' ORDER BY {QUEUE_ORDER}")
            if waiting is None:
                return None
            transaction.execute(
                "UPDATE jobs SET status = 'running', engine = ?, attempts = attempts + 1,"
                " started_at = coalesce(started_at, ?) WHERE id = ?",
                (engine, transaction.now(), waiting.id),
            )
            job = _known_job(transaction, waiting.id)
            transaction.append("job", job.id, {"status": "running", "attempts": job.attempts})
            return job

    def recover(self, engine: str, death: Death | None = None) -> list[Job]:
        """Settle every job that an earlier engine left running, and return them as they are now.

        For the engine, at its start, before its first claim. `death` tells how the earlier one ended; None is unknown.
        """
        with self._database.write() as transaction:
            rows = transaction.execute(
                "SELECT id FROM jobs WHERE status = 'running' AND engine IS NOT ? ORDER BY number", (engine,)
            ).fetchall()
            for row in rows:
                recover_job(transaction, _known_job(transaction, row["id"]), death)
            return [_known_job(transaction, row["id"]) for row in rows]

    def set_resolved(self, id: str, resolved: Mapping[str, Any]) -> Job:
        """Freeze what the job draws. The first time counts: a rerun draws the same pictures.

        Raises:
            UnknownJob: there is none.
        """
        with self._database.write() as transaction:
            changed = transaction.execute(
                "UPDATE jobs SET resolved = ? WHERE id = ? AND resolved IS NULL",
                (json.dumps(dict(resolved), ensure_ascii=False), id),
            ).rowcount
            job = _known_job(transaction, id)
            if changed:
                transaction.append("job", id, {"status": job.status})
            return job

    def begin_image(self, id: str, index: int) -> None:
        """Say which picture of the job is drawn now: a skip that comes meanwhile means this one."""
        with self._database.write() as transaction:
            transaction.execute("UPDATE jobs SET image_index = ? WHERE id = ?", (index, id))

    def record_progress(self, id: str, phase: str | None, progress: float) -> None:
        """Store the phase and the progress, 0 to 1, for those who ask later. Progress never falls."""
        with self._database.write() as transaction:
            transaction.execute(
                "UPDATE jobs SET phase = ?, progress = max(progress, ?) WHERE id = ? AND status = 'running'",
                (phase, min(1.0, progress), id),
            )

    def finish(self, id: str, status: EndStatus, error: str | None = None) -> Job:
        """Close a running job; one that does not run stays as it is.

        Raises:
            UnknownJob: there is none.
        """
        with self._database.write() as transaction:
            job = _known_job(transaction, id)
            if job.status == "running":
                end_job(transaction, job, status, error)
            return _known_job(transaction, id)

    def pending(self, id: str) -> Pending:
        """Return what the user asked of the job, also before this engine knew it."""
        job = self.get(id)
        return Pending(job.requested, job.skip_image) if job else Pending(None, None)

    def clear_skip(self, id: str, image: int) -> None:
        """Forget the skip of this picture, since it was obeyed or came too late; one of another picture stays."""
        with self._database.write() as transaction:
            transaction.execute("UPDATE jobs SET skip_image = NULL WHERE id = ? AND skip_image = ?", (id, image))

    # --- The user's side --------------------------------------------------------------------------------------------

    def request(self, kind: RequestKind, id: str | None = None) -> RequestAnswer:
        """Store what the user asks of a job, or of the one that runs now when `id` is None.

        A waiting job is interrupted at once. A running one is when its engine sees the request; it finds it here also
        after its own death. A request for a job that has ended changes nothing.

        Raises:
            UnknownJob: an id was given and there is no such job.
        """
        with self._database.write() as transaction:
            if id is None:
                job = first_job(transaction, "WHERE status = 'running' ORDER BY number")
                if job is None:
                    return RequestAnswer(False, None, None, None)
            else:
                job = _known_job(transaction, id)
            if job.status == "queued" and kind != "skip":
                _store_stop(transaction, job, kind)
                end_job(transaction, job, "interrupted")
                return RequestAnswer(True, job.status, job.id, None)
            if job.status != "running":
                return RequestAnswer(False, job.status, job.id, None)
            image = job.image_index or 0
            if kind == "skip":
                transaction.execute("UPDATE jobs SET skip_image = ? WHERE id = ?", (image, job.id))
            else:
                _store_stop(transaction, job, kind)
            transaction.append("request", job.id, {"kind": kind, "image": image})
            return RequestAnswer(True, job.status, job.id, image)

    def remove(self, id: str) -> bool:
        """Take a waiting job out of the queue; False when it does not wait.

        One that has pictures already (its engine died amid it) is not forgotten but becomes `interrupted`.
        """
        with self._database.write() as transaction:
            job = find_job(transaction, id)
            if job is None or job.status != "queued":
                return False
            if transaction.execute("SELECT 1 FROM images WHERE job_id = ? LIMIT 1", (id,)).fetchone():
                end_job(transaction, job, "interrupted")
            else:
                transaction.execute("DELETE FROM jobs WHERE id = ?", (id,))
                transaction.append("removed", id, {})
            return True

    # --- Pictures ---------------------------------------------------------------------------------------------------

    def reserve_image(self, id: str, index: int, seed: int, width: int, height: int, save: bool) -> Image:
        """Give a picture its name and number before its file is written. One that has them keeps them.

        `save` decides between `outputs/` and `results/`. A picture that comes back complete needs no drawing.

        Raises:
            UnknownJob: there is none.
        """
        job = self.get(id)
        if job is None:
            raise UnknownJob(id)
        folder = saved_folder(job.kind, job.created_at) if save else result_folder(id)
        highest_on_disk = highest_number(self._folder.root / folder)
        image = Image(id, index, "", seed, width, height, "", False, "reserved", None)
        with self._database.write() as transaction:
            return store_images.reserve(transaction, image, folder, highest_on_disk)

    def complete_image(self, id: str, index: int, infotext: str, partial: bool = False) -> Image:
        """Say that a reserved picture's file is on disk. Everyone who watches is told.

        Raises:
            UnknownJob: the picture was never reserved.
        """
        with self._database.write() as transaction:
            return store_images.complete(transaction, id, index, infotext, partial)

    def images(self, id: str) -> list[Image]:
        """Return the complete pictures of a job in order."""
        with self._database.read() as connection:
            return store_images.complete_images(connection, id)

    def expire_results(self, hours: float) -> int:
        """Remove the pictures under `results/` of jobs that ended more than `hours` ago; return how many there were."""
        before = self._clock() - hours * 3600
        with self._database.read() as connection:
            expired = store_images.results_finished_before(connection, before)
            known_jobs = store_images.jobs_with_results(connection)
        for image in expired:
            remove_result(self._folder.root / PurePosixPath(image.name))
        remove_orphans(self._folder.results, known_jobs, before)
        if expired:
            with self._database.write() as transaction:
                for image in expired:
                    store_images.mark_expired(transaction, image)
                for job_id in dict.fromkeys(image.job_id for image in expired):
                    transaction.append("job", job_id, {"status": _known_job(transaction, job_id).status})
        return len(expired)

    # --- Events -----------------------------------------------------------------------------------------------------

    def events_after(self, number: int, limit: int = 500) -> list[Event]:
        """Return the events above `number` in order, at most `limit`."""
        with self._database.read() as connection:
            return select_events(connection, number, limit)

    def last_event(self) -> int:
        """Return the number of the last event, 0 when nothing has happened yet."""
        with self._database.read() as connection:
            return int(connection.execute("SELECT coalesce(max(number), 0) FROM events").fetchone()[0])

    def data_version(self) -> int:
        """Return a number that differs from the last one when any thread or process changed the database since."""
        return self._database.data_version()

    def note_settings(self, changed: Sequence[str]) -> None:
        """Tell everyone which settings changed."""
        with self._database.write() as transaction:
            transaction.append("settings", None, {"changed": list(changed)})


def _known_job(transaction: Transaction, job_id: str) -> Job:
    job = find_job(transaction, job_id)
    if job is None:
        raise UnknownJob(job_id)
    return job


def _store_stop(transaction: Transaction, job: Job, kind: RequestKind) -> None:
    """Store the stronger of two requests, and since when: a "stop" after an "interrupt" takes nothing back."""
    if job.requested is None or (job.requested == "stop" and kind == "interrupt"):
        transaction.execute(
            "UPDATE jobs SET requested = ?, requested_at = ? WHERE id = ?", (kind, transaction.now(), job.id)
        )
