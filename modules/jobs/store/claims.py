"""What the engine does with a job: claims it, says how far it is, pauses it, gives it back or closes it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from modules.jobs.rows import Death, EndStatus, Job, Pending
from modules.jobs.store.database import Database, Reader, Transaction
from modules.jobs.store.jobs import is_paused, known_job
from modules.jobs.store.order import first_ids
from modules.jobs.store.places import leave_queue
from modules.jobs.store.transitions import (
    add_note,
    change,
    end_job,
    pause_job,
    queue_successor,
    recover_job,
    requeue_job,
)

_TURNS_REMEMBERED = 1000


class Claims:
    """The engine's side of the queue."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, engine: str) -> Job | None:
        """Make the next waiting job the engine's own; None when none waits or the queue is paused.

        No two callers get the same one. `engine` names the process: its engine's id, which the next process of that
        engine has too, and after a slash its own. After a power cut it may wait again, as it does then anyway.
        """
        with self._database.read() as connection:  # engines ask at every event: in vain they hold nobody up
            if not _one_waits(connection):
                return None
        with self._database.write(lasting=False) as transaction:
            first = first_ids(transaction, 1) if _one_waits(transaction) else []
            if not first:
                return None
            leave_queue(transaction, first)
            transaction.execute(
                "UPDATE jobs SET status = 'running', engine = ?, attempts = attempts + 1, place = 0, own_place = 0,"
                " stop_requests = 0, started_at = coalesce(started_at, ?) WHERE id = ?",
                (engine, transaction.now(), first[0]),
            )
            job = known_job(transaction, first[0])
            _take_turn(transaction, job.owner)
            transaction.append("job", job.id, {"status": "running", "attempts": job.attempts})
            return job

    def recover(self, death: Death | None = None, living: Collection[str] = ()) -> list[Job]:
        """Settle every job that a dead engine left running, and return them as they are now.

        For an engine, at its start, before its first claim. `living` are the ids of the other engines; whoever else is
        named in a row is dead. `death` tells how the earlier process of this engine ended; None is unknown.
        """
        with self._database.write() as transaction:
            rows = transaction.execute(
                "SELECT id, engine FROM jobs WHERE status = 'running' ORDER BY number"
            ).fetchall()
            left = [row["id"] for row in rows if _engine_of(row["engine"]) not in living]
            for id in reversed(left):  # each goes to the front
                recover_job(transaction, known_job(transaction, id), death)
            return [known_job(transaction, id) for id in left]

    def set_resolved(self, id: str, resolved: Mapping[str, Any]) -> None:
        """Freeze what the job draws. The first time counts: a rerun draws the same pictures.

        Raises:
            UnknownJob: there is none.
        """
        with self._database.write() as transaction:
            job = known_job(transaction, id)
            if job.resolved is None:
                change(transaction, id, resolved=json.dumps(dict(resolved), ensure_ascii=False))
                transaction.append("job", id, {"status": job.status})

    def begin_image(self, id: str, index: int) -> None:
        """Say which picture of the job is drawn now: a skip that comes meanwhile means this one."""
        with self._database.write(lasting=False) as transaction:
            change(transaction, id, image_index=index)

    def record_progress(self, id: str, phase: str | None, progress: float) -> None:
        """Store the phase and the progress, 0 to 1, for those who ask later. Progress never falls."""
        with self._database.write(lasting=False) as transaction:
            transaction.execute(
                "UPDATE jobs SET phase = ?, progress = max(progress, ?) WHERE id = ? AND status = 'running'",
                (phase, min(1.0, progress), id),
            )

    def note(self, id: str, kind: str, text: str) -> None:
        """Add to what people should be told of a job. The same text is told once, and everyone who watches is told.

        Raises:
            UnknownJob: there is none.
        """
        with self._database.write() as transaction:
            job = known_job(transaction, id)
            if all(note.text != text for note in job.notes):
                add_note(transaction, job, kind, text)
                transaction.append("job", id, {"status": job.status, "note": text})

    def set_economy(self, id: str, economy: Mapping[str, Any]) -> None:
        """Store the cheaper settings that the job draws with after it ran out of memory.

        Raises:
            UnknownJob: there is none.
        """
        with self._database.write() as transaction:
            job = known_job(transaction, id)
            change(transaction, id, economy=json.dumps(dict(economy)))
            transaction.append("job", id, {"status": job.status})

    def finish(self, id: str, status: EndStatus, error: str | None = None) -> Job:
        """Close a running job; one that does not run stays as it is. A `forever` job that is done gets its successor.

        Raises:
            UnknownJob: there is none.
        """
        with self._database.write() as transaction:
            job = known_job(transaction, id)
            if job.status == "running":
                end_job(transaction, job, status, error)
                if status == "done" and job.forever and job.requested in (None, "pause"):
                    queue_successor(transaction, job)
            return known_job(transaction, id)

    def pause_now(self, id: str) -> Job:
        """Put a running job aside, since it was asked to pause.

        Look at the status of the answer: a job that was resumed meanwhile is `queued`, one that was interrupted
        meanwhile `interrupted`; one that does not run stays as it is.

        Raises:
            UnknownJob: there is none.
        """
        with self._database.write() as transaction:
            job = known_job(transaction, id)
            if job.status != "running":
                return job
            if job.requested in ("interrupt", "stop"):
                end_job(transaction, job, "interrupted")
            elif job.requested is None and job.requested_at is not None:
                requeue_job(transaction, job, job.deaths)
            else:
                pause_job(transaction, job)
            return known_job(transaction, id)

    def requeue(self, id: str, note: str | None = None, kind: str = "requeued") -> Job:
        """Give a running job back, as the next of its priority, without a death; a `note` says why.

        What the user asked of it meanwhile is done: it may come back `interrupted` or `paused`.

        Raises:
            UnknownJob: there is none.
        """
        with self._database.write() as transaction:
            job = known_job(transaction, id)
            if job.status == "running":
                if note is not None:
                    add_note(transaction, job, kind, note)
                recover_job(transaction, job, None)
            return known_job(transaction, id)

    def pending(self, id: str) -> Pending:
        """Return what the user asked of the job, also before this engine knew it."""
        with self._database.read() as connection:
            row = connection.execute("SELECT requested, skip_image FROM jobs WHERE id = ?", (id,)).fetchone()
        return Pending(*row) if row else Pending(None, None)

    def clear_skip(self, id: str, image: int) -> None:
        """Forget the skip of this picture, since it was obeyed or came too late; one of another picture stays."""
        with self._database.write() as transaction:
            transaction.execute("UPDATE jobs SET skip_image = NULL WHERE id = ? AND skip_image = ?", (id, image))


def _engine_of(claimed_by: str | None) -> str | None:
    """Return the id of the engine whose process claimed a job. Versions before named the process alone."""
    return None if claimed_by is None else claimed_by.partition("/")[0]


def _one_waits(reader: Reader) -> bool:
    """Tell whether there is a job that may be claimed now."""
    one = reader.execute("SELECT 1 FROM jobs WHERE status = 'queued' LIMIT 1").fetchone()
    return one is not None and not is_paused(reader)


def _take_turn(transaction: Transaction, owner: str) -> None:
    """Count the claims, and note that this one was the owner's; a clock would not do, since it may be set back.

    An owner who had no turn for very long is as one who never had any.
    """
    turns = transaction.execute(
        "INSERT INTO queue (key, value) VALUES ('turns', '1')"
        " ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + 1 RETURNING value"
    )
    turn = int(turns.fetchone()["value"])
    transaction.execute(
        "INSERT INTO turns (owner, turn) VALUES (?, ?) ON CONFLICT (owner) DO UPDATE SET turn = excluded.turn",
        (owner, turn),
    )
    transaction.execute("DELETE FROM turns WHERE turn <= ?", (turn - _TURNS_REMEMBERED,))
