"""Places in the queue that were given by hand, and how they hold while others come and go."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable

from modules.jobs.rows import Job
from modules.jobs.store.database import Transaction
from modules.jobs.store.order import Waiting, read_order


def leave_queue(transaction: Transaction, ids: Collection[str]) -> None:
    """Let those who stand behind these jobs move up; to be called before the jobs stop waiting."""
    moved = "SELECT 1 FROM jobs INDEXED BY jobs_in_order WHERE status = 'queued' AND place != 0 LIMIT 1"
    if transaction.execute(moved).fetchone():
        _renumber(transaction, [one for one in read_order(transaction) if one.id not in ids])


def put_first(transaction: Transaction, job: Job) -> None:
    """Make a queued job the next of its priority."""
    transaction.execute(
        "UPDATE jobs SET place = place + 1 WHERE status = 'queued' AND priority = ? AND place > 0", (job.priority,)
    )
    transaction.execute("UPDATE jobs SET place = 1 WHERE id = ?", (job.id,))


def put_at(transaction: Transaction, job: Job, position: int) -> None:
    """Put a queued job at a place of the whole queue, 1 for the next; beyond the last it is the last.

    Between jobs of another priority it takes theirs: else it could not stand there.
    """
    rest = [one for one in read_order(transaction) if one.id != job.id]
    index = min(max(position, 1), len(rest) + 1) - 1
    priority = job.priority
    if index < len(rest):
        priority = max(priority, rest[index].priority)
    if index > 0:
        priority = min(priority, rest[index - 1].priority)
    transaction.execute("UPDATE jobs SET priority = ? WHERE id = ?", (priority, job.id))
    moved = Waiting(job.number, job.id, job.owner, priority, place=-1, own_place=0)  # no place is -1: it is written
    _renumber(transaction, [*rest[:index], moved, *rest[index:]])


def _renumber(transaction: Transaction, order: Iterable[Waiting]) -> None:
    """Give those that were placed by hand the places at which they stand in `order`."""
    for _, level in itertools.groupby(order, key=lambda one: one.priority):
        for place, one in enumerate(level, 1):
            if one.place not in (0, place):
                transaction.execute("UPDATE jobs SET place = ? WHERE id = ?", (place, one.id))
