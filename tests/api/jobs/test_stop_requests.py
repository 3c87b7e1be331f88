"""Stop buttons in the server: stored first, then told to the engine."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modules.api.answers import Refused
from modules.api.auth.permission import Permission
from modules.api.jobs.stop_requests import StopRequests
from modules.errors import StorageError
from modules.jobs.rows import Actor, RequestKind
from modules.jobs.store.database import Transaction
from modules.jobs.store.job_store import JobStore
from modules.link.noticeboards import Noticeboards
from modules.options import Options
from modules.shared_state import State


class Desk:
    """Requests of a running job."""

    def __init__(self, folder: Path) -> None:
        self.state = State()
        self.store = JobStore(folder / "jobs.sqlite")
        self.options = Options(folder / "settings.json")
        self.stops = StopRequests(
            self.store.control, None, Noticeboards(self.state), Permission(self.store.jobs, self.options)
        )

    def run(self, job: str) -> None:
        self.store.queue.submit("txt2img", {}, "me", id=job)
        self.store.claims.claim("fake")
        self.state.begin(job)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path)
    made.run("mine")
    return made


def test_an_interrupt_says_how_often_it_was_asked_for_and_orders_nothing_itself(desk: Desk) -> None:
    link = Told()
    desk.stops._link = link  # type: ignore[assignment]
    desk.stops.request("skip", "mine")
    for _ in range(4):
        assert desk.stops.request("interrupt", None)
    assert [payload["times"] for _, payload in link.signals] == [0, 1, 2, 3, 4]
    assert desk.state.server_command is None


def test_the_asker_is_kept_and_the_program_itself_is_none(desk: Desk) -> None:
    desk.state.stops = desk.stops
    desk.stops.ask("skip", "mine", Actor("tab-1", "10.0.0.1"))
    desk.stops.ask("interrupt", "mine", Actor("tab-2", "10.0.0.2"))
    assert desk.state.interrupt("mine")
    rows = desk.store.audit.rows(10)
    assert [(row.owner, row.action, row.job_id) for row in rows] == [
        ("tab-2", "interrupt", "mine"), ("tab-1", "skip", "mine"),
    ]  # fmt: skip


def test_a_click_on_the_page_is_refused_too_when_jobs_are_for_their_owners(desk: Desk) -> None:
    desk.options.update({"only_own_jobs": True})
    desk.state.stops = desk.stops
    for job in ("mine", None):
        with pytest.raises(Refused, match="only_own_jobs"):
            desk.stops.ask("interrupt", job, Actor("tab-2", "10.0.0.2"))
    assert desk.store.claims.pending("mine").requested is None
    assert desk.state.interrupt("mine"), "the program itself may"


def test_the_job_that_is_checked_is_the_one_that_is_stopped(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mine ends and another owner's begins between the look and the deed."""
    desk.options.update({"only_own_jobs": True})
    desk.store.queue.submit("txt2img", {}, "other", id="theirs")
    begin = desk.store.database.write

    @contextlib.contextmanager
    def late(urgent: bool = False, lasting: bool = True) -> Iterator[Transaction]:
        monkeypatch.undo()
        desk.store.claims.finish("mine", "done")
        desk.store.claims.claim("fake")
        with begin(urgent, lasting) as transaction:
            yield transaction

    monkeypatch.setattr(desk.store.database, "write", late)
    with pytest.raises(Refused):
        desk.stops.ask("interrupt", None, by=Actor("me", "127.0.0.1"))
    assert desk.store.claims.pending("theirs").requested is None


class Told:
    """Stands in for the link: keeps what the engine is told."""

    def __init__(self) -> None:
        self.signals: list[tuple[str, dict[str, Any]]] = []

    def signal(self, name: str, **payload: Any) -> None:
        self.signals.append((name, payload))


@contextlib.contextmanager
def no_space(urgent: bool = False, lasting: bool = True) -> Iterator[Transaction]:
    raise StorageError("No space left to write jobs.sqlite: free some disk space.")
    yield


@pytest.mark.parametrize(("job", "kind"), [(None, "interrupt"), ("mine", "stop"), ("mine", "skip")])
def test_a_full_disk_stops_no_stop(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, job: str | None, kind: RequestKind
) -> None:
    link = Told()
    desk.stops._link = link  # type: ignore[assignment]
    monkeypatch.setattr(desk.store.database, "write", no_space)
    answer = desk.stops.ask(kind, job, by=Actor("me", "127.0.0.1"))
    assert (answer.accepted, answer.was, answer.job) == (True, "running", "mine")
    assert "not written down" in str(answer.notice) and "No space left" in str(answer.notice)
    assert link.signals == [("nudge", {"kind": kind, "job": "mine", "image": 0, "times": 0})]
    desk.options.update({"only_own_jobs": True})
    with pytest.raises(Refused):
        desk.stops.ask(kind, job, by=Actor("other", "127.0.0.1"))


def test_what_the_disk_is_needed_for_is_refused_when_it_is_full(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.stops._link = Told()  # type: ignore[assignment]
    desk.store.queue.submit("txt2img", {}, "me", id="waits")
    monkeypatch.setattr(desk.store.database, "write", no_space)
    for kind, job in (("pause", "mine"), ("interrupt", "waits")):
        with pytest.raises(StorageError):
            desk.stops.ask(kind, job)  # type: ignore[arg-type]
