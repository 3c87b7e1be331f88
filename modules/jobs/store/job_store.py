"""The truth about jobs: rows in `jobs.sqlite`, changed only by the parts of the store.

A status goes `queued -> running -> done | interrupted | failed`, with `paused` and `quarantined` beside them. Each
change appends its event in the same transaction. All methods are safe to call from several threads and processes; each
may wait for the disk, so never call one on an event loop. All raise StorageError when the disk refuses.

Methods that a person triggers take `by`, who asks, and write it down in the same transaction.
"""

from __future__ import annotations

import contextlib
import functools
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from modules.jobs.store.audit import Audit
from modules.jobs.store.claims import Claims
from modules.jobs.store.control import Control
from modules.jobs.store.database import Database
from modules.jobs.store.deletion import Deletion
from modules.jobs.store.events import Events
from modules.jobs.store.images import Images
from modules.jobs.store.jobs import Jobs
from modules.jobs.store.order import read_order
from modules.jobs.store.queue import Queue
from modules.paths import DataFolder


class JobStore:
    """The database of a data folder, and the parts that ask and change it. Give others the parts that they need."""

    def __init__(
        self, database: Path, folder: DataFolder | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self.database = Database(database, clock)
        folder = folder or DataFolder(database.parent)
        self.jobs = Jobs(self.database)
        self.events = Events(self.database)
        self.queue = Queue(self.database)
        self.control = Control(self.database)
        self.claims = Claims(self.database)
        self.images = Images(self.database, folder)
        self.deletion = Deletion(self.database, folder)
        self.audit = Audit(self.database)

    @contextlib.contextmanager
    def moment(self) -> Iterator[Moment]:
        """Look at the database as it is now, with as many questions as you like. Do no file work inside."""
        with self.database.read() as connection:
            yield Moment(connection)

    def close(self) -> None:
        """Close the database. The store cannot be used after."""
        self.database.close()


class Moment:
    """What several questions find at one and the same moment: between two transactions a job may have been claimed.

    For one thread, while the read transaction lasts.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.jobs = Jobs(self, functools.cache(read_order))
        self.events = Events(self)

    @contextlib.contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Lend the connection, as a database does, in the transaction that it is in."""
        yield self._connection
