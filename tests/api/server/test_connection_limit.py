"""Places are bounded; who only waits makes room for who comes, and who is being answered never does."""

from __future__ import annotations

import pytest

from modules.api.server.connection_limit import FEWEST_CONNECTIONS, MOST_CONNECTIONS, ConnectionLimit, most_connections


class Connection:
    def __init__(self, name: str) -> None:
        self.name = name
        self.dropped = False

    def drop(self) -> None:
        self.dropped = True


def arrive(limit: ConnectionLimit, count: int, address: str = "10.0.0.1") -> list[Connection]:
    connections = [Connection(f"{address} {number}") for number in range(count)]
    assert all(limit.enter(one, address) for one in connections)
    return connections


def test_the_one_that_waits_longest_makes_room() -> None:
    limit = ConnectionLimit(most=3)
    first, second, third = arrive(limit, 3)
    limit.waits(first)  # it was answered just now
    (fourth,) = arrive(limit, 1)
    assert [one.dropped for one in (first, second, third, fourth)] == [False, True, False, False]
    assert len(limit) == 3


def test_who_is_answered_is_never_dropped_and_then_nobody_more_is_let_in() -> None:
    limit = ConnectionLimit(most=2)
    working = arrive(limit, 2)
    for one in working:
        limit.works(one)
    assert not limit.enter(Connection("late"), "10.0.0.2")
    assert not any(one.dropped for one in working)
    limit.leave(working[0])
    assert limit.enter(Connection("later"), "10.0.0.2")


def test_one_address_takes_no_places_of_others() -> None:
    limit = ConnectionLimit(most=10, most_of_an_address=3)
    others = arrive(limit, 2, "10.0.0.2")
    many = arrive(limit, 20, "10.0.0.1")
    assert [one.dropped for one in many] == [True] * 17 + [False] * 3
    assert not any(one.dropped for one in others)
    for one in many[-3:]:
        limit.works(one)
    assert not limit.enter(Connection("fourth"), "10.0.0.1")
    assert limit.enter(Connection("other"), "10.0.0.3")


def test_this_machine_has_all_places() -> None:
    limit = ConnectionLimit(most=10, most_of_an_address=3, is_known=lambda address: address == "127.0.0.1")
    assert not any(one.dropped for one in arrive(limit, 10, "127.0.0.1"))


def test_nothing_is_kept_of_those_who_left() -> None:
    limit = ConnectionLimit(most=5, most_of_an_address=2)
    for number in range(50):
        one = Connection(str(number))
        assert limit.enter(one, f"10.0.0.{number % 7}")
        limit.works(one)
        limit.waits(one)
        limit.leave(one)
        limit.leave(one)
        limit.waits(one)
    assert len(limit) == 0
    assert (limit._waiting, limit._waiting_of, limit._counts) == ({}, {}, {})


@pytest.mark.parametrize(
    ("files", "most"), [(1024, 424), (100, FEWEST_CONNECTIONS), (20_000, MOST_CONNECTIONS), (65_536, MOST_CONNECTIONS)]
)
def test_there_is_a_file_for_each_place(files: int, most: int) -> None:
    assert most_connections(files, watchers=400) == most
