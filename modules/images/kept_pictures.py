"""Pictures that somebody keeps by hand: copies in a folder of their own, and a line for each in its `log.csv`.

Facts: A1111 v1.10.1, `ui_common.save_files`.
"""

from __future__ import annotations

import csv
import io
import itertools
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from modules.errors import StorageError
from modules.paths import locked, write_atomically

LOG = "log.csv"
COLUMNS = (
    "prompt", "seed", "width", "height", "sampler", "cfgs", "steps", "filename", "negative_prompt", "sd_model_name",
    "sd_model_hash",
)  # fmt: skip
_FILENAME = "filename"
# What a table that opens the file would take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_LONGEST_HEADER = 1 << 14


class Kept(NamedTuple):
    """The name of a copy in its folder, and whether it was made now: the same picture is there once."""

    name: str
    new: bool


def keep(data: bytes, folder: Path, name: str, told: Mapping[str, object] | None) -> Kept:
    """Put a picture's file into a folder, under its name or the next that is free, and tell of it in `log.csv` there.

    `told` are the values of that line, by its columns; None: there is none.

    Raises:
        StorageError: it cannot be written.
    """
    with locked(folder / f".{LOG}"):  # out of sight among the pictures
        path = _place(data, folder, Path(name))
        if path.exists():
            return Kept(path.name, new=False)
        write_atomically(path, data, as_open_as_folder=True)
        if told is not None:
            _add_line(folder / LOG, {**told, _FILENAME: path.name})
        return Kept(path.name, new=True)


def _place(data: bytes, folder: Path, name: Path) -> Path:
    """Return where a picture is in the folder, or may be put."""
    names = itertools.chain([name.name], (f"{name.stem}-{number}{name.suffix}" for number in itertools.count(1)))
    return next(path for path in map(folder.joinpath, names) if not path.exists() or _holds(path, data))


def _holds(path: Path, data: bytes) -> bool:
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except OSError:
        return False


def _add_line(path: Path, told: Mapping[str, object]) -> None:
    """Add a line under the columns that the file has; to a new one its first line too."""
    try:
        with path.open("a+b") as file:
            columns, ended = _columns_of(file)
            text = io.StringIO(newline="")
            writer = csv.DictWriter(text, columns or COLUMNS, restval="", extrasaction="ignore")
            if not columns:
                writer.writeheader()
            writer.writerow({name: _plain(value) for name, value in told.items()})
            file.write((b"" if ended else b"\r\n") + text.getvalue().encode(errors="replace"))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StorageError.from_os_error(path, error) from error


def _columns_of(file: io.BufferedRandom) -> tuple[Sequence[str], bool]:
    """Return the names in a log's first line, none of an empty one, and whether its last line has an end."""
    size = file.seek(0, os.SEEK_END)
    if size == 0:
        return (), True
    file.seek(0)
    first = file.readline(_LONGEST_HEADER).decode("utf-8-sig", errors="replace")
    file.seek(size - 1)
    return next(csv.reader([first]), []) or COLUMNS, file.read(1) == b"\n"


def _plain(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    return text.removeprefix("-").replace(".", "", 1).isdecimal()
