"""The queue: who waits, in which order, and how many may."""

from __future__ import annotations

import json
import math
import re
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Literal

from modules.errors import IdTaken, InvalidRequest, QueueFull
from modules.jobs.rows import RETRIED, Actor, Job, QueueLimits, RequestAnswer
from modules.jobs.store.audit import write_audit
from modules.jobs.store.database import Database, Reader, Transaction
from modules.jobs.store.jobs import find_job, is_paused, jobs_with_ids, known_job
from modules.jobs.store.order import read_order
from modules.jobs.store.places import leave_queue, put_at
from modules.jobs.store.transitions import (
    UNASKED,
    become,
    change,
    has_pictures,
    insert_job,
    interrupt_job,
    remove_job,
)

# An id names a folder of results, so it holds nothing that means something to a file system.
JOB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.()-]{0,99}")
PRIORITY_HIGHEST = 1000


class Queue:
    """What people do to jobs that wait, and to the queue as a whole. `limits` says how many may wait."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.limits: Callable[[], QueueLimits] = QueueLimits

    def submit(
        self,
        kind: str,
        request: Mapping[str, Any],
        owner: str,
        id: str | None = None,
        priority: int = 0,
        *,
        only_new: bool = False,
        forever: bool = False,
        retry_of: str | None = None,
        replaces: str | None = None,
        by: Actor | None = None,
    ) -> Job:
        """Queue a checked request. With an id that is known, return that job: submitting twice is once.

        With `only_new` it is an error, and so it is for somebody who may not see that job.

        With `forever` each job that is done is followed by another like it. `retry_of` is the job that was edited.
        `replaces` is a waiting job that gives its place to this one and goes; one that waits no more stays.

        Raises:
            IdTaken: see above.
            InvalidRequest: the id holds characters that no id may hold, or the priority is out of bounds.
            QueueFull: as many jobs wait as may wait.
        """
        if id is not None and not JOB_ID.fullmatch(id):
            raise InvalidRequest(f"Job id {id[:60]!r} is not possible: use up to 100 of A-Z a-z 0-9 _ . ( ) -.", "id")
        check_priority(priority)
        job_id = id or secrets.token_hex(8)
        limits, address = self.limits(), by.address if by is not None else ""
        with self._database.write() as transaction:
            known = find_job(transaction, job_id)
            if known is not None:
                if only_new or (by is not None and by.only_own and known.owner != owner):
                    raise IdTaken(job_id)
                return known
            old = None if replaces is None else find_job(transaction, replaces)
            if old is not None and old.status == "queued":
                priority, forever = old.priority, forever or old.forever
                retry_of = old.retry_of if retry_of == old.id else retry_of
            else:
                old = None
                check_room(transaction, limits, owner, address)
            insert_job(
                transaction, request, id=job_id, kind=kind, owner=owner, priority=priority,
                forever=forever, retry_of=retry_of, address=address,
            )  # fmt: skip
            if old is not None:
                _take_over_place(transaction, old, job_id)
            transaction.append("job", job_id, {"status": "queued"})
            write_audit(transaction, by, "submit", job_id, {"replaces": old.id} if old else None)
            return known_job(transaction, job_id)

    def pause(self, by: Actor | None = None) -> bool:
        """Claim no job any more; what runs goes on. False when that was so already."""
        return self._set_paused(True, by)

    def resume(self, by: Actor | None = None) -> bool:
        """Claim jobs again. False when nobody had paused the queue."""
        return self._set_paused(False, by)

    def move(self, id: str, to: Literal["front", "back"] | int, by: Actor | None = None) -> RequestAnswer:
        """Put a waiting job at a place of the queue, 1 or "front" for the next; the others keep their order.

        Between jobs of another priority it takes theirs. Those who come later do not push it back.

        Raises:
            UnknownJob: there is no such job.
        """
        with self._database.write(urgent=True) as transaction:
            job = known_job(transaction, id)
            if job.status != "queued":
                return RequestAnswer(False, job.status, id)
            position = {"front": 1, "back": 2**31}[to] if isinstance(to, str) else to
            put_at(transaction, job, position)
            transaction.append("queue", id, {"moved": to})
            write_audit(transaction, by, "move", id, {"to": to})
            return RequestAnswer(True, job.status, id)

    def prioritise(self, id: str, priority: int, by: Actor | None = None) -> RequestAnswer:
        """Change the priority of a job that is not finished; a waiting one loses the place it was moved to.

        Raises:
            UnknownJob: there is no such job.
            InvalidRequest: the priority is out of bounds.
        """
        check_priority(priority)
        with self._database.write(urgent=True) as transaction:
            job = known_job(transaction, id)
            if job.finished:
                return RequestAnswer(False, job.status, id)
            leave_queue(transaction, {id})
            change(transaction, id, priority=priority, place=0)
            transaction.append("queue", id, {"priority": priority})
            write_audit(transaction, by, "priority", id, {"priority": priority})
            return RequestAnswer(True, job.status, id)

    def retry(self, id: str, by: Actor | None = None) -> RequestAnswer:
        """Let a job that did not succeed wait again.

        It draws the same pictures, those that are partial, were skipped or are gone; whole ones stay. A partial one
        comes back if the job ends before it is drawn again.

        Raises:
            UnknownJob: there is no such job.
            QueueFull: as many jobs wait as may wait.
        """
        with self._database.write(urgent=True) as transaction:
            job = known_job(transaction, id)
            if job.status not in RETRIED:
                return RequestAnswer(False, job.status, id)
            check_room(transaction, self.limits(), job.owner, job.address)
            _queue_again(transaction, job)
            write_audit(transaction, by, "retry", id, {"was": job.status})
            return RequestAnswer(True, job.status, id)

    def redraw(self, id: str, images: Collection[int], by: Actor | None = None) -> RequestAnswer:
        """Let a job that has ended wait again, for those of these pictures that it lacks; whole ones stay.

        Of the others nothing is drawn. Partial ones are as with `retry`. It is followed by no other any more.

        Raises:
            UnknownJob: there is no such job.
            InvalidRequest: it lacks none of these pictures.
            QueueFull: as many jobs wait as may wait.
        """
        with self._database.write(urgent=True) as transaction:
            job = known_job(transaction, id)
            if not job.finished:
                return RequestAnswer(False, job.status, id)
            rows = transaction.execute(
                "SELECT image_index FROM images WHERE job_id = ? AND status = 'complete' AND NOT partial", (id,)
            )
            wanted = sorted(set(images) - {row["image_index"] for row in rows})
            if not wanted:
                message = "Nothing is to be drawn: these pictures are there, and whole. Name some that are missing."
                raise InvalidRequest(message, "images")
            check_room(transaction, self.limits(), job.owner, job.address)
            _queue_again(transaction, job, wanted)
            write_audit(transaction, by, "redraw", id, {"was": job.status, "images": len(wanted)})
            return RequestAnswer(True, job.status, id)

    def interrupt_waiting(
        self,
        owner: str | None = None,
        by: Actor | None = None,
        forget: bool = False,
        created_until: float = math.inf,
    ) -> int:
        """End all waiting jobs, or those of `owner`, and return how many those were. Paused ones stay.

        With `forget` those that have no picture are not kept as interrupted ones. `created_until` is the Unix time of
        the newest that is meant.
        """
        with self._database.write(urgent=True) as transaction:
            waiting = [one.id for one in read_order(transaction) if owner in (None, one.owner)]
            meant = [job for job in jobs_with_ids(transaction, waiting) if job.created_at <= created_until]
            ids = [job.id for job in meant]
            leave_queue(transaction, frozenset(ids))
            for job in sorted(meant, key=lambda job: job.number):
                if forget and not has_pictures(transaction, job.id):
                    remove_job(transaction, job)
                else:
                    interrupt_job(transaction, job, "interrupt")
            if ids:
                write_audit(transaction, by, "interrupt-waiting", detail={"count": len(ids), "owner": owner})
            return len(ids)

    def remove(self, id: str, by: Actor | None = None) -> bool:
        """Take a waiting job out of the queue; False when it does not wait.

        One that has pictures already (its engine died amid it) is not forgotten but becomes `interrupted`.
        """
        with self._database.write(urgent=True) as transaction:
            job = find_job(transaction, id)
            if job is None or job.status != "queued":
                return False
            leave_queue(transaction, {id})
            remove_job(transaction, job)
            write_audit(transaction, by, "remove", id)
            return True

    def _set_paused(self, paused: bool, by: Actor | None) -> bool:
        with self._database.write(urgent=True) as transaction:
            if is_paused(transaction) == paused:
                return False
            transaction.execute("INSERT OR REPLACE INTO queue (key, value) VALUES ('paused', ?)", (str(int(paused)),))
            transaction.append("queue", None, {"paused": paused})
            write_audit(transaction, by, "pause-queue" if paused else "resume-queue")
            return True


def _queue_again(transaction: Transaction, job: Job, wanted: Sequence[int] | None = None) -> None:
    """Let a job that has ended wait for what it lacks of all its pictures, or of the `wanted` ones."""
    become(
        transaction, job, "queued", **UNASKED, deaths=0, error=None, log=None, stop_requests=0, skip_image=None,
        image_index=None, finished_at=None, stopped_after_seconds=None, progress=0, engine=None,
        wanted=None if wanted is None else json.dumps(list(wanted)), forever=job.forever and wanted is None,
    )  # fmt: skip
    transaction.execute(
        "UPDATE images SET status = 'reserved', partial = partial AND status = 'complete', completed_at = NULL"
        " WHERE job_id = :id AND (partial OR status = 'expired')"
        " AND (:wanted IS NULL OR image_index IN (SELECT value FROM json_each(:wanted)))",
        {"id": job.id, "wanted": None if wanted is None else json.dumps(list(wanted))},
    )


def _take_over_place(transaction: Transaction, old: Job, new_id: str) -> None:
    """Let a waiting job give its place to another one, and go; one that has pictures already ends as interrupted."""
    position = [one.id for one in read_order(transaction) if one.id != new_id].index(old.id) + 1
    if has_pictures(transaction, old.id):
        leave_queue(transaction, {old.id})
        remove_job(transaction, old)
    else:
        row = transaction.execute("SELECT number, place, own_place, follows FROM jobs WHERE id = ?", (old.id,))
        taken = tuple(row.fetchone())
        remove_job(transaction, old)
        transaction.execute(
            "UPDATE jobs SET number = ?, place = ?, own_place = ?, follows = ? WHERE id = ?", (*taken, new_id)
        )
    job = known_job(transaction, new_id)
    if job.position != position:  # of another owner, whose turn is at another time
        put_at(transaction, job, position)


def check_room(reader: Reader, limits: QueueLimits, owner: str, address: str) -> None:
    """Check that one more job may wait. Paused jobs count: they are kept like those that wait.

    What one owner may have waiting, one address may too, whatever owners it names: else one client that is another
    owner each time fills the queue for all.

    Raises:
        QueueFull: none may; the message names the number and the remedy.
    """
    total, own, same_address = reader.execute(
        "SELECT count(*), coalesce(sum(owner = :owner), 0), coalesce(sum(address = :address), 0)"
        " FROM jobs WHERE status IN ('queued', 'paused')",
        {"owner": owner, "address": address},
    ).fetchone()
    if 0 < limits.total <= total:
        raise QueueFull(
            f"The queue is full: {total:,} jobs wait, the setting queue_limit allows {limits.total:,}. "
            "Send it again when some are done, or raise the setting."
        )
    if 0 < limits.per_owner <= own:
        raise QueueFull(
            f"{own:,} of your jobs wait, the setting queue_limit_per_owner allows {limits.per_owner:,}. "
            "Send it again when some are done, cancel some, or raise the setting."
        )
    if address and 0 < limits.per_owner <= same_address:
        raise QueueFull(
            f"{same_address:,} jobs from your address {address} wait, the setting queue_limit_per_owner allows "
            f"{limits.per_owner:,} of one address too. Send it again when some are done, or raise the setting."
        )


def check_priority(priority: int) -> None:
    """Check the bounds of a priority.

    Raises:
        InvalidRequest: it is beyond them.
    """
    if not -PRIORITY_HIGHEST <= priority <= PRIORITY_HIGHEST:
        raise InvalidRequest(
            f"Priority {priority} is not possible: use -{PRIORITY_HIGHEST} to {PRIORITY_HIGHEST}, 0 is the usual one.",
            "priority",
        )
