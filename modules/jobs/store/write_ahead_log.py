"""When what SQLite's write-ahead log holds goes into the database itself: beside those who write, not before them.

SQLite does it in the COMMIT that makes the log long. All who want to write wait for that one, a stop button among them,
and it can take some tenths of a second, since the whole database must reach the disk.
"""

from __future__ import annotations

import sqlite3
import threading

COMMITS_BETWEEN = 100  # the log is some hundred pages then
URGENT_COMMITS_BETWEEN = 10 * COMMITS_BETWEEN  # who presses a button does not wait for it, if there are others
MOST_PAGES = 8192  # 32 MB: readers look through it


class WriteAheadLog:
    """Counts what is written into the log. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._commits = 0

    def is_due(self, urgent: bool) -> bool:
        """Count a commit, and tell whether the one who made it is to shorten the log now."""
        with self._lock:
            self._commits += 1
            due = self._commits >= (URGENT_COMMITS_BETWEEN if urgent else COMMITS_BETWEEN)
            if due:
                self._commits = 0
            return due


def turn_off_checkpoints(connection: sqlite3.Connection) -> None:
    """Let no COMMIT of a connection put the log into the database."""
    connection.execute("PRAGMA wal_autocheckpoint = 0")


def checkpoint(connection: sqlite3.Connection) -> int:
    """Put as much of the log into the database as nobody reads from; others may write meanwhile.

    Returns how many pages it is long. It begins anew with the next write if nothing was written meanwhile.
    """
    _, pages, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return int(pages)
