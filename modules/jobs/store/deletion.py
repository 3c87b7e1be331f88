"""Forget jobs that have ended: their rows, what events say of them, and those of their files that nobody is to keep."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from modules.errors import StorageError
from modules.images.naming import grid_names, large_copy_of, side_text_of
from modules.images.results import remove_result
from modules.images.save import remove_image
from modules.jobs.rows import TERMINAL, Actor, RequestAnswer
from modules.jobs.store.audit import write_audit
from modules.jobs.store.database import Database, Transaction, marks
from modules.jobs.store.jobs import JobFilter, known_job
from modules.paths import DataFolder

MOST_DELETED_AT_ONCE = 5000
MOST_DELETED_BY_RULE = 500
JUST_ENDED_SECONDS = 600.0  # a client that waits for a job is to have its answer before a rule deletes it
_JOBS_A_TRANSACTION = 50  # one that takes longer would hold up others
_EVENTS_A_TRANSACTION = 2000
_SECONDS_BETWEEN_TRANSACTIONS = 0.01
_TRIES_TO_WIPE = 10
_SECONDS_BETWEEN_TRIES = 0.02


@dataclass(frozen=True)
class Deleted:
    """How many jobs were forgotten, how many files went, and how many could not: these are tried again each hour.

    `left` counts the jobs that were meant too and are still there, since there were too many for once.
    """

    jobs: int
    files: int
    files_left: int
    left: int = 0


class Deletion:
    """Forget what has ended, and events of long ago."""

    def __init__(self, database: Database, folder: DataFolder) -> None:
        self._database, self._folder = database, folder

    def delete(self, id: str, files: bool = False, by: Actor | None = None) -> tuple[RequestAnswer, Deleted]:
        """Forget a job that has ended; one that has not stays as it is.

        Its pictures under `results/` go with it, those under `outputs/` only with `files`.

        Raises:
            UnknownJob: there is no such job.
        """
        with self._database.write() as transaction:
            job = known_job(transaction, id)
            if not job.finished:
                return RequestAnswer(False, job.status, id), Deleted(0, 0, 0)
            doomed = _forget(transaction, [id], files)
            write_audit(transaction, by, "delete", id, {"files": files})
        removed = self._remove_files(doomed)
        self._wipe()
        return RequestAnswer(True, job.status, id), Deleted(1, removed, len(doomed) - removed)

    def delete_jobs(self, wanted: JobFilter, files: bool = False, by: Actor | None = None) -> Deleted:
        """Forget the jobs that fit and have ended, the oldest first, at most some thousands; files as in `delete`."""
        statuses = tuple(sorted(TERMINAL.intersection(wanted.statuses or TERMINAL)))
        if not statuses:
            return Deleted(0, 0, 0)
        where, parameters = wanted._replace(statuses=statuses).condition()
        with self._database.read() as connection:
            rows = connection.execute(f"SELECT id FROM jobs {where} ORDER BY number", parameters).fetchall()
        return self._delete_all([row["id"] for row in rows], files, by, MOST_DELETED_AT_ONCE)

    def delete_old(self, days: int, count: int) -> Deleted:
        """Forget jobs that ended more than `days` ago, and all but the last `count`; 0 is no such rule.

        Some hundreds at a time. Saved pictures stay, and so do jobs that have just ended.
        """
        now = self._database.clock()
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT id FROM ("
                "  SELECT id, finished_at, row_number() OVER (ORDER BY finished_at DESC, number DESC) AS place"
                "  FROM jobs WHERE finished_at IS NOT NULL"
                ") WHERE (:days AND finished_at < :old) OR (:count AND place > :count AND finished_at < :just_ended)"
                " ORDER BY finished_at",
                {"days": days, "count": count, "old": now - days * 86_400, "just_ended": now - JUST_ENDED_SECONDS},
            ).fetchall()
        return self._delete_all([row["id"] for row in rows], files=False, by=None, most=MOST_DELETED_BY_RULE)

    def finish(self) -> int:
        """Remove the files of deleted jobs that a crash or their folder kept, and what the log still holds of jobs.

        Returns how many files went.
        """
        with self._database.read() as connection:
            names = [row["name"] for row in connection.execute("SELECT name FROM removed_files")]
        self._database.wipe()
        return self._remove_files(names)

    def compact_events(self, keep: int) -> int:
        """Remove all but the newest `keep` events and return how many those were. Numbers go on as before.

        A reader that saw one of the newest `keep` misses nothing; one that comes back later than that finds a gap, and
        begins with a snapshot.
        """
        removed, some = 0, _EVENTS_A_TRANSACTION
        while some == _EVENTS_A_TRANSACTION:
            with self._database.write() as transaction:
                some = transaction.execute(
                    "DELETE FROM events WHERE number IN (SELECT number FROM events WHERE number <="
                    " (SELECT seq FROM sqlite_sequence WHERE name = 'events') - ? ORDER BY number LIMIT ?)",
                    (max(0, keep), _EVENTS_A_TRANSACTION),
                ).rowcount
            removed += some
        return removed

    def _delete_all(self, ids: Sequence[str], files: bool, by: Actor | None, most: int) -> Deleted:
        """In transactions that hold nobody up, with a pause between them in which others write."""
        jobs = doomed_files = removed = 0
        some = ids[:most]
        for start in range(0, len(some), _JOBS_A_TRANSACTION):
            if start:
                time.sleep(_SECONDS_BETWEEN_TRANSACTIONS)
            with self._database.write() as transaction:
                ended = _ended(transaction, some[start : start + _JOBS_A_TRANSACTION])
                doomed = _forget(transaction, ended, files)
                if ended:
                    write_audit(transaction, by, "delete-jobs", detail={"count": len(ended), "files": files})
            jobs += len(ended)
            doomed_files += len(doomed)
            removed += self._remove_files(doomed)
        if jobs:
            self._wipe()
        return Deleted(jobs, removed, doomed_files - removed, len(ids) - len(some))

    def _remove_files(self, names: Sequence[str]) -> int:
        """Remove files and then what says that they are to go; what a folder does not let go stays noted."""
        gone = []
        for name in names:
            path = self._folder.root / PurePosixPath(name)
            try:
                remove_image(path)
                if name.startswith("results/"):
                    remove_result(path)  # the folder too: a folder of outputs may be about to get another picture
            except StorageError:
                continue
            gone.append(name)
        # What a full disk keeps noted is looked for again each hour, and is gone then.
        if gone:
            with contextlib.suppress(StorageError), self._database.write() as transaction:
                transaction.execute_many("DELETE FROM removed_files WHERE name = ?", [(name,) for name in gone])
        return len(gone)

    def _wipe(self) -> None:
        """Take what was deleted out of the log too. Readers come and go; the last word is `finish_deletions`."""
        with contextlib.suppress(StorageError):  # the job is deleted all the same
            for _ in range(_TRIES_TO_WIPE):
                if self._database.wipe():
                    return
                time.sleep(_SECONDS_BETWEEN_TRIES)


def _ended(transaction: Transaction, ids: Sequence[str]) -> list[str]:
    """Return those of the jobs that have ended: some may have been tried again meanwhile."""
    rows = transaction.execute(
        f"SELECT id FROM jobs WHERE id IN {marks(ids)} AND status IN {marks(TERMINAL)}", (*ids, *TERMINAL)
    )
    return [row["id"] for row in rows]


def _beside(transaction: Transaction, id: str, names: Sequence[str]) -> list[str]:
    """Return the files that a job has put beside its pictures: texts, smaller copies, a grid."""
    row = transaction.execute("SELECT kind, resolved FROM jobs WHERE id = ?", (id,)).fetchone()
    saved = [name for name in names if not name.startswith("results/")]
    if row is None or row["resolved"] is None or not saved:
        return []
    resolved = json.loads(row["resolved"])
    saving, layout = resolved.get("saving") or {}, resolved.get("layout") or {}
    beside = [side_text_of(name) for name in saved] if saving.get("save_txt") else []
    if saving.get("large_copy"):
        beside += [copy for name in saved if (copy := large_copy_of(name)) != name]
    if not saving.get("grid"):
        return beside
    # The cells of a grid are of a kind of their own.
    kind = (resolved.get("first") or {}).get("kind", row["kind"])
    sheets = len((layout.get("z") or {}).get("values") or ()) if layout.get("sub_grids") else 0
    return [*beside, *grid_names(kind, saving, saved[0], sheets)]


def _forget(transaction: Transaction, ids: Sequence[str], files: bool) -> list[str]:
    """Delete jobs, and note their files that are to go; return the names of these.

    What events said of the jobs is said no more: whoever reads one later is told that its job was removed. A chain of
    jobs holds together without the links that go.
    """
    doomed: list[str] = []
    for id in ids:
        rows = transaction.execute(
            "SELECT name FROM images WHERE job_id = ? AND status != 'expired' AND (? OR name LIKE 'results/%')",
            (id, files),
        )
        names = [row["name"] for row in rows]
        doomed += [*names, *(_beside(transaction, id, names) if files else ())]
        transaction.execute(
            "UPDATE jobs SET follows = (SELECT follows FROM jobs WHERE id = :id) WHERE follows = :id", {"id": id}
        )
        transaction.execute("DELETE FROM jobs WHERE id = ?", (id,))
    transaction.execute_many("INSERT OR IGNORE INTO removed_files (name) VALUES (?)", [(name,) for name in doomed])
    transaction.execute(
        f"UPDATE events SET kind = 'removed', payload = '{{}}' WHERE job_id IN {marks(ids)}", tuple(ids)
    )
    for id in ids:
        transaction.append("removed", id, {})
    return doomed
