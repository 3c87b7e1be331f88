"""What disks and crashes do to the database: told in words, nothing lost that was told as done."""

import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from modules.errors import StorageError
from modules.jobs.store import database as store_database
from modules.jobs.store.job_store import JobStore
from modules.jobs.store.jobs import JobFilter
from modules.jobs.store.schema import MIGRATIONS, NewerSchemaError, migrate
from modules.paths import ROOT
from tests.jobs.store.test_concurrency import start
from tests.jobs.store.test_job_store import get, submit


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.sqlite"


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("damage", ["no database", "header", "pages", "index"])
def test_a_corrupt_database_is_set_aside_with_a_notice(path: Path, damage: str) -> None:
    store = JobStore(path)
    for number in range(300):
        submit(store, f"job-{number}")
    store.close()
    content = bytearray(path.read_bytes())
    if damage == "no database":
        content = bytearray(b"hello")
    elif damage == "header":
        content[:100] = b"\xff" * 100
    elif damage == "pages":
        content[4096 : 4096 * 6] = bytes(4096 * 5)
    else:
        content[-4096 * 3 :] = b"\x55" * 4096 * 3
    path.write_bytes(content)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).write_bytes(b"leftover")
    store = JobStore(path)
    told = store.database.notices
    assert told == [
        "jobs.sqlite was corrupt and is now jobs.sqlite.corrupt-1: the queue starts empty, pictures are untouched."
    ]
    assert path.with_name("jobs.sqlite.corrupt-1").read_bytes() == content
    submit(store, "next")
    store.close()
    store = JobStore(path)
    assert store.database.notices == told  # for a day
    assert store.jobs.queued_ids() == ["next"]
    store.close()


def test_companions_of_a_corrupt_database_go_with_it(path: Path) -> None:
    path.write_bytes(b"not a database, and long enough to be one" * 100)
    path.with_name("jobs.sqlite-wal").write_bytes(b"wal")
    JobStore(path).close()
    assert "jobs.sqlite.corrupt-1-wal" in names_in(path.parent)
    assert "jobs.sqlite-wal" not in names_in(path.parent)


def test_an_empty_file_is_a_new_database(path: Path) -> None:
    path.touch()
    store = JobStore(path)
    assert store.database.notices == []
    submit(store, "a")
    store.close()


def test_a_database_of_a_newer_version_is_left_alone(path: Path) -> None:
    JobStore(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StorageError, match=r"was written by a newer version \(schema 99\): update the program"):
        JobStore(path)
    assert path.read_bytes() == before


def test_migrations_run_once_in_order_and_keep_what_is_there(path: Path) -> None:
    store = JobStore(path)
    submit(store, "a")
    store.close()
    connection = sqlite3.connect(path, isolation_level=None)
    newer = (*MIGRATIONS, ("ALTER TABLE jobs ADD COLUMN colour TEXT DEFAULT 'red'",), ("CREATE TABLE more (x)",))
    for _ in range(2):
        migrate(connection, newer)
        assert connection.execute("PRAGMA user_version").fetchone() == (len(newer),)
    assert connection.execute("SELECT id, colour FROM jobs").fetchall() == [("a", "red")]
    with pytest.raises(NewerSchemaError):
        migrate(connection, MIGRATIONS)
    connection.close()


def test_a_migration_that_fails_changes_nothing(path: Path) -> None:
    JobStore(path).close()
    connection = sqlite3.connect(path, isolation_level=None)
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, (*MIGRATIONS, ("CREATE TABLE more (x)", "not SQL")))
    assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    assert connection.execute("SELECT name FROM sqlite_master WHERE name = 'more'").fetchone() is None
    connection.close()


def test_a_full_disk_is_told_and_costs_nothing_that_was_there(path: Path) -> None:
    store = JobStore(path)
    (connection,) = store.database._idle  # one thread always borrows the same one
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + 3}")
    submitted = []
    with pytest.raises(StorageError, match=r"No space left to write .*jobs.sqlite: free some disk space"):
        for number in range(1000):
            submitted.append(submit(store, f"job-{number}").id)
    assert len(submitted) > 3
    assert store.jobs.queued_ids(limit=1000) == submitted
    connection.execute(f"PRAGMA max_page_count = {pages + 100}")
    submit(store, "after")
    assert store.jobs.queued_ids(limit=1000)[-1] == "after"
    store.close()


@pytest.mark.parametrize(("free", "words"), [(0, "No space left to write"), (1 << 30, "cannot be used (disk I/O")])
def test_a_start_on_a_full_disk_names_that(path: Path, monkeypatch: pytest.MonkeyPatch, free: int, words: str) -> None:
    """SQLite calls it an I/O error when there is no room for the index of its log."""
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = 4874  # SQLITE_IOERR_SHMSIZE

    def refuse(_connection: sqlite3.Connection) -> None:
        raise error

    monkeypatch.setattr(store_database, "migrate", refuse)
    usage = shutil.disk_usage(path.parent)._replace(free=free)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage)
    with pytest.raises(StorageError, match=re.escape(words)):
        JobStore(path)


