"""Who is next: the order of the queue.

The highest priority first. Within it a job that was put at a place by hand (`place`, 1 is the next) stands there;
the others go by turns of their owners: the owner whose last claim is longest ago is next, with the first of their jobs.
So no owner waits longer than for one job of each other owner, however many jobs those have.
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from modules.jobs.store.database import Reader, batched, marks


class Waiting(NamedTuple):
    """A queued job, as far as its order depends on it. `place` 0: nobody put it anywhere."""

    number: int
    id: str
    owner: str
    priority: int
    place: int
    own_place: int


# Return the waiting jobs, the next first.
Order = Callable[[Reader], list[Waiting]]


def read_order(reader: Reader) -> list[Waiting]:
    """Return the waiting jobs, the next first."""
    rows = reader.execute(
        "SELECT number, id, owner, priority, place, own_place FROM jobs INDEXED BY jobs_in_order"
        " WHERE status = 'queued' ORDER BY priority DESC, number"
    ).fetchall()
    turns = reader.execute("SELECT owner, turn FROM turns").fetchall()
    return queue_order(map(Waiting._make, rows), {row["owner"]: row["turn"] for row in turns})


def places_of(reader: Reader, ids: Sequence[str], order: Order = read_order) -> dict[str, int]:
    """Return the places of waiting jobs, 1 for the next. `order` is asked where SQL alone cannot tell."""
    if not _goes_by_turns(reader):
        places = {one.id: place for place, one in enumerate(order(reader), 1)}
        return {id: places[id] for id in ids if id in places}
    if len(ids) <= _FEW:
        return {id: place for id in ids if (place := _place_by_turns(reader, id)) is not None}
    found: dict[str, int] = {}
    for some in batched(ids):
        rows = reader.execute(f"SELECT id, place FROM ({_BY_TURNS}) WHERE id IN {marks(some)}", some)
        found |= {row["id"]: row["place"] for row in rows}
    return found


def first_ids(reader: Reader, most: int | None = None, order: Order = read_order) -> list[str]:
    """Return the ids of the waiting jobs, the next first, at most so many."""
    if not _goes_by_turns(reader):
        return [one.id for one in order(reader)[:most]]
    rows = reader.execute(f"{_BY_TURNS} ORDER BY place LIMIT ?", (-1 if most is None else most,))
    return [row["id"] for row in rows]


def _goes_by_turns(reader: Reader) -> bool:
    """Tell whether nobody was moved or resumed, and all have one priority: then owners are served in rounds.

    Rounds keep their order: turns of before hold for the first round, and so for all.
    """
    unusual, lowest, highest = reader.execute(
        "SELECT max(place != 0 OR own_place != 0), min(priority), max(priority)"
        " FROM jobs INDEXED BY jobs_in_order WHERE status = 'queued'"
    ).fetchone()
    return not unusual and lowest == highest


def _place_by_turns(reader: Reader, id: str) -> int | None:
    """Return the place of one waiting job, where the queue goes by turns; None: it does not wait.

    Before the k-th job of an owner there are k - 1 of each other one, or all when that has fewer, and one more of those
    who come before the owner in a round. That takes a tenth of the time of putting thousands in order.
    """
    place = reader.execute(
        "WITH one AS (SELECT number, owner FROM jobs WHERE id = ? AND status = 'queued'), waiting AS ("
        "  SELECT owner, count(*) AS jobs, min(number) AS first, sum(number <= (SELECT number FROM one)) AS earlier"
        "  FROM jobs INDEXED BY jobs_in_order WHERE status = 'queued' GROUP BY owner"
        "), served AS ("
        "  SELECT owner, jobs, first, earlier,"
        "  coalesce((SELECT turn FROM turns WHERE turns.owner = waiting.owner), 0) AS turn FROM waiting"
        "), own AS (SELECT owner, earlier AS round, turn, first FROM served WHERE owner = (SELECT owner FROM one))"
        " SELECT own.round + coalesce(sum(min(served.jobs, own.round - 1)"
        "  + (served.jobs >= own.round AND (served.turn, served.first) < (own.turn, own.first))), 0)"
        " FROM own LEFT JOIN served ON served.owner != own.owner",
        (id,),
    ).fetchone()[0]
    return None if place is None else int(place)


# For more than so many it is quicker to put all in order.
_FEW = 8
# Thousands of jobs put in order in Python keep the interpreter from all other threads, those of stop buttons too.
_BY_TURNS = (
    "SELECT id, row_number() OVER (ORDER BY round, coalesce(turn, 0), first) AS place FROM ("
    "  SELECT id, owner, row_number() OVER own AS round, first_value(number) OVER own AS first"
    "  FROM jobs INDEXED BY jobs_in_order WHERE status = 'queued' WINDOW own AS (PARTITION BY owner ORDER BY number)"
    ") LEFT JOIN turns USING (owner)"
)


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
