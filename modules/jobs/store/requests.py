"""What people ask of a job: stored in the transaction that looks at its status, so that no click hits the next job."""

from __future__ import annotations

from collections.abc import Callable

from modules.jobs.rows import RETRIED, Actor, Job, RequestAnswer, RequestKind
from modules.jobs.store.audit import write_audit
from modules.jobs.store.base import StoreBase
from modules.jobs.store.database import Transaction
from modules.jobs.store.places import leave_queue
from modules.jobs.store.queue import address_of, check_room
from modules.jobs.store.statements import Reader, end_job, find_job, first_job, jobs_with_ids, known_job, read_order

# A stronger request replaces a weaker one; a weaker one takes nothing back.
_STRENGTH = {None: 0, "pause": 1, "stop": 2, "interrupt": 3}


class Requests(StoreBase):
    """The methods of the job store for what people ask of a job."""

    def request(
        self,
        kind: RequestKind,
        id: str | None = None,
        by: Actor | None = None,
        permit: Callable[[Job], None] = lambda job: None,
    ) -> RequestAnswer:
        """Store what the user asks of a job, or of the one that runs now when `id` is None.

        A waiting or paused job is interrupted at once, a waiting one also paused. A running one is when its engine
        sees the request; it finds it here also after its own death. A request for a job that has ended changes
        nothing, nor does one that is weaker than what was asked before (a pause after an interrupt). In a chain of
        `forever` jobs a stop or a pause of one that is done means the one that came after it: the answer names it.
        `permit` is called with the very job that is meant, and may raise.

        Raises:
            UnknownJob: an id was given and there is no such job.
        """
        with self._database.write(urgent=True) as transaction:
            if id is None:
                job = first_job(transaction, "WHERE status = 'running' ORDER BY number")
                if job is None:
                    return RequestAnswer(False, None, None, None)
            else:
                job = known_job(transaction, id)
                if kind != "skip" and job.status == "done" and job.forever:
                    last = last_of_chain(transaction, job)
                    job = job if last.finished else last
            permit(job)
            answer = _ask_running(transaction, kind, job) if job.status == "running" else _ask(transaction, kind, job)
            if answer.accepted:
                write_audit(transaction, by, kind, job.id)
            return answer

    def resume(self, id: str, by: Actor | None = None) -> RequestAnswer:
        """Let a paused job go on: it waits again, first among its owner's jobs that nobody moved.

        A pause that the engine has not obeyed yet is taken back.

        Raises:
            UnknownJob: there is no such job.
        """
        with self._database.write(urgent=True) as transaction:
            job = known_job(transaction, id)
            if job.status == "paused":
                requeue_paused(transaction, job)
            elif job.status == "running" and job.requested == "pause":
                # `requested_at` stays: it tells `pause_now`, if that comes all the same, not to pause.
                transaction.execute("UPDATE jobs SET requested = NULL WHERE id = ?", (id,))
                transaction.append("request", id, {"kind": "resume", "image": job.image_index or 0})
            else:
                return RequestAnswer(False, job.status, id, None)
            write_audit(transaction, by, "resume", id)
            return RequestAnswer(True, job.status, id, None)

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
                return RequestAnswer(False, job.status, id, None)
            check_room(transaction, self.limits(), job.owner, address_of(transaction, id))
            transaction.execute(
                "UPDATE jobs SET status = 'queued', deaths = 0, error = NULL, log = NULL, requested = NULL,"
                " requested_at = NULL, stop_requests = 0, skip_image = NULL, image_index = NULL,"
                " finished_at = NULL, stopped_after_seconds = NULL, phase = NULL, progress = 0, engine = NULL"
                " WHERE id = ?",
                (id,),
            )
            transaction.execute(
                "UPDATE images SET status = 'reserved', partial = partial AND status = 'complete', completed_at = NULL"
                " WHERE job_id = ? AND (partial OR status = 'expired')",
                (id,),
            )
            transaction.append("job", id, {"status": "queued"})
            write_audit(transaction, by, "retry", id, {"was": job.status})
            return RequestAnswer(True, job.status, id, None)

    def set_forever(self, id: str, on: bool, by: Actor | None = None) -> RequestAnswer:
        """Let a job be followed by another like it, and that one too, or no more.

        A job that was followed already stands for those that came after it, so that no click comes too late.

        Raises:
            UnknownJob: there is no such job.
        """
        with self._database.write(urgent=True) as transaction:
            job = last_of_chain(transaction, known_job(transaction, id))
            if job.finished:
                return RequestAnswer(False, job.status, job.id, None)
            transaction.execute("UPDATE jobs SET forever = ? WHERE id = ?", (on, job.id))
            transaction.append("request", job.id, {"kind": "forever", "on": on, "image": job.image_index or 0})
            write_audit(transaction, by, "forever", job.id, {"on": on})
            return RequestAnswer(True, job.status, job.id, None)

    def interrupt_waiting(self, owner: str | None = None, by: Actor | None = None, forget: bool = False) -> int:
        """End all waiting jobs, or those of `owner`, and return how many those were. Paused ones stay.

        With `forget` those that have no picture are not kept as interrupted ones.
        """
        with self._database.write(urgent=True) as transaction:
            ids = [one.id for one in read_order(transaction) if owner in (None, one.owner)]
            leave_queue(transaction, frozenset(ids))
            for job in sorted(jobs_with_ids(transaction, ids), key=lambda job: job.number):
                if forget and not _has_pictures(transaction, job.id):
                    _forget(transaction, job.id)
                else:
                    _store_stop(transaction, job, "interrupt")
                    end_job(transaction, job, "interrupted")
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
            if _has_pictures(transaction, id):
                end_job(transaction, job, "interrupted")
            else:
                _forget(transaction, id)
            write_audit(transaction, by, "remove", id)
            return True


