"""Who is next: the order of the queue.

The highest priority first. Within it a job that was put at a place by hand (`place`, 1 is the next) stands there;
the others go by turns of their owners: the owner whose last claim is longest ago is next, with the first of their jobs.
So no owner waits longer than for one job of each other owner, however many jobs those have.
"""

from __future__ import annotations

import heapq
import itertools
import sqlite3
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from modules.jobs.store.database import Reader


class Waiting(NamedTuple):
    """A queued job, as far as its order depends on it. `place` 0: nobody put it anywhere."""

    number: int
    id: str
    owner: str
    priority: int
    place: int
    own_place: int


def read_order(reader: Reader) -> list[Waiting]:
    """Return the waiting jobs, the next first."""
    rows = reader.execute(
        "SELECT number, id, owner, priority, place, own_place FROM jobs INDEXED BY jobs_in_order"
        " WHERE status = 'queued' ORDER BY priority DESC, number"
    ).fetchall()
    turns = reader.execute("SELECT owner, turn FROM turns").fetchall()
    return queue_order(map(Waiting._make, rows), {row["owner"]: row["turn"] for row in turns})


def place_of(reader: Reader, row: sqlite3.Row) -> int:
    """Return the place of one waiting job, 1 for the next, mostly without putting the whole queue in order.

    Where nobody was moved, resumed or comes first by priority, owners are served in rounds that keep their order. So
    before the k-th job of an owner there are k - 1 of each other one, or all when that has fewer, and one more of those
    who come before the owner in a round. Turns of before hold for the first round, and so for all.
    """
    number, owner, priority = row["number"], row["owner"], row["priority"]
    unusual = reader.execute(
        "SELECT 1 FROM jobs INDEXED BY jobs_in_order WHERE status = 'queued'"
        " AND (place != 0 OR own_place != 0 OR priority > ?) LIMIT 1",
        (priority,),
    ).fetchone()
    if unusual:
        return next(place for place, one in enumerate(read_order(reader), 1) if one.id == row["id"])
    before = reader.execute(
        "WITH waiting AS ("
        "  SELECT owner, count(*) AS jobs, min(number) AS first, sum(number <= :number) AS earlier"
        "  FROM jobs INDEXED BY jobs_in_order WHERE status = 'queued' AND priority = :priority GROUP BY owner"
        "), served AS ("
        "  SELECT owner, jobs, first, earlier,"
        "  coalesce((SELECT turn FROM turns WHERE turns.owner = waiting.owner), 0) AS turn FROM waiting"
        "), own AS (SELECT earlier AS round, turn, first FROM served WHERE owner = :owner)"
        " SELECT own.round + coalesce(sum(min(served.jobs, own.round - 1)"
        "  + (served.jobs >= own.round AND (served.turn, served.first) < (own.turn, own.first))), 0)"
        " FROM own LEFT JOIN served ON served.owner != :owner",
        {"number": number, "owner": owner, "priority": priority},
    ).fetchone()
    return int(before[0])


def queue_order(waiting: Iterable[Waiting], turns: dict[str, int]) -> list[Waiting]:
    """Return the jobs in the order in which they will be claimed if nothing else happens.

    `turns` holds the number of the last claim of each owner; those without one are first. It is changed.
    """
    clock = itertools.count(max(turns.values(), default=0) + 1)
    by_priority = sorted(waiting, key=lambda one: -one.priority)
    ordered: list[Waiting] = []
    for _, level in itertools.groupby(by_priority, key=lambda one: one.priority):
        ordered += _level_order(list(level), turns, clock)
    return ordered


def _level_order(level: list[Waiting], turns: dict[str, int], clock: Iterator[int]) -> Iterator[Waiting]:
    placed = deque(sorted((one for one in level if one.place), key=lambda one: (one.place, one.number)))
    own: dict[str, deque[Waiting]] = {}
    for one in sorted((one for one in level if not one.place), key=lambda one: (one.own_place, one.number)):
        own.setdefault(one.owner, deque()).append(one)
    # Of owners with the same turn (those never served) the one who came first is next.
    heap = [(turns.get(owner, 0), jobs[0].number, owner) for owner, jobs in own.items()]
    heapq.heapify(heap)
    for position in itertools.count(1):
        if placed and (placed[0].place <= position or not heap):
            chosen = placed.popleft()
            turns[chosen.owner] = next(clock)
        elif heap:
            turn, number, owner = heapq.heappop(heap)
            while turn != turns.get(owner, 0):  # a placed job of this owner came in between
                turn, number, owner = heapq.heappushpop(heap, (turns[owner], number, owner))
            chosen = own[owner].popleft()
            turns[owner] = next(clock)
            if own[owner]:
                heapq.heappush(heap, (turns[owner], own[owner][0].number, owner))
        else:
            return
        yield chosen
