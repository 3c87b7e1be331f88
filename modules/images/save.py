"""Put a picture on disk so that it is there whole or not at all."""

from __future__ import annotations

from pathlib import Path

from modules.paths import write_atomically


def save_image(data: bytes, path: Path) -> None:
    """Write the encoded picture to a temporary name, onto the disk, and rename it. An older file is replaced.

    For the engine alone: nobody else writes a picture whose name a job has reserved.

    Raises:
        StorageError: the disk is full or refuses; the message names the path and the remedy.
    """
    write_atomically(path, data, sole_writer=True)
