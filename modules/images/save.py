"""Put a picture on disk so that it is there whole or not at all."""

from __future__ import annotations

from pathlib import Path

from modules.errors import StorageError
from modules.paths import temporary_beside, write_atomically


def save_image(data: bytes, path: Path) -> None:
    """Write the encoded picture to a temporary name, onto the disk, and rename it. An older file is replaced.

    For the engine alone: nobody else writes a picture whose name a job has reserved. Who may read the folder may read
    the picture: whoever makes `outputs/` a link to a folder for others means them to.

    Raises:
        StorageError: the disk is full or refuses; the message names the path and the remedy.
    """
    write_atomically(path, data, sole_writer=True, as_open_as_folder=True)


def remove_image(path: Path) -> None:
    """Remove a picture, and what a killed engine left of it. One that is gone already is no error.

    Raises:
        StorageError: the folder does not allow it.
    """
    remove_unfinished(path)
    try:
        path.unlink(missing_ok=True)
    except NotADirectoryError:
        pass
    except OSError as error:
        raise StorageError.from_os_error(path, error) from error


def remove_unfinished(path: Path) -> None:
    """Remove what a killed engine left of this picture when it died amid writing it; mostly there is nothing.

    Raises:
        StorageError: the folder does not allow it.
    """
    try:
        temporary_beside(path).unlink(missing_ok=True)
    except NotADirectoryError:
        pass
    except OSError as error:
        raise StorageError.from_os_error(path, error) from error
