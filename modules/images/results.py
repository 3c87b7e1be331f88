"""Pictures that were not to be saved: kept for some hours under `results/`, a folder for each job."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Collection
from pathlib import Path

from modules.errors import StorageError


def remove_result(path: Path) -> None:
    """Remove one picture, and its folder with the last one. One that is gone already is no error.

    Raises:
        StorageError: the folder does not allow it.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError.from_os_error(path, error) from error
    with contextlib.suppress(OSError):  # not empty yet
        path.parent.rmdir()


def remove_orphans(results: Path, known_jobs: Collection[str], before: float) -> int:
    """Remove the folders of jobs that no database knows any more, and return how many there were.

    They are left when a corrupt database was set aside. Those changed after `before` (seconds since the epoch) stay.

    Raises:
        StorageError: a folder does not allow it.
    """
    removed = 0
    try:
        for folder in results.iterdir() if results.is_dir() else ():
            if folder.is_dir() and folder.name not in known_jobs and folder.stat().st_mtime < before:
                shutil.rmtree(folder)
                removed += 1
    except OSError as error:
        raise StorageError.from_os_error(results, error) from error
    return removed
