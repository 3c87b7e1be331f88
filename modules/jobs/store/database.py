"""The database file: opened, repaired by setting a corrupt one aside, and shared by threads and processes.

Every change is one `BEGIN IMMEDIATE` transaction, on disk when it returns unless its maker does without.
"""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from modules.errors import StorageError
from modules.jobs.rows import EventKind
from modules.jobs.store.file import COMPANIONS, DatabaseFile, DatabaseReplaced
from modules.jobs.store.schema import NewerSchemaError, migrate
from modules.jobs.store.trouble import in_words, is_corrupt, not_lasting, primary_code
from modules.jobs.store.write_ahead_log import MOST_PAGES, WriteAheadLog, checkpoint, keep_commits_short
from modules.jobs.store.write_lock import WriteLock
from modules.paths import locked, set_aside

logger = logging.getLogger(__name__)

_NOTICES_TOLD_SECONDS = 86_400.0
_SECONDS_BETWEEN_TRIES = 0.001
_BUSY_SECONDS = 15.0  # the longest that one process waits for the transaction of another
_MOST_PARAMETERS = 500  # of one statement; SQLite allows more
_WIPE_MILLISECONDS = 20  # nobody can write while the log is waited for


class Transaction:
    """A change that is under way. What it appends to the events becomes visible with it, or not at all."""

    def __init__(self, connection: sqlite3.Connection, clock: Callable[[], float]) -> None:
        self._connection = connection
        self._clock = clock
        self.last_event: int | None = None

    def execute(self, sql: str, parameters: Mapping[str, Any] | tuple[Any, ...] = ()) -> sqlite3.Cursor:
        """Run one statement."""
        return self._connection.execute(sql, parameters)

    def execute_many(self, sql: str, parameters: Iterable[tuple[Any, ...]]) -> None:
        """Run one statement with each of the parameters."""
        self._connection.executemany(sql, parameters)

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._clock()

    def append(self, kind: EventKind, job_id: str | None, payload: Mapping[str, Any]) -> None:
        """Append an event."""
        cursor = self.execute(
            "INSERT INTO events (at, kind, job_id, payload) VALUES (?, ?, ?, ?)",
            (self.now(), kind, job_id, json.dumps(payload, ensure_ascii=False)),
        )
        self.last_event = cursor.lastrowid


Reader = sqlite3.Connection | Transaction


class Source(Protocol):
    """Lends connections that each see one consistent state of the database."""

    def read(self) -> AbstractContextManager[sqlite3.Connection]:
        """Lend one, in a transaction."""


