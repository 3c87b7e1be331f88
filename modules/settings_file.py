"""The file that holds the settings: what is in it, and whether it is still the same."""

from __future__ import annotations

import json
from pathlib import Path

from modules.errors import StorageError

_MOST_LEVELS = 20  # Settings are plain values; a later version may know lists.


def read_settings(path: Path) -> dict[str, object]:
    """Return what the file says; nothing where there is none.

    Raises:
        ValueError: it is corrupt.
        StorageError: it cannot be read.
    """
    try:
        text = path.read_bytes().decode()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise StorageError.from_os_error(path, error) from error
    try:
        stored = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(stored, dict) or _levels(stored) > _MOST_LEVELS:
        raise ValueError("not a JSON object, or nested too deeply")
    return stored


def stamp_of(path: Path) -> tuple[int, int, int] | None:
    """Tell one version of the file from another. Every write is a new inode, also within one tick of the clock."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size


def _levels(value: object) -> int:
    """Count how deep lists and objects stand in each other, without recursion."""
    levels, within = 0, [value]
    while within := [one for one in within if isinstance(one, dict | list)]:
        levels += 1
        within = [inner for one in within for inner in (one.values() if isinstance(one, dict) else one)]
    return levels
