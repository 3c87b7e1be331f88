"""A finished picture becomes a file, and a row that says so: in this order, so that a crash loses none."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from PIL import Image

from modules.engine.engine_parts import EngineParts
from modules.engine.stopping.interruptible_wait import wait_for
from modules.images.large_copies import copy_of
from modules.images.naming import FileName
from modules.images.pattern_values import Occasion
from modules.images.picture_files import PictureFile
from modules.images.save import save_image
from modules.jobs.kinds.base import Resolved
from modules.jobs.kinds.choice import Choice
from modules.jobs.rows import Job


def save_picture(
    parts: EngineParts,
    job: Job,
    resolved: Resolved,
    index: int,
    size: tuple[int, int],
    file: PictureFile,
    named: FileName,
    infotext: str,
    partial: bool = False,
    index_in_job: int | None = None,
) -> None:
    """Reserve the picture's name, write its file and what lies beside it, complete its row, in this order.

    `index` is that in what is `resolved`; where this is not all of the job, the row has the picture's `index_in_job`.

    Raises:
        Interrupted: the job was stopped while a smaller copy was made, before anything was written.
    """
    saving, images = resolved.saving, parts.store.images
    wanted = saving.large_copy if saving.save_images else None
    copy = wait_for(lambda: copy_of(file, infotext, wanted), parts.cancel.check_waiting) if wanted else None
    place = index if index_in_job is None else index_in_job
    row = images.reserve(job.id, place, resolved.seed_of(index), *size, save=saving.save_images, named=named)
    path: Path = parts.folder.root / PurePosixPath(row.name)
    save_image(file.data, path)
    if saving.save_txt and saving.save_images and infotext:
        save_image(f"{infotext}\n".encode(errors="replace"), path.with_suffix(".txt"))
    if copy is not None:
        save_image(copy, path.with_suffix(".jpg"))
    images.complete(job.id, place, infotext, partial=partial)


def occasion_of(job: Job, resolved: Resolved, picture: Image.Image, clock: Callable[[], float] = time.time) -> Occasion:
    """Return what the names of files tell beside a picture's own values."""
    chosen = Choice.in_row(job.request)
    return Occasion(
        created_at=job.created_at,
        now=clock(),
        owner=job.owner,
        size=picture.size,
        image_hash=lambda: hashlib.sha256(picture.tobytes()).hexdigest(),
        prompt_words=resolved.saving.naming.prompt_words,
        styles=() if chosen is None else chosen.styles,
    )
