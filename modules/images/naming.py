"""Where a picture is kept and what it is called, as A1111's users know it.

Such as `outputs/txt2img-images/2026-11-24/00000-1234.png`.
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path, PurePosixPath

from modules.errors import StorageError

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


def file_name(number: int, seed: int) -> str:
    """Return the name of picture `number` of its folder; -1 stands for no seed."""
    return f"{number:05d}.png" if seed == -1 else f"{number:05d}-{seed}.png"


def highest_number(folder: Path) -> int:
    """Return the highest number that a picture in `folder` has, -1 when there is none.

    Raises:
        StorageError: the folder cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            matches = [_NUMBER.match(entry.name) for entry in entries]
    except FileNotFoundError:
        return -1
    except OSError as error:
        raise StorageError.from_os_error(folder, error) from error
    return max((int(match[1]) for match in matches if match), default=-1)
