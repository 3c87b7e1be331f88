"""Who must not lose what it wrote waits for the disk, together with others; nobody else waits for it."""

import errno
import os
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from modules.errors import StorageError
from modules.jobs.store import write_ahead_log
from modules.jobs.store.job_store import JobStore
from modules.shared_state import RequestKind
from tests.jobs.store.test_job_store import submit

SECONDS = 30  # what is not there by then never comes


class SlowDisk:
    """Stands between the log and the disk: each fsync waits until it is let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun: list[Future[None]] = []
        self._sync = write_ahead_log._sync
        monkeypatch.setattr(write_ahead_log, "_sync", self._wait)

    def _wait(self, path: Path) -> None:
        go_on: Future[None] = Future()
        self.begun.append(go_on)
        go_on.result(SECONDS)
        self._sync(path)

    def until_begun(self, count: int) -> Future[None]:
        """Return what lets the fsync of that number go on, once it has begun."""
        give_up = time.monotonic() + SECONDS
        while len(self.begun) < count:
            assert time.monotonic() < give_up, f"{len(self.begun)} of {count} began"
            time.sleep(0.001)
        return self.begun[count - 1]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[JobStore]:
    store = JobStore(tmp_path / "jobs.sqlite")
    yield store
    store.close()


@pytest.fixture
def disk(store: JobStore, monkeypatch: pytest.MonkeyPatch) -> SlowDisk:
    for name in ("runs", "waits"):
        submit(store, name)
    store.claims.claim("engine")
    return SlowDisk(monkeypatch)


@pytest.fixture
def people() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(20) as people:
        yield people


def ids(store: JobStore) -> set[str]:
    """Return the jobs that another process sees."""
    with sqlite3.connect(store.database.path) as connection:
        return {row[0] for row in connection.execute("SELECT id FROM jobs")}


def until_there(store: JobStore, *names: str) -> None:
    give_up = time.monotonic() + SECONDS
    while not ids(store) >= set(names):
        assert time.monotonic() < give_up, ids(store)
        time.sleep(0.001)


@pytest.mark.parametrize("kind", ["interrupt", "skip", "stop"])
@pytest.mark.parametrize("job", ["runs", None])
def test_a_stop_waits_neither_for_the_disk_nor_for_who_waits_for_it(
    store: JobStore, disk: SlowDisk, people: ThreadPoolExecutor, kind: RequestKind, job: str | None
) -> None:
    submitting = people.submit(submit, store, "new")
    go_on = disk.until_begun(1)
    answer = people.submit(store.control.ask, kind, job).result(SECONDS)
    assert (answer.accepted, answer.job) == (True, "runs")
    waiting = people.submit(store.control.ask, "interrupt", "waits").result(SECONDS)
    assert (waiting.accepted, waiting.was) == (True, "queued")
    assert not submitting.done()
    assert len(disk.begun) == 1
    go_on.set_result(None)
    submitting.result(SECONDS)


def test_the_news_of_a_change_do_not_wait_for_the_disk(
    store: JobStore, disk: SlowDisk, people: ThreadPoolExecutor
) -> None:
    told: list[int] = []
    store.database.announce = told.append
    finishing = people.submit(store.claims.finish, "runs", "interrupted")
    go_on = disk.until_begun(1)
    assert told == [store.events.last()]
    assert not finishing.done()
    go_on.set_result(None)
    assert finishing.result(SECONDS).status == "interrupted"


def test_an_engine_that_finds_no_job_holds_nobody_up(
    store: JobStore, disk: SlowDisk, people: ThreadPoolExecutor
) -> None:
    store.control.ask("interrupt", "waits")
    with store.database.write(urgent=True):
        assert people.submit(store.claims.claim, "other").result(SECONDS) is None


def test_a_pause_is_told_when_it_is_on_the_disk(store: JobStore, disk: SlowDisk, people: ThreadPoolExecutor) -> None:
    pausing = people.submit(store.control.ask, "pause", "runs")
    go_on = disk.until_begun(1)
    assert not pausing.done()
    go_on.set_result(None)
    assert pausing.result(SECONDS).accepted


def test_those_who_come_while_the_disk_works_share_the_next_fsync(
    store: JobStore, disk: SlowDisk, people: ThreadPoolExecutor
) -> None:
    first = people.submit(submit, store, "first")
    go_on = disk.until_begun(1)
    names = [f"job-{number}" for number in range(8)]
    others = [people.submit(submit, store, name) for name in names]
    until_there(store, *names)
    go_on.set_result(None)
    first.result(SECONDS)
    second = disk.until_begun(2)
    assert not any(one.done() for one in others), "the fsync before began before they had written"
    second.set_result(None)
    for one in others:
        one.result(SECONDS)
    assert len(disk.begun) <= 3  # one who came late may have one of its own


def test_what_changed_nothing_asks_nothing_of_the_disk(store: JobStore, disk: SlowDisk) -> None:
    store.control.ask("interrupt", "waits")
    assert store.claims.finish("waits", "done").status == "interrupted"
    assert disk.begun == []


def test_the_engine_waits_for_the_disk_only_with_what_must_not_be_lost(store: JobStore, disk: SlowDisk) -> None:
    assert store.claims.claim("engine") is not None
    store.claims.begin_image("waits", 0)
    store.claims.record_progress("waits", "sampling", 0.5)
    assert disk.begun == []


def test_a_disk_that_does_not_confirm_is_told_and_the_change_stands(
    store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fdatasync" if hasattr(os, "fdatasync") else "fsync", refuse)
    submit(store, "one")
    submit(store, "two")
    assert ids(store) == {"one", "two"}
    assert len(store.database.notices) == 1
    assert "did not confirm" in store.database.notices[0]
    assert str(store.database.path) in store.database.notices[0]


def test_a_log_that_was_deleted_is_not_told_as_stored(store: JobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    submit(store, "one")
    sync = write_ahead_log._sync

    def delete_first(path: Path) -> None:
        path.unlink()
        sync(path)

    monkeypatch.setattr(write_ahead_log, "_sync", delete_first)
    with pytest.raises(StorageError, match="deleted, moved or replaced"):
        submit(store, "two")


def test_who_is_interrupted_leaves_nobody_waiting(
    store: JobStore, monkeypatch: pytest.MonkeyPatch, people: ThreadPoolExecutor
) -> None:
    log: Any = store.database._log

    def interrupted(path: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(write_ahead_log, "_sync", interrupted)
    with log._disk:  # an fsync is under way, so that both share the next one
        both = [people.submit(log.reach_disk) for _ in range(2)]
        time.sleep(0.1)
    assert all(isinstance(one.exception(SECONDS), KeyboardInterrupt) for one in both)
    monkeypatch.undo()
    people.submit(log.reach_disk).result(SECONDS)