def _has_pictures(transaction: Transaction, job_id: str) -> bool:
    return transaction.execute("SELECT 1 FROM images WHERE job_id = ? LIMIT 1", (job_id,)).fetchone() is not None


def _forget(transaction: Transaction, job_id: str) -> None:
    """Take a job out as if it had never been; the stream says so."""
    transaction.execute("DELETE FROM jobs WHERE id = ?", (job_id,))
    transaction.append("removed", job_id, {})


def last_of_chain(reader: Reader, job: Job) -> Job:
    """Return the newest of the jobs that followed this one, itself when none did."""
    row = reader.execute(
        "WITH RECURSIVE chain (id, number) AS ("
        "  SELECT id, number FROM jobs WHERE id = ?"
        "  UNION ALL SELECT jobs.id, jobs.number FROM jobs JOIN chain ON jobs.follows = chain.id"
        ") SELECT id FROM chain ORDER BY number DESC LIMIT 1",
        (job.id,),
    ).fetchone()
    return job if row["id"] == job.id else known_job(reader, row["id"])


def pause_job(transaction: Transaction, job: Job) -> None:
    """Put a job aside until someone resumes it."""
    transaction.execute(
        "UPDATE jobs SET status = 'paused', paused_at = :now, phase = NULL, engine = NULL, place = 0, own_place = 0,"
        " stopped_after_seconds = max(0, :now - requested_at), requested = NULL, requested_at = NULL WHERE id = :id",
        {"now": transaction.now(), "id": job.id},
    )
    transaction.append("job", job.id, {"status": "paused"})


def requeue_paused(transaction: Transaction, job: Job) -> None:
    """Let a job wait again, first among its owner's jobs that nobody moved."""
    transaction.execute(
        "UPDATE jobs SET status = 'queued', requested = NULL, requested_at = NULL, stopped_after_seconds = NULL,"
        " phase = NULL, engine = NULL, own_place = -1 + ("
        "  SELECT coalesce(min(own_place), 0) FROM jobs AS other"
        "  WHERE other.status = 'queued' AND other.owner = jobs.owner AND other.priority = jobs.priority"
        " ) WHERE id = ?",
        (job.id,),
    )
    transaction.append("job", job.id, {"status": "queued"})


def _ask(transaction: Transaction, kind: RequestKind, job: Job) -> RequestAnswer:
    """Ask it of a job that does not run."""
    if kind in ("interrupt", "stop") and job.status in ("queued", "paused"):
        leave_queue(transaction, {job.id})
        _store_stop(transaction, job, kind)
        end_job(transaction, job, "interrupted")
    elif kind == "pause" and job.status == "queued":
        leave_queue(transaction, {job.id})
        pause_job(transaction, job)
    else:
        return RequestAnswer(False, job.status, job.id, None)
    return RequestAnswer(True, job.status, job.id, None)


def _ask_running(transaction: Transaction, kind: RequestKind, job: Job) -> RequestAnswer:
    image, times = job.image_index or 0, 0
    if kind == "skip":
        transaction.execute("UPDATE jobs SET skip_image = ? WHERE id = ?", (image, job.id))
    elif kind == "pause" and _STRENGTH[job.requested] > _STRENGTH["pause"]:
        return RequestAnswer(False, job.status, job.id, None)
    else:
        _store_stop(transaction, job, kind)
    if kind == "interrupt":
        times = job.stop_requests + 1
        transaction.execute("UPDATE jobs SET stop_requests = ? WHERE id = ?", (times, job.id))
    transaction.append("request", job.id, {"kind": kind, "image": image})
    return RequestAnswer(True, job.status, job.id, image, times)


def _store_stop(transaction: Transaction, job: Job, kind: RequestKind) -> None:
    """Store the strongest request, and since when."""
    if _STRENGTH[kind] > _STRENGTH[job.requested]:
        transaction.execute(
            "UPDATE jobs SET requested = ?, requested_at = ? WHERE id = ?", (kind, transaction.now(), job.id)
        )
