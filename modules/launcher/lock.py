"""One data folder has one owner: a lock on a descriptor that the children inherit.

So it lasts until the last of them has ended, also when the launcher was killed.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from modules.errors import StorageError
from modules.launcher.exit_codes import ExitCode
from modules.launcher.failure import LaunchError
from modules.launcher.processes import describe, holders_of_file, is_alive

logger = logging.getLogger(__name__)

SECONDS_TO_WAIT = 10.0
_SECONDS_BETWEEN_TRIES = 0.1

if sys.platform == "win32":
    import msvcrt

    def try_lock(descriptor: int) -> bool:
        """Lock an open file without waiting; tell whether it is ours now."""
        try:
            os.lseek(descriptor, 1 << 30, os.SEEK_SET)  # far behind the text, which others may read
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def try_lock(descriptor: int) -> bool:
        """Lock an open file without waiting; tell whether it is ours now."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def own_data_folder(
    folder: Path, seconds_to_wait: float = SECONDS_TO_WAIT, clock: Callable[[], float] = time.monotonic
) -> int:
    """Make `folder` if need be and become its owner. Return the descriptor that keeps the lock.

    Raises:
        LaunchError: it cannot be written, or another instance still has it after 10 s.
    """
    path = folder / "launcher.lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        list(folder.iterdir())
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise LaunchError(str(StorageError.from_os_error(folder, error)), ExitCode.DATA_FOLDER) from error
    give_up_at = clock() + seconds_to_wait
    told = False
    while not try_lock(descriptor):
        if not told:
            logger.info("%s has the data folder %s: waiting up to %.0f s", _owner(path), folder, seconds_to_wait)
            told = True
        if clock() >= give_up_at:
            os.close(descriptor)
            raise LaunchError(
                f"{_owner(path)} uses the data folder {folder}: end it, or choose another folder with --data-dir.",
                ExitCode.IN_USE,
            )
        time.sleep(_SECONDS_BETWEEN_TRIES)
    _write_own_id(descriptor, folder)
    return descriptor


def _write_own_id(descriptor: int, folder: Path) -> None:
    try:
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, f"{os.getpid()}\n".encode())
    except OSError as error:
        os.close(descriptor)
        raise LaunchError(str(StorageError.from_os_error(folder, error)), ExitCode.DATA_FOLDER) from error


def _owner(path: Path) -> str:
    """Name who has the lock: the launcher that wrote its id, or a child that outlived it for a moment."""
    try:
        pid = int(path.read_text())
    except (OSError, ValueError):
        pid = 0
    if pid and pid != os.getpid() and is_alive(pid):
        return f"Another instance, {describe(pid)},"
    children = holders_of_file(path)
    if children:
        return f"A child of an earlier instance, {describe(children[0])},"
    return "Another instance"
