"""Read files that somebody else put there: only regular ones, no more than makes sense, no JSON without a floor."""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO

# The longest configuration of a model that people have is 200 KB, an index of split weights 150 KB.
LARGEST_JSON_BYTES = 2_000_000


def is_regular(path: Path) -> bool:
    """Tell whether there is a file that can be read to its end: no folder, pipe, device or socket."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file; a pipe or a device is neither waited for nor touched.

    Raises:
        OSError: it is not there, may not be read, or is of another kind.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    # It may be replaced between the two looks: then the open does not wait, and the second look refuses it.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    return os.fdopen(descriptor, "rb")


def read_bounded(path: Path, most: int) -> bytes:
    """Return all bytes of a regular file that has no more than `most`.

    Raises:
        OSError: as `open_regular`.
        ValueError: it is larger; the message goes on after the file's name.
    """
    with open_regular(path) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise ValueError(f"is larger than {most:,} bytes")
    return data


def parse_object(data: bytes) -> dict[str, Any]:
    """Return the JSON object that `data` holds.

    Raises:
        ValueError: it holds none; the message goes on after the file's name.
    """
    try:
        value = json.loads(data)
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    except ValueError:
        raise ValueError("is not valid JSON") from None
    if not isinstance(value, dict):
        raise ValueError("holds no JSON object")
    return value


def read_object(path: Path) -> dict[str, Any]:
    """Return the JSON object in a small file.

    Raises:
        OSError: as `open_regular`.
        ValueError: it holds none, or too much; the message goes on after the file's name.
    """
    return parse_object(read_bounded(path, LARGEST_JSON_BYTES))
