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

# CHECKs cannot be changed in place, so the tables that have them are made anew. A table that is dropped deletes what
# refers to it: the pictures move first. Numbers that were given are not given again, hence sqlite_sequence.
_CONTROL: Migration = (
    "DROP INDEX jobs_in_order",
    "DROP INDEX jobs_of_owner",
    "ALTER TABLE jobs RENAME TO jobs_1",
    "ALTER TABLE images RENAME TO images_1",
    "ALTER TABLE events RENAME TO events_1",
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
        place INTEGER NOT NULL DEFAULT 0, -- of a job that was put there by hand: 1 is the next of its priority
        own_place INTEGER NOT NULL DEFAULT 0, -- among its owner's jobs, for the others
        turn INTEGER, -- the how many-th of all claims took it
        requested TEXT CHECK (requested IN ('interrupt', 'stop', 'pause')),
        requested_at REAL,
        stop_requests INTEGER NOT NULL DEFAULT 0,
        skip_image INTEGER,
        image_index INTEGER,
        attempts INTEGER NOT NULL DEFAULT 0,
        deaths INTEGER NOT NULL DEFAULT 0,
        created_at REAL NOT NULL,
        started_at REAL,
        finished_at REAL,
        paused_at REAL,
        stopped_after_seconds REAL,
        phase TEXT,
        progress REAL NOT NULL DEFAULT 0,
        error TEXT,
        log TEXT,
        engine TEXT,
        forever INTEGER NOT NULL DEFAULT 0,
        economy TEXT,
        notes TEXT NOT NULL DEFAULT '[]',
        retry_of TEXT, -- the job that was edited
        follows TEXT -- the job before in a chain of `forever` jobs
    )
    """,
    """
    INSERT INTO jobs (
        number, id, kind, owner, request, resolved, status, priority, requested, requested_at, skip_image, image_index,
        attempts, deaths, created_at, started_at, finished_at, stopped_after_seconds, phase, progress, error, engine
    ) SELECT
        number, id, kind, owner, request, resolved, status, priority, requested, requested_at, skip_image, image_index,
        attempts, deaths, created_at, started_at, finished_at, stopped_after_seconds, phase, progress, error, engine
    FROM jobs_1
    """,
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
    """
    INSERT INTO images (job_id, image_index, name, seed, width, height, infotext, partial, status, completed_at)
    SELECT job_id, image_index, name, seed, width, height, infotext, partial, status, completed_at FROM images_1
    """,
    """
    CREATE TABLE events (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        at REAL NOT NULL,
        kind TEXT NOT NULL,
        job_id TEXT,
        payload TEXT NOT NULL
    )
    """,
    "INSERT INTO events (number, at, kind, job_id, payload) SELECT number, at, kind, job_id, payload FROM events_1",
    "DELETE FROM sqlite_sequence WHERE name IN ('jobs', 'events')",
    """
    INSERT INTO sqlite_sequence (name, seq)
    SELECT substr(name, 1, length(name) - 2), seq FROM sqlite_sequence WHERE name IN ('jobs_1', 'events_1')
    """,
    "DROP TABLE images_1",
    "DROP TABLE jobs_1",
    "DROP TABLE events_1",
    # All that the order of the queue depends on, for those that wait alone.
    "CREATE INDEX jobs_in_order ON jobs (priority DESC, number, id, owner, place, own_place) WHERE status = 'queued'",
    "CREATE INDEX jobs_by_status ON jobs (status, number)",
    "CREATE INDEX jobs_of_owner ON jobs (owner, number)",
    "CREATE INDEX jobs_that_follow ON jobs (follows) WHERE follows IS NOT NULL",
    "CREATE INDEX jobs_by_turn ON jobs (owner, turn)",
    # What is true of the queue as a whole: "paused", and "turns", the number of claims so far.
    "CREATE TABLE queue (key TEXT PRIMARY KEY, value TEXT)",
    """
    CREATE TABLE audit (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        at REAL NOT NULL,
        owner TEXT NOT NULL,
        address TEXT NOT NULL,
        action TEXT NOT NULL,
        job_id TEXT,
        detail TEXT NOT NULL
    )
    """,
)

# Jobs can be deleted, so what must outlive them stands beside them. `jobs.turn` stays, unread: an engine of the version
# before, which goes on beside a server of this one, still writes it.
_DELETION: Migration = (
    # The last claim of each owner, as the how many-th of all claims.
    "CREATE TABLE turns (owner TEXT PRIMARY KEY, turn INTEGER NOT NULL)",
    """
    INSERT INTO turns (owner, turn)
    SELECT owner, max(turn) FROM (
        SELECT owner, turn FROM jobs WHERE turn IS NOT NULL
        UNION ALL SELECT substr(key, 9), CAST(value AS INTEGER) FROM queue WHERE key LIKE 'turn of %'
    ) GROUP BY owner
    """,
    "DELETE FROM queue WHERE key LIKE 'turn of %'",
    "DROP INDEX jobs_by_turn",
    "CREATE INDEX turns_by_age ON turns (turn)",
    # Files of deleted jobs that are to go and may still be there, after a crash or since their folder kept them.
    "CREATE TABLE removed_files (name TEXT PRIMARY KEY)",
    # What people should be told of this database, whichever process found it out.
    "CREATE TABLE notices (number INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, text TEXT NOT NULL)",
    "ALTER TABLE jobs ADD COLUMN address TEXT NOT NULL DEFAULT ''",  # that it was sent from
    "CREATE INDEX jobs_by_end ON jobs (finished_at, number) WHERE finished_at IS NOT NULL",
    # A folder of results belongs to one job, whose pictures are numbered by their place in it.
    "DELETE FROM image_folders WHERE folder LIKE 'results/%'",
)

_REDRAWING: Migration = (
    # The indices of the pictures that a job which had ended is to draw anew, as JSON; NULL: all that are missing.
    "ALTER TABLE jobs ADD COLUMN wanted TEXT",
)

# Each leads from the version of its place in this list to the next. Add to the end; never change one that was released.
MIGRATIONS: tuple[Migration, ...] = (_JOBS_IMAGES_EVENTS, _CONTROL, _DELETION, _REDRAWING)


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
