"""What SQLite refuses, in words with a remedy."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

_CORRUPT_CODES = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_BYTES_TO_START = 64 << 10


def is_corrupt(error: sqlite3.DatabaseError) -> bool:
    """Tell whether the file itself is damaged."""
    return primary_code(error) in _CORRUPT_CODES


def primary_code(error: sqlite3.DatabaseError) -> int:
    """Return the low byte of the error's code; extended codes say more than is needed here."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def in_words(path: Path, error: sqlite3.DatabaseError) -> str:
    """Say what was refused at `path`, and what helps."""
    remedies = {
        sqlite3.SQLITE_FULL: f"No space left to write {path}: free some disk space, or choose another --data-dir.",
        sqlite3.SQLITE_READONLY: f"Not allowed to write {path}: give your user write access to it and its folder.",
        sqlite3.SQLITE_CANTOPEN: f"{path} cannot be opened: give your user write access to its folder.",
        sqlite3.SQLITE_BUSY: f"{path} is locked by another program: end that one.",
        sqlite3.SQLITE_CORRUPT: f"{path} is damaged: restart the program, which sets it aside and goes on.",
        sqlite3.SQLITE_NOTADB: f"{path} is damaged: restart the program, which sets it aside and goes on.",
    }
    code = primary_code(error)
    if code == sqlite3.SQLITE_IOERR and _is_full(path):
        code = sqlite3.SQLITE_FULL  # a start makes the files beside the database larger, and SQLite calls that I/O
    return remedies.get(code, f"{path} cannot be used ({error}): check the disk.")


def not_lasting(path: Path, error: OSError) -> str:
    """Say that the disk did not confirm what was written."""
    return (
        f"The disk did not confirm what was written to {path} ({error.strerror or error}): "
        "all goes on, but what was done last may be missing if the power goes. Free some space, or check the disk."
    )


def _is_full(path: Path) -> bool:
    """Tell whether the disk has no room for what a start needs."""
    try:
        return shutil.disk_usage(path.parent).free < _BYTES_TO_START
    except OSError:
        return False