class Database:
    """Connections to one file. Safe to use from several threads: each transaction borrows a connection of its own.

    `announce` is called after each commit that appended events, with the highest number.
    """

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self.path = path
        self.notices: list[str] = []
        self.announce: Callable[[int], None] | None = None
        self.clock = clock
        self._announcing = threading.Lock()
        self._announced = 0
        self._write_lock = WriteLock()
        self._log = WriteAheadLog(path)
        self._lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        self._file = DatabaseFile(path)
        with self._told_in_words():
            self._idle.append(self._open())
            # PRAGMA data_version tells a connection of changes by all others: so this one does nothing else.
            self._watcher = self._connect()
        self._watcher_lock = threading.Lock()

    @contextlib.contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Borrow a connection that sees one consistent state of the database."""
        with self._told_in_words(), self._borrowed() as connection:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("ROLLBACK")

    @contextlib.contextmanager
    def write(self, urgent: bool = False, lasting: bool = True) -> Iterator[Transaction]:
        """Make a change that is whole and on disk, or did not happen; it is announced before. Do no file work inside.

        With `urgent` before those of this process that wait to write: for what people do to a job or the queue.
        Without `lasting` nobody waits for the disk: it outlives every process, and a power cut from the next such wait
        on.

        Raises:
            StorageError: the disk refuses; the message names the path and the remedy.
        """
        with self._told_in_words(), self._write_lock.held(urgent), self._borrowed() as connection:
            transaction = Transaction(connection, self.clock)
            changes = connection.total_changes
            _begin(connection)
            try:
                self._file.check()  # nothing is told as stored that would go with a deleted file
                yield transaction
                connection.execute("COMMIT")
            except BaseException:
                # SQLite has already rolled back by itself after some errors, such as a full disk.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            changes = connection.total_changes - changes
        if transaction.last_event is not None:
            self._announce(transaction.last_event)  # everyone reads it already
        if lasting and changes:
            self._make_last()
        if self._log.is_due(urgent):
            self._shorten_log()

    def data_version(self) -> int:
        """Return a number that differs from the last one when anyone changed the database in between.

        Raises:
            DatabaseReplaced: the file under its name is another one now.
        """
        try:
            self._file.check()
        except DatabaseReplaced:
            if self._file.log_is_lost:
                self._save_log()
            raise
        with self._told_in_words(), self._watcher_lock:
            return int(self._watcher.execute("PRAGMA data_version").fetchone()[0])

    def wipe(self) -> bool:
        """Empty the log, which still holds what was deleted; False when others are reading from it just now."""
        with self._told_in_words(), self._borrowed() as connection:
            checkpoint(connection)  # while others may write: what is left is short
            connection.execute(f"PRAGMA busy_timeout = {_WIPE_MILLISECONDS}")
            try:
                return not connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            finally:
                connection.execute(f"PRAGMA busy_timeout = {int(1000 * _BUSY_SECONDS)}")

    def _make_last(self) -> None:
        """Wait until what was committed is on the disk. If that refuses it stands all the same: others have seen it."""
        try:
            self._log.reach_disk()
        except FileNotFoundError:
            self._file.check()  # else who closed the database has put the log into it
        except OSError as error:
            self._tell(not_lasting(self.path, error))

    def _shorten_log(self) -> None:
        """Put the log into the file. What was written is safe without it, so a failure is the next one's to tell."""
        with contextlib.suppress(sqlite3.DatabaseError, StorageError), self._borrowed() as connection:
            if checkpoint(connection) >= MOST_PAGES:
                with self._write_lock.held():  # a moment, for what was written meanwhile
                    checkpoint(connection)

    def _save_log(self) -> None:
        """Put what is in a deleted log into the file: who has it open can still read it, and nobody after that."""
        with contextlib.suppress(sqlite3.DatabaseError), self._watcher_lock:
            self._watcher.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def close(self) -> None:
        """Close all connections; those in use are closed when they come back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        with self._file.closing(), self._watcher_lock:
            for connection in (*idle, self._watcher):
                connection.close()

    def __del__(self) -> None:
        # Connections close by themselves as well, and then the log is gone as if somebody had deleted it.
        if hasattr(self, "_watcher_lock"):
            self.close()

    def _announce(self, number: int) -> None:
        """Two threads may get here in the other order than they committed: what is announced never falls."""
        with self._announcing:
            self._announced = max(self._announced, number)
            if self.announce is not None:
                self.announce(self._announced)

    @contextlib.contextmanager
    def _borrowed(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            self._file.check()  # a new connection would make a file where one was deleted
            connection = self._connect()
        try:
            yield connection
        finally:
            with self._lock:
                keep = not self._closed and not connection.in_transaction
                if keep:
                    self._idle.append(connection)
            if not keep:
                with self._file.closing() if self._closed else contextlib.nullcontext():
                    connection.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        connection.row_factory = sqlite3.Row
        # A byte that is no UTF-8 is one strange character, not a list that nobody gets, with the text in the error.
        connection.text_factory = functools.partial(str, encoding="utf-8", errors="replace")
        keep_commits_short(connection)
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")  # a prompt that is deleted does not stay in a free page
        connection.create_function("contains_word", 2, _contains_word, deterministic=True)
        return connection

    def _open(self) -> sqlite3.Connection:
        """Open and migrate, under a lock: server and engine start together and must not both repair."""
        with locked(self.path):
            missing = self._file.missing()
            self._file.clear_the_way()
            try:
                connection = self._open_sound()
            except sqlite3.DatabaseError as error:
                if not is_corrupt(error):
                    raise
                aside = set_aside(self.path, companions=COMPANIONS)
                missing = (
                    f"{self.path.name} was corrupt and is now {aside.name}: "
                    "the queue starts empty, pictures are untouched."
                )
                connection = self._open_sound()
            self._file.opened()
            # Still under the lock: who opens next is to find it.
            self.notices += self._keep_notice(connection, missing)
        if missing is not None:
            logger.error("%s", missing)
        return connection

    def _keep_notice(self, connection: sqlite3.Connection, notice: str | None) -> list[str]:
        """Keep what people should be told in the database, whichever process found it out; return all of a day."""
        now = self.clock()
        try:
            if notice is not None:
                connection.execute("INSERT INTO notices (at, text) VALUES (?, ?)", (now, notice))
            since = now - _NOTICES_TOLD_SECONDS
            rows = connection.execute("SELECT text FROM notices WHERE at > ? ORDER BY number", (since,)).fetchall()
        except sqlite3.OperationalError:  # a full disk takes no notice
            return [] if notice is None else [notice]
        return list(dict.fromkeys(row["text"] for row in rows))

    def _open_sound(self) -> sqlite3.Connection:
        connection = self._connect()
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                damage = sqlite3.DatabaseError("quick_check found damage")
                damage.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
                raise damage
            migrate(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _tell(self, words: str) -> None:
        if words not in self.notices:
            self.notices.append(words)
            logger.error("%s", words)

    @contextlib.contextmanager
    def _told_in_words(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            words = in_words(self.path, error)
            if is_corrupt(error):
                self._tell(words)
            raise StorageError(words) from error
        except NewerSchemaError as error:
            raise StorageError(
                f"{self.path} was written by a newer version (schema {error}): "
                "update the program, or choose another --data-dir."
            ) from error


def _begin(connection: sqlite3.Connection) -> None:
    """Begin to write. Another process may hold the file; SQLite's own pauses grow, so that a busy one shuts us out."""
    give_up_at = time.monotonic() + _BUSY_SECONDS
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if primary_code(error) != sqlite3.SQLITE_BUSY or time.monotonic() >= give_up_at:
                    raise
                time.sleep(_SECONDS_BETWEEN_TRIES)
            else:
                return
    finally:
        connection.execute(f"PRAGMA busy_timeout = {int(1000 * _BUSY_SECONDS)}")


def batched(values: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield the values in parts that one statement takes as parameters."""
    for start in range(0, len(values), _MOST_PARAMETERS):
        yield tuple(values[start : start + _MOST_PARAMETERS])


def marks(values: Sized) -> str:
    """Return the parameters of an IN."""
    return f"({', '.join('?' * len(values))})"


def read_json(text: str) -> Any:
    """Return what a column holds; None where it is damaged, since one such row must not hide all others."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def _contains_word(text: object, word: str) -> bool:
    """Tell whether a text, as bytes, holds a word that is case-folded already; SQLite itself folds ASCII alone."""
    return isinstance(text, bytes) and word in text.decode("utf-8", "replace").casefold()
