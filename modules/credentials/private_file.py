"""Files that nobody else on the machine may read."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from modules.errors import StorageError
from modules.paths import temporary_beside

FOLDER_MODE, FILE_MODE = 0o700, 0o600


def write_private(path: Path, data: bytes) -> None:
    """Write `data` for this user alone, so that `path` holds the old bytes or the new ones, never a part.

    Raises:
        StorageError: it cannot be written, and the old file, if any, is untouched.
    """
    temporary = temporary_beside(path, f".{os.getpid()}-{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        path.parent.chmod(FOLDER_MODE)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise StorageError.from_os_error(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def read_private(path: Path) -> bytes | None:
    """Return the file's bytes; None when there is none that can be read."""
    try:
        return path.read_bytes()
    except OSError:
        return None
