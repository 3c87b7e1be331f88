"""A database of version 1, as the first release wrote it, becomes one of today with every row in it."""

import sqlite3
import threading
from pathlib import Path

import pytest

from modules.jobs.rows import Death
from modules.jobs.store.job_store import JobStore
from modules.jobs.store.schema import MIGRATIONS, migrate
from tests.jobs.store.test_concurrency import outputs, start

# The statements of version 1, word for word: they stay here as they were, whatever becomes of the store's schema.py.
VERSION_1 = """
    CREATE TABLE jobs (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        owner TEXT NOT NULL,
        request TEXT NOT NULL,
        resolved TEXT,
        status TEXT NOT NULL CHECK (
            status IN ('queued', 'running', 'done', 'interrupted', 'failed', 'paused', 'quarantined')
        ),
        priority INTEGER NOT NULL,
        requested TEXT CHECK (requested IN ('interrupt', 'stop')),
        requested_at REAL,
        skip_image INTEGER,
        image_index INTEGER,
        attempts INTEGER NOT NULL DEFAULT 0,
        deaths INTEGER NOT NULL DEFAULT 0,
        created_at REAL NOT NULL,
        started_at REAL,
        finished_at REAL,
        stopped_after_seconds REAL,
        phase TEXT,
        progress REAL NOT NULL DEFAULT 0,
        error TEXT,
        engine TEXT
    );
    CREATE INDEX jobs_in_order ON jobs (status, priority DESC, number);
    CREATE INDEX jobs_of_owner ON jobs (owner, number);
    CREATE TABLE images (
        job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
        image_index INTEGER NOT NULL,
        name TEXT NOT NULL UNIQUE,
        seed INTEGER NOT NULL,
        width INTEGER NOT NULL,
        height INTEGER NOT NULL,
        infotext TEXT NOT NULL DEFAULT '',
        partial INTEGER NOT NULL DEFAULT 0,
        status TEXT NOT NULL CHECK (status IN ('reserved', 'complete', 'expired')),
        completed_at REAL,
        PRIMARY KEY (job_id, image_index)
    );
    CREATE TABLE image_folders (folder TEXT PRIMARY KEY, highest INTEGER NOT NULL);
    CREATE TABLE events (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        at REAL NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('job', 'image', 'request', 'settings', 'removed')),
        job_id TEXT,
        payload TEXT NOT NULL
    );
    PRAGMA user_version = 1;
"""
STATUSES = ("queued", "running", "done", "interrupted", "failed", "quarantined")
REQUEST = '{"prompt": "ein ❤", "seed": -1}'
OLD_COLUMNS = (
    "number, id, kind, owner, request, resolved, status, priority, requested, requested_at, skip_image, image_index,"
    " attempts, deaths, created_at, started_at, finished_at, stopped_after_seconds, phase, progress, error, engine"
)


