"""What the groups of the job store's methods share."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from modules.jobs.rows import QueueLimits
from modules.jobs.store.database import Database
from modules.jobs.store.moment import Moment
from modules.paths import DataFolder


class StoreBase:
    """The database of a data folder.

    A corrupt one is set aside with its `-wal` and `-shm`; `notices` tells the user. `announce`, when set, is called
    after every commit that appended events, with the highest number. `limits` says how many jobs may wait.
    """

    def __init__(
        self, database: Path, folder: DataFolder | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self.limits: Callable[[], QueueLimits] = QueueLimits
        self._folder = folder or DataFolder(database.parent)
        self._clock = clock
        self._database = Database(database, clock)

    @property
    def notices(self) -> list[str]:
        """What the user should be told about the database."""
        return self._database.notices

    @property
    def announce(self) -> Callable[[int], None] | None:
        """Called after each commit with the highest event number, on the thread that committed."""
        return self._database.announce

    @announce.setter
    def announce(self, announce: Callable[[int], None] | None) -> None:
        self._database.announce = announce

    @contextlib.contextmanager
    def moment(self) -> Iterator[Moment]:
        """Look at the database as it is now, with as many questions as you like. Do no file work inside."""
        with self._database.read() as connection:
            yield Moment(connection)

    def close(self) -> None:
        """Close the database. The store cannot be used after."""
        self._database.close()

    def data_version(self) -> int:
        """Return a number that differs from the last one when any thread or process changed the database since."""
        return self._database.data_version()
