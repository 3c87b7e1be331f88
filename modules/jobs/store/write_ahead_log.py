"""When SQLite's write-ahead log reaches the disk, and when what it holds the database: beside those who write.

SQLite does both within a COMMIT. All who want to write wait for that one, a stop button among them, and a busy disk
takes some tenths of a second. So a COMMIT only hands the log to the system, which keeps it when a process is killed,
and who must not lose it in a power cut waits for the disk afterwards, together with all others who do (group commit).
"""

from __future__ import annotations

import os
import sqlite3
import threading
from concurrent.futures import Future
from pathlib import Path

COMMITS_BETWEEN = 100  # the log is some hundred pages then
URGENT_COMMITS_BETWEEN = 10 * COMMITS_BETWEEN  # who presses a button does not wait for it, if there are others
MOST_PAGES = 8192  # 32 MB: readers look through it


class WriteAheadLog:
    """The log of one database. Any thread."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(f"{database.name}-wal")
        self._lock = threading.Lock()
        self._commits = 0
        self._disk = threading.Lock()
        self._next: Future[None] | None = None  # of the fsync that has not begun yet

    def reach_disk(self) -> None:
        """Return when all that was committed before the call is on the disk. Who comes while it works shares the next.

        Raises:
            OSError: the disk refuses; FileNotFoundError, the log is gone.
        """
        with self._lock:
            leads = self._next is None
            if self._next is None:
                self._next = Future()
            shared = self._next
        if leads:
            try:
                with self._disk:
                    self._begin(shared)
                    _sync(self._path)
            except BaseException as error:  # Ctrl-C too: nobody may wait for ever
                self._begin(shared)
                shared.set_exception(error)
            else:
                shared.set_result(None)
        shared.result()

    def _begin(self, shared: Future[None]) -> None:
        """Let nobody join any more: what they committed may be too late for it."""
        with self._lock:
            if self._next is shared:
                self._next = None

    def is_due(self, urgent: bool) -> bool:
        """Count a commit, and tell whether the one who made it is to shorten the log now."""
        with self._lock:
            self._commits += 1
            due = self._commits >= (URGENT_COMMITS_BETWEEN if urgent else COMMITS_BETWEEN)
            if due:
                self._commits = 0
            return due


def keep_commits_short(connection: sqlite3.Connection) -> None:
    """Let no COMMIT of a connection wait for the disk, nor put the log into the database."""
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA wal_autocheckpoint = 0")


def checkpoint(connection: sqlite3.Connection) -> int:
    """Put as much of the log into the database as nobody reads from; others may write meanwhile.

    Returns how many pages it is long. It begins anew with the next write if nothing was written meanwhile.
    """
    _, pages, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return int(pages)


def _sync(path: Path) -> None:
    """Have a file's bytes on the disk. SQLite has no locks on a log that closing it could let go of."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        getattr(os, "fdatasync", os.fsync)(descriptor)
    finally:
        os.close(descriptor)
