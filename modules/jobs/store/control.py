"""What people ask of a job: stored in the transaction that looks at its status, so that no click hits the next job."""

from __future__ import annotations

from collections.abc import Callable

from modules.jobs.rows import Actor, Job, RequestAnswer, RequestKind
from modules.jobs.store.audit import write_audit
from modules.jobs.store.database import Database, Reader, Transaction
from modules.jobs.store.jobs import known_job, running_job
from modules.jobs.store.places import leave_queue
from modules.jobs.store.transitions import STRENGTH, asked, change, interrupt_job, pause_job, unpause_job


class Control:
    """What people ask of a job, whatever it does just now."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ask(
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

        A stop does not wait for the disk: a power cut that comes before it is there stops the job too, but only until
        the next start.

        Raises:
            UnknownJob: an id was given and there is no such job.
        """
        if id is not None and (too_late := self._too_late(id, permit)) is not None:
            return too_late
        with self._database.write(urgent=True, lasting=kind == "pause") as transaction:
            if id is None:
                job = running_job(transaction)
                if job is None:
                    return RequestAnswer(False, None, None)
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

    def _too_late(self, id: str, permit: Callable[[Job], None]) -> RequestAnswer | None:
        """Return the answer where a job has ended: who only reads waits for no writer, nor for the disk."""
        with self._database.read() as connection:
            job = known_job(connection, id)
        if not job.finished or (job.status == "done" and job.forever):
            return None
        permit(job)
        return RequestAnswer(False, job.status, job.id)

    def resume(self, id: str, by: Actor | None = None) -> RequestAnswer:
        """Let a paused job go on: it waits again, first among its owner's jobs that nobody moved.

        A pause that the engine has not obeyed yet is taken back.

        Raises:
            UnknownJob: there is no such job.
        """
        with self._database.write(urgent=True) as transaction:
            job = known_job(transaction, id)
            if job.status == "paused":
                unpause_job(transaction, job)
            elif job.status == "running" and job.requested == "pause":
                # `requested_at` stays: it tells `pause_now`, if that comes all the same, not to pause.
                change(transaction, id, requested=None)
                transaction.append("request", id, {"kind": "resume", "image": job.image_index or 0})
            else:
                return RequestAnswer(False, job.status, id)
            write_audit(transaction, by, "resume", id)
            return RequestAnswer(True, job.status, id)

    def set_forever(self, id: str, on: bool, by: Actor | None = None) -> RequestAnswer:
        """Let a job be followed by another like it, and that one too, or no more.

        A job that was followed already stands for those that came after it, so that no click comes too late.

        Raises:
            UnknownJob: there is no such job.
        """
        with self._database.write(urgent=True) as transaction:
            job = last_of_chain(transaction, known_job(transaction, id))
            if job.finished:
                return RequestAnswer(False, job.status, job.id)
            change(transaction, job.id, forever=on)
            transaction.append("request", job.id, {"kind": "forever", "on": on, "image": job.image_index or 0})
            write_audit(transaction, by, "forever", job.id, {"on": on})
            return RequestAnswer(True, job.status, job.id)


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


def _ask(transaction: Transaction, kind: RequestKind, job: Job) -> RequestAnswer:
    """Ask it of a job that does not run."""
    if kind in ("interrupt", "stop") and job.status in ("queued", "paused"):
        leave_queue(transaction, {job.id})
        interrupt_job(transaction, job, kind)
    elif kind == "pause" and job.status == "queued":
        leave_queue(transaction, {job.id})
        pause_job(transaction, job)
    else:
        return RequestAnswer(False, job.status, job.id)
    return RequestAnswer(True, job.status, job.id)


def _ask_running(transaction: Transaction, kind: RequestKind, job: Job) -> RequestAnswer:
    image, times = job.image_index or 0, 0
    if kind == "skip":
        change(transaction, job.id, skip_image=image)
    elif kind == "pause" and STRENGTH[job.requested] > STRENGTH["pause"]:
        return RequestAnswer(False, job.status, job.id)
    else:
        stop = asked(job, kind, transaction.now())
        times = job.stop_requests + 1 if kind == "interrupt" else 0
        change(
            transaction, job.id, requested=stop.requested, requested_at=stop.requested_at,
            stop_requests=times or job.stop_requests,
        )  # fmt: skip
    transaction.append("request", job.id, {"kind": kind, "image": image})
    return RequestAnswer(True, job.status, job.id, image, times)
