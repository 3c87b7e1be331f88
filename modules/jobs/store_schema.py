"""The tables of `jobs.sqlite`, as the list of migrations that leads to them."""

from __future__ import annotations

import sqlite3

Migration = tuple[str, ...]

_JOBS_IMAGES_EVENTS: Migration = (
    """
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
    )
    """,
    "CREATE INDEX jobs_in_order ON jobs (status, priority DESC, number)",
    "CREATE INDEX jobs_of_owner ON jobs (owner, number)",
    """
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
    )
    """,
    # The highest number ever given in a folder of pictures: it is not given again when its row and file are gone.
    "CREATE TABLE image_folders (folder TEXT PRIMARY KEY, highest INTEGER NOT NULL)",
    """
    CREATE TABLE events (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        at REAL NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('job', 'image', 'request', 'settings', 'removed')),
        job_id TEXT,
        payload TEXT NOT NULL
    )
    """,
)

# Each leads from the version of its place in this list to the next. Add to the end; never change one that was released.
MIGRATIONS: tuple[Migration, ...] = (_JOBS_IMAGES_EVENTS,)


class NewerSchemaError(Exception):
    """The database was written by a newer version of the program."""


def migrate(connection: sqlite3.Connection, migrations: tuple[Migration, ...] = MIGRATIONS) -> None:
    """Bring the database to the newest schema, all or nothing.

    Raises:
        NewerSchemaError: it has a schema that this version does not know.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if version > len(migrations):
            raise NewerSchemaError(version)
        for migration in migrations[version:]:
            for statement in migration:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
