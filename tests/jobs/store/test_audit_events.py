"""Who did what is written down with the deed; events are bounded and their numbers go on."""

from collections.abc import Callable
from typing import Any

import pytest

from modules.errors import UnknownJob
from modules.jobs.rows import Actor, AuditRow
from modules.jobs.store import audit as store_audit
from modules.jobs.store import deletion as store_deletion
from modules.jobs.store.job_store import JobStore
from tests.jobs.conftest import Clock
from tests.jobs.store.test_job_store import get, submit

ME = Actor("me", "10.0.0.7")


def deeds(store: JobStore) -> list[tuple[str, str | None, dict[str, Any]]]:
    """Return what was written down, oldest first."""
    return [(row.action, row.job_id, row.detail) for row in reversed(store.audit.rows())]


@pytest.mark.parametrize(
    ("deed", "row"),
    [
        (lambda store: submit(store, "new", by=ME), ("submit", "new", {})),
        (lambda store: store.control.ask("skip", by=ME), ("skip", "running", {})),
        (lambda store: store.control.ask("interrupt", "queued", by=ME), ("interrupt", "queued", {})),
        (lambda store: store.control.ask("pause", "running", by=ME), ("pause", "running", {})),
        (lambda store: store.control.ask("stop", "paused", by=ME), ("stop", "paused", {})),
        (lambda store: store.control.resume("paused", by=ME), ("resume", "paused", {})),
        (lambda store: store.queue.retry("failed", by=ME), ("retry", "failed", {"was": "failed"})),
        (
            lambda store: store.queue.redraw("failed", [0, 2], by=ME),
            ("redraw", "failed", {"was": "failed", "images": 2}),
        ),
        (lambda store: store.queue.move("queued", "front", by=ME), ("move", "queued", {"to": "front"})),
        (lambda store: store.queue.move("queued", 2, by=ME), ("move", "queued", {"to": 2})),
        (lambda store: store.queue.prioritise("queued", 4, by=ME), ("priority", "queued", {"priority": 4})),
        (lambda store: store.queue.pause(by=ME), ("pause-queue", None, {})),
        (lambda store: store.control.set_forever("queued", True, by=ME), ("forever", "queued", {"on": True})),
        (
            lambda store: store.queue.interrupt_waiting(by=ME, owner="me"),
            ("interrupt-waiting", None, {"count": 1, "owner": "me"}),
        ),
        (lambda store: store.queue.remove("queued", by=ME), ("remove", "queued", {})),
        (lambda store: store.audit.note_settings(("theme",), by=ME), ("settings", None, {"changed": ["theme"]})),
        (
            lambda store: store.audit.note("restart", ME, detail={"when": "idle"}),
            ("restart", None, {"when": "idle"}),
        ),
    ],
)
def test_each_deed_is_written_down_once(
    store: JobStore, clock: Clock, deed: Callable[[JobStore], object], row: tuple[str, str | None, dict[str, Any]]
) -> None:
    for id in ("failed", "paused", "running"):
        submit(store, id)
        store.claims.claim("engine")
        if id != "running":
            store.claims.finish(id, "failed") if id == "failed" else store.claims.pause_now(id)
    submit(store, "queued")
    assert store.audit.rows() == []
    deed(store)
    assert store.audit.rows() == [AuditRow(1, clock.now, "me", "10.0.0.7", *row)]


def test_what_was_refused_or_done_by_the_program_itself_is_not_written_down(store: JobStore) -> None:
    submit(store, "a", by=ME)
    submit(store, "a", by=ME)  # the second time is no deed
    store.claims.claim("engine")
    store.claims.finish("a", "done")
    for refused in (
        lambda: store.control.ask("interrupt", "a", by=ME),
        lambda: store.control.ask("skip", by=ME),
        lambda: store.control.resume("a", by=ME),
        lambda: store.queue.retry("a", by=ME),
        lambda: store.queue.move("a", "front", by=ME),
        lambda: store.queue.prioritise("a", 1, by=ME),
        lambda: store.control.set_forever("a", True, by=ME),
        lambda: store.queue.resume(by=ME),
        lambda: store.queue.remove("a", by=ME),
        lambda: store.queue.interrupt_waiting(by=ME),
    ):
        refused()
    with pytest.raises(UnknownJob):
        store.control.ask("interrupt", "?", by=ME)
    assert deeds(store) == [("submit", "a", {})]


def test_the_audit_is_read_by_page_and_bounded(store: JobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_audit, "AUDIT_ROWS_KEPT", 20)
    for number in range(50):
        store.audit.note("restart", ME, detail={"number": number})
    assert [row.number for row in store.audit.rows(limit=3)] == [50, 49, 48]
    assert [row.number for row in store.audit.rows(limit=2, before=48)] == [47, 46]
    assert [row.number for row in store.audit.rows(limit=1000)] == list(range(50, 30, -1))
    assert store.audit.rows(before=31) == []


def test_a_deed_that_fails_is_not_written_down(store: JobStore) -> None:
    submit(store, "a")
    with pytest.raises(TypeError):
        store.audit.note("restart", ME, detail={"not JSON": object()})
    assert store.audit.rows() == []


def numbers(store: JobStore) -> tuple[int, int]:
    """Return the numbers of the first event that is kept, 0 when there is none, and of the last that happened."""
    return next((event.number for event in store.events.after(0, limit=1)), 0), store.events.last()


def test_old_events_go_and_numbers_go_on(store: JobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_deletion, "_EVENTS_A_TRANSACTION", 7)
    assert (numbers(store), store.deletion.compact_events(10)) == ((0, 0), 0)
    for number in range(50):
        submit(store, f"job-{number}")
    assert store.deletion.compact_events(10) == 40
    assert numbers(store) == (41, 50)
    assert [event.number for event in store.events.after(40)] == list(range(41, 51))
    assert store.deletion.compact_events(10) == 0
    submit(store, "next")
    assert store.events.last() == 51
    assert store.deletion.compact_events(0) == 11
    assert numbers(store) == (0, 51)
    submit(store, "last")
    assert numbers(store) == (52, 52)
    assert store.deletion.compact_events(-5) == 1  # never above the newest


def test_compaction_leaves_jobs_and_pictures_alone(store: JobStore) -> None:
    submit(store, "a")
    store.claims.claim("engine")
    store.images.reserve("a", 0, seed=1, width=64, height=64, save=True)
    store.images.complete("a", 0, "x")
    announced: list[int] = []
    store.database.announce = announced.append
    store.deletion.compact_events(1)
    assert announced == []  # nothing happened
    assert (get(store, "a").status, len(store.jobs.images("a"))) == ("running", 1)


def test_a_reader_within_what_is_kept_misses_nothing_while_events_come_and_go(store: JobStore) -> None:
    seen = 0
    for number in range(60):
        submit(store, f"job-{number}")
        if number % 7 == 0:
            store.deletion.compact_events(10)
        if number % 9 == 0:
            events = store.events.after(seen)
            assert [event.number for event in events] == list(range(seen + 1, number + 2))
            seen = events[-1].number
