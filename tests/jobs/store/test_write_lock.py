"""Who writes next: in the order of asking, those that stop something first, nobody shut out."""

import random
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from modules.jobs.rows import QueueLimits
from modules.jobs.store import order as store_order
from modules.jobs.store import write_lock as store_write_lock
from modules.jobs.store.job_store import JobStore
from modules.jobs.store.write_lock import WriteLock
from tests.jobs.store.test_job_store import get, submit


def waiting(lock: WriteLock) -> int:
    return len(lock._urgent) + len(lock._others)


def until_waiting(lock: WriteLock, count: int) -> None:
    while waiting(lock) < count:
        time.sleep(0.001)


def served(lock: WriteLock, asked: str) -> str:
    """Let threads ask while the lock is held, "u" urgent and others not; return in which order they got it."""
    order: list[str] = []

    def ask(name: str, urgent: bool) -> None:
        with lock.held(urgent):
            order.append(name)

    threads = []
    with lock.held():
        for number, kind in enumerate(asked):
            threads.append(threading.Thread(target=ask, args=(f"{kind}{number}", kind == "u")))
            threads[-1].start()
            until_waiting(lock, number + 1)
    for thread in threads:
        thread.join()
    return " ".join(order)


def test_the_order_of_asking_holds_and_stops_come_first() -> None:
    lock = WriteLock()
    assert served(lock, "sssuus") == "u3 u4 s0 s1 s2 s5"
    assert served(lock, "su") == "u1 s0"  # it is free again


def test_a_hammered_button_shuts_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_write_lock, "MOST_URGENT_IN_A_ROW", 2)
    assert served(WriteLock(), "suuuu") == "u1 u2 s0 u3 u4"


def test_what_fails_gives_the_lock_on() -> None:
    lock = WriteLock()
    with pytest.raises(ZeroDivisionError), lock.held():
        raise ZeroDivisionError
    assert served(lock, "s") == "s0"


def test_a_stop_overtakes_the_submits_that_wait(tmp_path: Path) -> None:
    store = JobStore(tmp_path / "jobs.sqlite")
    submit(store, "mine")
    lock = store.database._write_lock
    threads = [threading.Thread(target=submit, args=(store, f"job-{number}")) for number in range(5)]
    with lock.held():
        for number, thread in enumerate(threads, 1):
            thread.start()
            until_waiting(lock, number)
        stop = threading.Thread(target=store.control.ask, args=("interrupt", "mine"))
        stop.start()
        until_waiting(lock, 6)
    for thread in (*threads, stop):
        thread.join()
    events = [event.job_id for event in store.events.after(0)]
    assert events == ["mine", "mine", *(f"job-{number}" for number in range(5))]
    store.close()


def test_places_are_those_of_the_whole_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was claimed, moved, resumed and given priority; mostly without putting the queue in order."""
    store = JobStore(tmp_path / "jobs.sqlite")
    store.queue.limits = lambda: QueueLimits(0, 0)
    sorted_whole: list[int] = []
    in_python = store_order.queue_order

    def noticed(*arguments: Any) -> list[store_order.Waiting]:
        sorted_whole.append(1)
        return in_python(*arguments)

    monkeypatch.setattr(store_order, "queue_order", noticed)
    for seed in range(12):
        chance = random.Random(seed)
        unusual = seed % 3 == 2
        for number in range(40):
            priority = chance.choice((0, 0, 3)) if unusual else seed % 2
            submit(store, f"{seed}-{number}", owner=chance.choice("abcdefgh"), priority=priority)
            if chance.random() < 0.3:
                store.claims.claim("engine")
            if unusual and chance.random() < 0.1:
                store.queue.move(chance.choice(store.jobs.queued_ids()), chance.randint(1, 20))
        with store.moment() as now, now.read() as connection:
            ids = [one.id for one in store_order.read_order(connection)]
        sorted_whole.clear()
        assert store.jobs.queued_ids() == ids
        assert store.jobs.queued_ids(7) == ids[:7]
        assert {job.id: job.position for job in store.jobs.by_ids(ids).values()} == {
            id: place for place, id in enumerate(ids, 1)
        }
        assert [get(store, id).position for id in ids] == list(range(1, len(ids) + 1))
        assert bool(sorted_whole) == unusual
        store.queue.interrupt_waiting()
    store.close()