def test_a_change_that_fails_leaves_no_trace(path: Path) -> None:
    store = JobStore(path)
    announced: list[int] = []
    store.database.announce = announced.append
    submit(store, "a")
    with pytest.raises(TypeError), store.database.write() as transaction:
        transaction.execute("UPDATE jobs SET status = 'done'")
        transaction.append("job", "a", {"status": object()})
    assert get(store, "a").status == "queued"
    assert announced == [1] == [event.number for event in store.events.after(0)]
    store.close()


def test_a_lock_that_another_program_holds_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_database, "_BUSY_SECONDS", 0.1)
    store = JobStore(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match=r"jobs.sqlite is locked by another program: end that one"):
        submit(store, "a")
    assert store.jobs.page() == ([], 0)  # readers do not wait for writers
    other.execute("ROLLBACK")
    submit(store, "a")
    other.close()
    store.close()


def test_a_damaged_row_hides_no_other(path: Path) -> None:
    store = JobStore(path)
    for id in ("good", "bytes", "json"):
        submit(store, id)
    with sqlite3.connect(path) as connection:
        bad = b'{"prompt": "a secret \xff\xfe rose"}'
        connection.execute("UPDATE jobs SET request = CAST(? AS TEXT) WHERE id = 'bytes'", (bad,))
        connection.execute("UPDATE jobs SET request = '{\"prompt\": \"a sec', notes = '[' WHERE id = 'json'")
        connection.execute("UPDATE events SET payload = '{' WHERE job_id = 'json'")
    connection.close()
    assert [job.id for job in store.jobs.page()[0]] == ["json", "bytes", "good"]
    assert get(store, "bytes").request == {"prompt": "a secret \ufffd\ufffd rose"}
    assert get(store, "json").request == {}
    assert [event.payload for event in store.events.after(1)] == [{"status": "queued"}, {}]
    assert [job.id for job in store.jobs.page(JobFilter(text="rose"))[0]] == ["bytes"]
    assert [job.id for job in store.jobs.page(JobFilter(text="ein"))[0]] == ["good"]
    store.close()


def test_damage_under_way_is_told(path: Path) -> None:
    store = JobStore(path)
    for number in range(500):
        submit(store, f"job-{number}")
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\x99" * 4096 * 200)
    store.database._idle.clear()  # these still have good pages in their caches
    with pytest.raises(StorageError, match=r"jobs.sqlite is damaged: restart the program, which sets it aside"):
        store.jobs.page(limit=500)
    store.close()


def test_a_folder_that_cannot_be_written_is_named() -> None:
    script = (
        "import os, sys; from pathlib import Path\n"
        "from modules.errors import StorageError; from modules.jobs.store.job_store import JobStore\n"
        "if os.geteuid() == 0: os.setuid(65534)  # root may write anywhere\n"
        "try: JobStore(Path(sys.argv[1]) / 'jobs.sqlite')\n"
        "except StorageError as error: print(error)\n"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o555)
        done = subprocess.run(
            [sys.executable, "-c", script, name], cwd=ROOT, capture_output=True, text=True, check=True
        )
    assert done.stdout.startswith("Not allowed to use ")
    assert str(folder) in done.stdout
    assert done.stdout.endswith("give your user write access to it, or choose another --data-dir.\n")


def test_kill_9_amid_writes_loses_nothing_that_was_told(path: Path) -> None:
    script = (
        "store = JobStore(path)\n"
        "store.database.announce = lambda number: print(number, flush=True)\n"
        "store.claims.recover()\n"
        "while True:\n"
        "    store.queue.submit('txt2img', {'prompt': 'x' * 3000}, 'me')\n"
        "    job = store.claims.claim(arguments[0])\n"
        "    store.images.reserve(job.id, 0, 5, 64, 64, save=True)\n"
        "    store.images.complete(job.id, 0, 'infotext')\n"
        "    store.claims.finish(job.id, 'done')\n"
    )
    chance = random.Random(5)
    told = 0
    for number in range(5):
        process = start(script, path, f"engine-{number}")
        assert process.stdout is not None
        assert process.stdout.readline()  # it is writing
        time.sleep(chance.uniform(0.02, 0.25))
        process.send_signal(signal.SIGKILL)
        with process.stdout:
            *lines, _half = process.stdout.read().split("\n")
        process.wait(timeout=10)
        told = max(told, *map(int, lines))
        store = JobStore(path)
        assert store.database.notices == []
        assert store.events.last() >= told
        assert store.jobs.page(JobFilter(("running",)))[1] <= 1
        assert store.jobs.queued_count() <= number + 1
        for job in store.jobs.page(limit=10_000)[0]:
            assert job.status != "done" or len(store.jobs.images(job.id)) == 1
        store.close()
    assert told > 50
