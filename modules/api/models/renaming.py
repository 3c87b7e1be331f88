"""Rename a model with all that belongs to it: all of its files, or none."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from pathlib import Path

from modules.api.answers import Refused
from modules.api.models.entries import Entry
from modules.api.models.sidecars import sidecars_of
from modules.errors import InvalidRequest, StorageError

_LONGEST_NAME = 150
# Impossible on Windows, or not what people mean: separators, control characters, a dot at an end.
_UNFIT = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def check_name(name: object, entry: Entry) -> str:
    """Return the new name of a file or folder, without suffix.

    Raises:
        InvalidRequest: no file can be called so everywhere.
    """
    if not isinstance(name, str):
        raise InvalidRequest("There is no new name: send name.", "name")
    wanted = name.strip()
    suffix = "" if entry.path.is_dir() else entry.path.suffix
    if suffix and wanted.lower().endswith(suffix.lower()):
        wanted = wanted[: -len(suffix)].strip()
    if not wanted or len(wanted.encode(errors="replace")) > _LONGEST_NAME:
        raise InvalidRequest(f"The name is {len(wanted)} characters long: use 1 to {_LONGEST_NAME}.", "name")
    unfit = _UNFIT.search(wanted)
    if unfit:
        raise InvalidRequest(f"{wanted!r} has a {unfit.group()!r} in it, which no file may have: leave it out.", "name")
    if wanted.startswith(".") or wanted.endswith((".", ".vae")) or _RESERVED.fullmatch(wanted):
        raise InvalidRequest(f"{wanted!r} is a name with a meaning of its own: choose another one.", "name")
    try:
        wanted.encode()
    except UnicodeEncodeError as error:
        raise InvalidRequest(f"{wanted!r} is no text: choose another name.", "name") from error
    return wanted


def rename(entry: Entry, new: str) -> Path:
    """Rename the model's file or folder and its side-cars; return the new path. When one fails, all keep their names.

    Raises:
        Refused: 409, something has the name.
        StorageError: the system does not let it.
    """
    stem, path = entry.stem, entry.path
    target = path.with_name(new if path.is_dir() else new + path.suffix)
    if target == path:
        return path
    pairs = [(path, target)]
    pairs += [(one, one.with_name(new + one.name[len(stem) :])) for one in sidecars_of(path, stem)]
    for before, after in pairs:
        if _exists(after) and not _same(before, after):
            raise Refused(409, f"{after.name} is there already: choose another name.")
    move_all(pairs)
    return target


def move_all(pairs: Sequence[tuple[Path, Path]]) -> None:
    """Give files new places, all or none.

    Raises:
        StorageError: the system does not let it; all are where they were.
    """
    done: list[tuple[Path, Path]] = []
    for before, after in pairs:
        try:
            before.rename(after)
        except OSError as error:
            for earlier, later in reversed(done):
                with contextlib.suppress(OSError):
                    later.rename(earlier)
            raise StorageError.from_os_error(before, error) from error
        done.append((before, after))


def _exists(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def _same(one: Path, other: Path) -> bool:
    """Tell whether both are the same file: on a disk that knows no case "Dream" is "dream"."""
    try:
        return one.samefile(other)
    except OSError:
        return False