def write_version_1(path: Path, jobs: int = 60) -> None:
    """Write a database as version 1 left it, also as a killed process leaves it: with a WAL that is not empty."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.executescript(VERSION_1)
    for number in range(1, jobs + 1):
        status = STATUSES[number % len(STATUSES)]
        job_id = f"task({number})"
        connection.execute(
            f"INSERT INTO jobs ({OLD_COLUMNS}) VALUES (?, ?, 'txt2img', 'me', ?, ?, ?, ?, ?, ?, ?, 1, 2, 1, 1000.5, ?,"
            " ?, 0.25, 'sample', 0.5, ?, 'engine-0')",
            (
                number,
                job_id,
                REQUEST,
                '{"seed": 5}' if number % 2 else None,
                status,
                number % 3,
                "interrupt" if status == "interrupted" else None,
                1001.5 if status == "interrupted" else None,
                1 if status == "running" else None,
                None if status == "queued" else 1001.0,
                None if status in ("queued", "running") else 1002.0,
                "words" if status == "failed" else None,
            ),
        )
        connection.execute(
            "INSERT INTO events (at, kind, job_id, payload) VALUES (1000.5, 'job', ?, '{\"status\": \"queued\"}')",
            (job_id,),
        )
        for index in range(number % 3):
            connection.execute(
                "INSERT INTO images VALUES (?, ?, ?, 5, 64, 32, 'heart', 0, ?, 1001.25)",
                (job_id, index, f"outputs/{number}-{index}.png", "complete" if index == 0 else "reserved"),
            )
    connection.execute("INSERT INTO image_folders VALUES ('outputs', 77)")
    # The newest of each are gone: their numbers must not come again.
    connection.execute("INSERT INTO jobs (number, id, kind, owner, request, status, priority, created_at)"
                       " VALUES (500, 'gone', 'txt2img', 'me', '{}', 'queued', 0, 1)")  # fmt: skip
    connection.execute("DELETE FROM jobs WHERE id = 'gone'")
    connection.execute("INSERT INTO events (number, at, kind, payload) VALUES (900, 1, 'settings', '{}')")
    connection.execute("DELETE FROM events WHERE number = 900")
    connection.close()


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    found = [tuple(row) for row in connection.execute(query)]
    connection.close()
    return found


EVERYTHING = (
    f"SELECT {OLD_COLUMNS} FROM jobs ORDER BY number",
    "SELECT * FROM images ORDER BY job_id, image_index",
    "SELECT * FROM image_folders",
    "SELECT * FROM events ORDER BY number",
)


def test_every_row_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite"
    write_version_1(path)
    before = [rows(path, query) for query in EVERYTHING]
    assert [len(found) for found in before] == [60, 60, 1, 60]
    store = JobStore(path)
    assert store.database.notices == []
    assert [rows(path, query) for query in EVERYTHING] == before
    assert rows(path, "PRAGMA user_version") == [(len(MIGRATIONS),)]
    assert rows(path, "PRAGMA foreign_key_check") == []
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]
    assert rows(path, "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE '%1'") == []
    store.close()


def test_numbers_of_before_do_not_come_again(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite"
    write_version_1(path)
    store = JobStore(path)
    assert store.events.last() == 900
    assert store.queue.submit("txt2img", {}, "me").number == 501
    assert store.events.last() == 901
    store.close()


def test_an_empty_database_of_version_1_becomes_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite"
    write_version_1(path, jobs=0)
    JobStore(path).close()
    made = tmp_path / "new.sqlite"
    JobStore(made).close()
    schema = "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name"
    normal = [
        [(kind, name, str(sql).replace('"', "")) for kind, name, sql in rows(one, schema)] for one in (path, made)
    ]
    assert normal[0] == normal[1]
    fresh = tmp_path / "nothing.sqlite"
    connection = sqlite3.connect(fresh, isolation_level=None)
    connection.executescript(VERSION_1)
    migrate(connection)  # no job and no event was ever written
    connection.close()
    store = JobStore(fresh)
    assert (store.queue.submit("txt2img", {}, "me").number, store.events.last()) == (1, 1)
    store.close()


def test_old_jobs_can_do_all_that_new_ones_can(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite"
    write_version_1(path)
    store = JobStore(path)
    recovered = store.claims.recover(Death(ordered=True, reason="exit code 0"))
    assert [job.status for job in recovered] == ["queued"] * 10
    for job in store.jobs.page(limit=100)[0]:
        assert (job.forever, job.notes, job.economy, job.log, job.paused_at) == (False, (), None, None, None)
        if job.status in ("failed", "interrupted", "quarantined"):
            assert store.queue.retry(job.id).accepted
    waiting = store.jobs.queued_ids()
    assert len(waiting) == 50
    assert store.queue.move(waiting[-1], "front").accepted
    assert store.control.ask("pause", waiting[0]).accepted
    assert store.control.resume(waiting[0]).accepted
    claimed = store.claims.claim("engine-1")
    assert claimed is not None
    assert claimed.id == waiting[-1]
    with store.database.write() as transaction:  # pictures still go with their job
        transaction.execute("DELETE FROM jobs WHERE id = 'task(59)'")
    assert rows(path, "SELECT count(*) FROM images WHERE job_id = 'task(59)'") == [(0,)]
    store.close()


def test_turns_of_version_2_stand_beside_the_jobs(tmp_path: Path) -> None:
    """The database as the version before left it: turns in the rows of jobs, and those of removed jobs beside them."""
    path = tmp_path / "jobs.sqlite"
    connection = sqlite3.connect(path, isolation_level=None)
    migrate(connection, MIGRATIONS[:2])
    insert = (
        "INSERT INTO jobs (id, kind, owner, request, status, priority, created_at, finished_at, turn)"
        " VALUES (?, 'txt2img', ?, '{}', ?, 0, 1, ?, ?)"
    )
    for id, turn in (("a1", 1), ("b1", 2), ("c1", 3), ("a2", 4)):
        connection.execute(insert, (id, id[0], "done", 2, turn))
    for owner in "abcde":
        connection.execute(insert, (f"{owner}9", owner, "queued", None, None))
    queue = [("turns", "6"), ("turn of d", "5"), ("turn of b", "6"), ("paused", "0")]
    connection.executemany("INSERT INTO queue VALUES (?, ?)", queue)
    folders = [("outputs/x", 7), ("results/a1", 0), ("results/b1", 3)]
    connection.executemany("INSERT INTO image_folders VALUES (?, ?)", folders)
    connection.close()
    store = JobStore(path)
    assert store.jobs.queued_ids() == ["e9", "c9", "a9", "d9", "b9"]
    assert rows(path, "SELECT * FROM turns ORDER BY owner") == [("a", 4), ("b", 6), ("c", 3), ("d", 5)]
    assert rows(path, "SELECT * FROM queue ORDER BY key") == [("paused", "0"), ("turns", "6")]
    assert rows(path, "SELECT * FROM image_folders") == [("outputs/x", 7)]
    claimed = store.claims.claim("engine")
    assert claimed is not None
    assert rows(path, "SELECT * FROM turns WHERE owner = 'e'") == [("e", 7)]
    store.close()


def test_processes_that_find_version_1_together_migrate_it_once(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite"
    write_version_1(path)
    script = "store = JobStore(path); print(store.jobs.page()[1], len(store.database.notices))"
    assert outputs([start(script, path) for _ in range(3)]) == [["60", "0"]] * 3
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]


def test_a_migration_that_is_cut_short_begins_again(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite"
    write_version_1(path)
    before = [rows(path, query) for query in EVERYTHING]
    statements = MIGRATIONS[1]
    for count in range(1, len(statements), 5):
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA foreign_keys = ON")
        with pytest.raises(sqlite3.OperationalError):
            migrate(connection, (MIGRATIONS[0], (*statements[:count], "not SQL")))
        connection.close()
        assert rows(path, "PRAGMA user_version") == [(1,)]
    JobStore(path).close()
    assert [rows(path, query) for query in EVERYTHING] == before


def test_an_older_program_that_still_runs_reads_on_and_the_migration_waits_for_its_write(tmp_path: Path) -> None:
    """While the server is swapped for a newer one the old one still answers and the engine still draws."""
    path = tmp_path / "jobs.sqlite"
    write_version_1(path)
    older = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    read = f"SELECT {OLD_COLUMNS} FROM jobs WHERE id = 'task(1)'"
    before = older.execute(read).fetchall()
    older.execute("BEGIN IMMEDIATE")
    opened: list[JobStore] = []
    thread = threading.Thread(target=lambda: opened.append(JobStore(path)))
    thread.start()
    older.execute("UPDATE jobs SET progress = 0.75 WHERE id = 'task(7)'")
    older.execute("COMMIT")
    thread.join(30)
    (store,) = opened
    assert older.execute(read).fetchall() == before
    older.execute("UPDATE jobs SET requested = 'interrupt', requested_at = 5 WHERE id = 'task(7)'")
    job = store.jobs.get("task(7)")
    assert job is not None
    assert (job.progress, job.requested) == (0.75, "interrupt")
    older.close()
    store.close()
