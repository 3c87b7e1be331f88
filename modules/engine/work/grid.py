"""The grid of a job whose pictures are all there: made of their files, so that it may be made again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from PIL import Image

from modules.engine.engine_parts import EngineParts
from modules.engine.stopping.interruptible_wait import wait_for
from modules.errors import StorageError
from modules.images.grids import MOST_PIXELS, grid_size, lay_out, wanted
from modules.images.naming import grid_name
from modules.images.picture_files import FILE_FORMATS, encode_drawn
from modules.images.save import save_image
from modules.jobs.kinds.base import ResolvedJob
from modules.jobs.rows import Image as Row
from modules.jobs.rows import Job


def save_grid(parts: EngineParts, job: Job, resolved: ResolvedJob) -> None:
    """Save the grid of a job that wants one. Where it cannot be saved the job's notes say why.

    Its name follows from the first picture's, which no other job's has: after a crash it is written once more.
    """
    grid, rows = resolved.saving.grid, parts.store.jobs.images(job.id)
    if grid is None or not resolved.saving.save_images or not wanted(len(rows), grid):
        return
    sizes = [(row.width, row.height) for row in rows]
    width, height = grid_size(sizes, grid, resolved.batch_size)
    if width * height > MOST_PIXELS:
        text = f"There is no grid: it would have {width:,} × {height:,} pixels, and {MOST_PIXELS:,} are the most."
        parts.store.claims.note(job.id, "grid", text)
        return
    infotext = rows[0].infotext
    try:
        opened = _opened(parts, rows)
        sheet = wait_for(lambda: lay_out(opened, sizes, grid, resolved.batch_size), parts.cancel.check_waiting)
        file = wait_for(lambda: encode_drawn(sheet, infotext, {}, None, grid.form), parts.cancel.check_waiting)
        name = grid_name(resolved.kind, resolved.saving.model_dump(), rows[0].name, file.suffix)
        save_image(file.data, parts.folder.root / PurePosixPath(name))
    except (StorageError, OSError) as error:
        parts.store.claims.note(job.id, "grid", f"The grid could not be saved: {error}")


def _opened(parts: EngineParts, rows: list[Row]) -> Iterator[Image.Image]:
    """Yield the pictures one by one: two hundred megapixels of them are not to be in memory twice."""
    for row in rows:
        with Image.open(parts.folder.root / PurePosixPath(row.name), formats=FILE_FORMATS) as picture:
            yield picture
