"""A database that is gone, empty, replaced or without its log is told of, whoever finds it out, and not worked on."""

import contextlib
import shutil
import signal
from pathlib import Path

import pytest

from modules.jobs.store.file import DatabaseFile, DatabaseReplaced
from modules.jobs.store.job_store import JobStore
from tests.jobs.conftest import Clock
from tests.jobs.store.test_concurrency import start
from tests.jobs.store.test_job_store import submit

DAY = 86_400


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.sqlite"


def notices_of_next(path: Path) -> list[str]:
    with contextlib.closing(JobStore(path)) as store:
        return store.database.notices


def used(path: Path) -> None:
    """Leave a database that was closed in order, with a job."""
    with contextlib.closing(JobStore(path)) as store:
        submit(store, "a")


def killed(path: Path) -> None:
    """Leave a database whose program was killed after it told of a job."""
    script = (
        "import time; store = JobStore(path)\n"
        "print(store.queue.submit('txt2img', {}, 'me').id, flush=True); time.sleep(60)"
    )
    process = start(script, path)
    assert process.stdout is not None
    assert process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=10)


def test_in_order_and_after_a_kill_nothing_is_told(path: Path) -> None:
    assert notices_of_next(path) == []
    used(path)
    assert notices_of_next(path) == []
    killed(path)
    assert notices_of_next(path) == []
    with contextlib.closing(JobStore(path)) as one:
        with contextlib.closing(JobStore(path)) as two:
            assert (one.database.notices, two.database.notices) == ([], [])
        assert notices_of_next(path) == []
    unclosed = JobStore(path)
    submit(unclosed, "b")
    del unclosed
    assert notices_of_next(path) == []


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("corrupt", "was corrupt and is now jobs.sqlite.corrupt-1: the queue starts empty"),
        ("empty", "jobs.sqlite was empty: the queue starts empty"),
        ("deleted", "jobs.sqlite was gone: the queue starts empty"),
    ],
)
def test_whoever_finds_damage_everyone_tells_it_for_a_day(
    path: Path, clock: Clock, caplog: pytest.LogCaptureFixture, damage: str, words: str
) -> None:
    used(path)
    if damage == "corrupt":
        path.write_bytes(b"not a database" * 1000)
    elif damage == "empty":
        path.write_bytes(b"")
    else:
        path.unlink()
    JobStore(path, clock=clock).close()  # the engine was first
    (notice,) = JobStore(path, clock=clock).database.notices
    assert words in notice
    assert notice in caplog.text
    clock.now += DAY + 1
    assert JobStore(path, clock=clock).database.notices == []


def test_a_power_cut_right_after_the_log_was_taken_away_in_order_tells_of_no_loss(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as power:
        power.setattr(DatabaseFile, "closed", lambda self: None)
        used(path)
    assert not path.with_name("jobs.sqlite-wal").exists()
    assert notices_of_next(path) == []


def test_who_still_writes_while_it_is_closed_is_not_told_of_a_deletion(path: Path) -> None:
    store = JobStore(path)
    submit(store, "a")
    store.close()
    submit(store, "b")
    assert notices_of_next(path) == []


def test_who_closes_first_says_nothing_for_who_still_works(path: Path) -> None:
    used(path)
    with contextlib.closing(JobStore(path)):
        used_meanwhile = JobStore(path)
        used_meanwhile.close()
        assert path.with_name("jobs.sqlite.state").read_text() == "open"
    assert path.with_name("jobs.sqlite.state").read_text() == "closed"


def test_a_folder_that_was_deleted_meanwhile_does_not_come_back(tmp_path: Path) -> None:
    path = tmp_path / "data" / "jobs.sqlite"
    used(path)
    with contextlib.closing(JobStore(path)):
        shutil.rmtree(path.parent)
    assert not path.parent.exists()


def test_a_log_that_was_deleted_after_a_kill_is_missed(path: Path) -> None:
    used(path)
    killed(path)
    path.with_name("jobs.sqlite-wal").unlink()
    (notice,) = notices_of_next(path)
    assert "jobs.sqlite-wal was gone" in notice
    assert notices_of_next(path) == [notice]


@pytest.mark.parametrize("kind", ["deleted", "replaced", "another is there", "emptied", "without its log"])
def test_what_others_do_not_see_is_not_written_on(path: Path, tmp_path: Path, kind: str) -> None:
    store = JobStore(path)
    submit(store, "a")
    version = store.database.data_version()
    assert store.database.data_version() == version
    if kind == "without its log":
        path.with_name("jobs.sqlite-wal").unlink()
    elif kind == "emptied":
        path.write_bytes(b"")
    else:
        path.rename(tmp_path / "elsewhere")
    if kind == "replaced":
        used(path)
    if kind == "another is there":
        path.touch()
    with pytest.raises(DatabaseReplaced, match=r"jobs.sqlite was deleted, moved or replaced while it was open"):
        submit(store, "b")
    with pytest.raises(DatabaseReplaced):
        store.database.data_version()
    store.database._idle.clear()
    with pytest.raises(DatabaseReplaced):
        store.jobs.get("a")  # a new connection would make a new file
    # Those who come now work on what is there, while the old ones still have theirs open.
    newer, other = JobStore(path), JobStore(path)
    assert newer.database.notices == other.database.notices != []
    submit(newer, "c")
    assert ("a" in other.jobs.queued_ids()) == (kind in ("replaced", "without its log"))  # a deleted log was saved
    store.close()
    submit(other, "d")
    for one in (newer, other):
        assert one.jobs.queued_ids()[-2:] == ["c", "d"]
        one.close()
    assert notices_of_next(path) == newer.database.notices


def test_damage_under_way_is_told_on_the_page_too(path: Path) -> None:
    store = JobStore(path)
    for number in range(200):
        submit(store, f"job-{number}")
    assert store.database.wipe()  # all of it is in the file
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\x99" * (path.stat().st_size - 4096))
    store.database._idle.clear()
    for _ in range(2):
        with contextlib.suppress(Exception):
            store.jobs.page(limit=500)
    assert (
        [notice for notice in store.database.notices if "is damaged: restart the program" in notice]
        == store.database.notices
        != []
    )
    store.close()
