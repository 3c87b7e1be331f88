"""Where a picture is kept and what it is called, as A1111's users know it.

Such as `outputs/txt2img-images/2026-11-24/00000-1234.png`.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from modules.errors import StorageError
from modules.images.patterns import path_parts
from modules.setting_field import OUTPUTS

# Where in the data folder the pictures are kept that img2img begins with.
INIT_IMAGES = PurePosixPath("outputs", "init-images")
_NUMBER = re.compile(r"(\d{5,})[-.]")


def saved_folder(kind: str, created_at: float) -> PurePosixPath:
    """Return the folder, within the data folder, for the saved pictures of a job made at `created_at` (local date)."""
    date = time.strftime("%Y-%m-%d", time.localtime(created_at))
    return PurePosixPath("outputs", f"{kind}-images", date)


def result_folder(job_id: str) -> PurePosixPath:
    """Return the folder, within the data folder, for the pictures of a job that are not to be saved."""
    return PurePosixPath("results", job_id)


@dataclass(frozen=True)
class FileName:
    """The name of a picture's file, but for its number: `folder` is within the data folder.

    A `numbered` one begins with a number of its folder; else one that is taken already has a number behind it.
    """

    folder: PurePosixPath
    stem: str
    suffix: str = ".png"
    numbered: bool = True

    @property
    def counted(self) -> str:
        """By what its numbers are counted: its folder, or where names have none in front the name itself."""
        return str(self.folder if self._begins_with_number else self.folder / self.stem)

    def highest_in(self, folder: Path) -> int:
        """Return the highest number that a file there has, -1 when there is none.

        Raises:
            StorageError: the folder cannot be read.
        """
        return highest_number(folder) if self._begins_with_number else highest_copy(folder, self.stem)

    def with_number(self, number: int) -> str:
        """Return the whole name, within the data folder."""
        if self._begins_with_number:
            name = f"{number:05d}-{self.stem}" if self.stem else f"{number:05d}"
        else:
            name = f"{self.stem}-{number}" if number else self.stem
        return str(self.folder / f"{name}{self.suffix}")

    @property
    def _begins_with_number(self) -> bool:
        return self.numbered or not self.stem


def base_folder(kind: str, chosen: str | None) -> PurePosixPath:
    """Return the folder, within the data folder, for the pictures of jobs of a kind; `chosen` None is the usual one."""
    return outputs_folder(chosen or f"{kind}-images")


def grid_name(kind: str, saving: Mapping[str, Any], first: str, suffix: str, sheet: int | None = None) -> str:
    """Return the name of the grid of a job whose first picture is called `first`: no other job's can be called so.

    `saving` is what the job has kept of how it is saved (`kinds.base.Saving`), as a row holds it. `sheet` is the number
    of a grid's part that is a file of its own.
    """
    name = PurePosixPath(first)
    base = base_folder(kind, (saving.get("naming") or {}).get("folder"))
    below = name.parent.relative_to(base) if name.is_relative_to(base) else PurePosixPath(name.parent.name)
    grid = saving.get("grid") or {}
    part = "" if sheet is None else f"-z{sheet + 1}"
    folder = outputs_folder(grid.get("folder") or f"{kind}-grids")
    return str(folder / below / f"grid-{name.stem}{part}{suffix}")


def grid_names(kind: str, saving: Mapping[str, Any], first: str, sheets: int = 0) -> tuple[str, ...]:
    """Return what the grid of a job may be called: in its own form, or as a PNG where that cannot hold it.

    With those of its parts, where there are so many `sheets`.
    """
    form = ((saving.get("grid") or {}).get("form") or {}).get("form", "png")
    parts = (None, *range(sheets))
    names = (grid_name(kind, saving, first, suffix, part) for part in parts for suffix in (f".{form}", ".png"))
    return tuple(dict.fromkeys(names))


def outputs_folder(name: str) -> PurePosixPath:
    """Return a folder within that of the saved pictures, as the one of the data folder, whatever it is called."""
    parts = path_parts(name)
    return PurePosixPath(OUTPUTS, *(parts[1:] if parts[:1] == (OUTPUTS,) else parts))


def usual_stem(seed: int) -> str:
    """Return what stands behind the number of a picture's name; -1 stands for no seed."""
    return "" if seed == -1 else str(seed)


def side_text_of(name: str) -> str:
    """Return the name of the text file beside a picture."""
    return str(PurePosixPath(name).with_suffix(".txt"))


def large_copy_of(name: str) -> str:
    """Return the name of the smaller copy beside a picture."""
    return str(PurePosixPath(name).with_suffix(".jpg"))


def highest_number(folder: Path) -> int:
    """Return the highest number that a picture in `folder` begins with, -1 when there is none.

    Raises:
        StorageError: the folder cannot be read.
    """
    matches = (_NUMBER.match(name) for name in _names_in(folder))
    return max((int(match[1]) for match in matches if match), default=-1)


def highest_copy(folder: Path, stem: str) -> int:
    """Return the highest number behind a name that a file in `folder` has, 0 for the name alone, -1 for none.

    Large and small letters are no different: many file systems know one of both.

    Raises:
        StorageError: the folder cannot be read.
    """
    copy = re.compile(re.escape(stem) + r"(?:-(\d{1,9}))?\.[a-z0-9]{1,5}", re.IGNORECASE)
    matches = (copy.fullmatch(name) for name in _names_in(folder))
    return max((int(match[1] or 0) for match in matches if match), default=-1)


def _names_in(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in entries]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StorageError.from_os_error(folder, error) from error
