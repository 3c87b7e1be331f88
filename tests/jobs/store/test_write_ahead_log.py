"""The log goes into the database beside those who write, soon enough, and however much is written."""

import sqlite3
import threading
import time
from pathlib import Path

import pytest

from modules.jobs.store import database as store_database
from modules.jobs.store import write_ahead_log
from modules.jobs.store.database import Database

PAGE_BYTES = 4096
PAGES_OF_SQLITE_S_OWN_CHECKPOINT = 1000


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "jobs.sqlite3", time.time)


def write(database: Database, urgent: bool = False, pages: int = 1) -> None:
    with database.write(urgent=urgent) as transaction:
        transaction.execute("INSERT INTO notices (at, text) VALUES (?, ?)", (0.0, "x" * pages * PAGE_BYTES))


def log_pages(database: Database) -> int:
    """Return how many pages the log would hold if it never began anew."""
    return database.path.with_name(f"{database.path.name}-wal").stat().st_size // PAGE_BYTES


def test_nobody_who_writes_waits_while_the_log_is_put_into_the_database(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(connection: sqlite3.Connection) -> int:
        begun.set()
        return int(go_on.wait(30))

    monkeypatch.setattr(store_database, "checkpoint", slow)
    monkeypatch.setattr(write_ahead_log, "COMMITS_BETWEEN", 1)
    first = threading.Thread(target=write, args=(database,))
    first.start()
    assert begun.wait(30)
    others = [threading.Thread(target=write, args=(database, True)) for _ in range(5)]
    for one in others:
        one.start()
    for one in others:
        one.join(10)
    waiting = sum(one.is_alive() for one in others)
    go_on.set()
    first.join()
    assert waiting == 0


def test_no_commit_puts_the_log_into_the_database_by_itself(database: Database) -> None:
    before = database.path.stat().st_size
    for _ in range(4):
        write(database, pages=PAGES_OF_SQLITE_S_OWN_CHECKPOINT)
    assert database.path.stat().st_size == before


def test_the_log_is_put_into_the_database_after_some_commits(database: Database) -> None:
    before = database.path.stat().st_size
    for _ in range(write_ahead_log.COMMITS_BETWEEN):
        write(database, pages=10)
    assert database.path.stat().st_size > before + 9 * PAGE_BYTES * write_ahead_log.COMMITS_BETWEEN
    assert log_pages(database) < 14 * write_ahead_log.COMMITS_BETWEEN
    for _ in range(write_ahead_log.COMMITS_BETWEEN - 1):
        write(database, pages=10)
    assert log_pages(database) < 14 * write_ahead_log.COMMITS_BETWEEN  # it began anew


def test_who_stops_something_leaves_it_to_others_as_long_as_there_are_any(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    who, by = "", []

    def checkpoint(connection: sqlite3.Connection) -> int:
        by.append(who)
        return 0

    monkeypatch.setattr(store_database, "checkpoint", checkpoint)
    monkeypatch.setattr(write_ahead_log, "COMMITS_BETWEEN", 10)
    monkeypatch.setattr(write_ahead_log, "URGENT_COMMITS_BETWEEN", 30)
    for who in ["urgent"] * 20 + ["other"] + ["urgent"] * 30:
        write(database, urgent=who == "urgent")
    assert by == ["other", "urgent"]


def test_writers_that_never_pause_do_not_let_the_log_grow(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_ahead_log, "COMMITS_BETWEEN", 20)
    monkeypatch.setattr(store_database, "MOST_PAGES", 100)

    def write_often() -> None:
        for _ in range(300):
            write(database)

    writers = [threading.Thread(target=write_often) for _ in range(4)]
    for one in writers:
        one.start()
    for one in writers:
        one.join()
    assert log_pages(database) < 1000  # 1,200 commits of three pages and more


def test_a_disk_that_refuses_the_log_s_way_into_the_database_makes_no_write_fail(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(connection: sqlite3.Connection) -> int:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(store_database, "checkpoint", refused)
    monkeypatch.setattr(write_ahead_log, "COMMITS_BETWEEN", 1)
    write(database)
    with database.read() as connection:
        assert connection.execute("SELECT count(*) FROM notices").fetchone()[0] == 1
