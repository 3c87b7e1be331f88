"""One data folder has one owner: locks on descriptors that the children inherit.

So they last until the last of them has ended, also when the launcher was killed. The folder itself is locked beside
`launcher.lock` in it: that file may be deleted by hand, and another one is no obstacle.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path

from modules.errors import StorageError
from modules.launcher.exit_codes import ExitCode
from modules.launcher.failure import LaunchError
from modules.launcher.privacy import make_private
from modules.launcher.processes import describe, holders_of_file, is_alive

logger = logging.getLogger(__name__)

SECONDS_TO_WAIT = 10.0
_BYTES_TO_START = 256 << 10
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
        except OSError as error:
            # Some network disks lock no folders; then the file in it has to do.
            return error.errno in (errno.EBADF, errno.EINVAL, errno.ENOTSUP) and stat.S_ISDIR(
                os.fstat(descriptor).st_mode
            )
        return True


def own_data_folder(
    folder: Path, seconds_to_wait: float = SECONDS_TO_WAIT, clock: Callable[[], float] = time.monotonic
) -> tuple[int, ...]:
    """Make `folder` if need be, for this user alone, and become its owner. Return the descriptors that keep the locks.

    Raises:
        LaunchError: it cannot be written, or another instance still has it after 10 s.
    """
    path = folder / "launcher.lock"
    descriptors: list[int] = []
    try:
        make_private(folder)
        descriptors += [os.open(path, os.O_RDWR | os.O_CREAT, 0o600), *_open_folder(folder)]
    except OSError as error:
        raise LaunchError(str(StorageError.from_os_error(folder, error)), ExitCode.DATA_FOLDER) from error
    try:
        _lock(descriptors, folder, seconds_to_wait, clock)
        _write_own_id(descriptors[0], folder)
        _check_room(folder)
    except LaunchError:
        for descriptor in descriptors:
            os.close(descriptor)
        raise
    return tuple(descriptors)


def _open_folder(folder: Path) -> list[int]:
    """Open the folder to lock it, where the system can: Windows lets nobody delete a file that is open."""
    return [] if sys.platform == "win32" else [os.open(folder, os.O_RDONLY)]


def _lock(descriptors: list[int], folder: Path, seconds_to_wait: float, clock: Callable[[], float]) -> None:
    give_up_at = clock() + seconds_to_wait
    told = False
    while not all(try_lock(descriptor) for descriptor in descriptors):
        if not told:
            logger.info("%s has the data folder %s: waiting up to %.0f s", _owner(folder), folder, seconds_to_wait)
            told = True
        if clock() >= give_up_at:
            raise LaunchError(
                f"{_owner(folder)} uses the data folder {folder}: end it, or choose another folder with --data-dir.",
                ExitCode.IN_USE,
            )
        time.sleep(_SECONDS_BETWEEN_TRIES)


def _check_room(folder: Path) -> None:
    """Try whether the disk takes what the start of a server writes: it would die five times and say less why."""
    probe = folder / ".room.tmp"
    try:
        probe.write_bytes(b"\0" * _BYTES_TO_START)
    except OSError as error:
        raise LaunchError(str(StorageError.from_os_error(folder, error)), ExitCode.DATA_FOLDER) from error
    finally:
        with contextlib.suppress(OSError):
            probe.unlink(missing_ok=True)


def _write_own_id(descriptor: int, folder: Path) -> None:
    try:
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, f"{os.getpid()}\n".encode())
    except OSError as error:
        raise LaunchError(str(StorageError.from_os_error(folder, error)), ExitCode.DATA_FOLDER) from error


def _owner(folder: Path) -> str:
    """Name who has the lock: the launcher that wrote its id, or a child that outlived it for a moment."""
    path = folder / "launcher.lock"
    try:
        pid = int(path.read_text())
    except (OSError, ValueError):
        pid = 0
    if pid and pid != os.getpid() and is_alive(pid):
        return f"Another instance, {describe(pid)},"
    children = holders_of_file(path) or holders_of_file(folder)
    if children:
        return f"A child of an earlier instance, {describe(children[0])},"
    return "Another instance"
