"""What the program writes is for its user alone: prompts and pictures are nobody else's."""

from __future__ import annotations

import contextlib
import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path

logger = logging.getLogger(__name__)

_SHARED = stat.S_IRWXG | stat.S_IRWXO


def keep_new_files_private() -> int:
    """Let this process and its children make files and folders for this user alone; return the umask of before."""
    return os.umask(0o077)


@contextlib.contextmanager
def umask(mask: int) -> Iterator[None]:
    """Make files under another umask for a while: what is no secret and may be used by others."""
    private = os.umask(mask)
    try:
        yield
    finally:
        os.umask(private)


def make_private(folder: Path) -> None:
    """Make the data folder, or tighten one that is there: nobody else gets into it, nor at what lies right in it.

    What `outputs` is, is left alone, and pictures are as open as that: whoever wants to share them makes it a link to a
    folder elsewhere.

    Raises:
        OSError: the folder cannot be made or read.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    entries = sorted(folder.iterdir())
    with contextlib.suppress(FileExistsError):  # a link to a disk that is not there now
        (folder / "outputs").mkdir(mode=0o700, exist_ok=True)
    if entries and not any(entry.name in ("launcher.lock", "jobs.sqlite", "settings.json") for entry in entries):
        return  # a folder of somebody's other things that we are pointed to for the first time
    ours = (entry for entry in entries if entry.name != "outputs" and not entry.is_symlink())
    for path in (folder, *ours):
        _tighten(path)


def _tighten(path: Path) -> None:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & _SHARED:
            path.chmod(mode & ~_SHARED)
    except OSError as error:
        logger.warning("%s stays readable for other users of this machine: %s", path, error.strerror)
