"""The sheets of a grid whose cells were all tried: made of its pictures' files, so that they may be made again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from modules.engine.engine_parts import EngineParts
from modules.engine.stopping.interruptible_wait import wait_for
from modules.errors import StorageError
from modules.images.grids import wanted
from modules.images.infotext import write_sheet
from modules.images.naming import grid_name, grid_names
from modules.images.picture_files import encode_drawn
from modules.images.save import remove_image, save_image
from modules.images.sheets import cells_of, compose, opened_in
from modules.jobs.kinds.files import Grid
from modules.jobs.kinds.grid.resolved import ResolvedGrid
from modules.jobs.rows import Image as Row
from modules.jobs.rows import Job


def save_sheets(parts: EngineParts, job: Job, grid: ResolvedGrid) -> None:
    """Save the sheet of a grid where grids are to be saved, and that of each value of z if it has these.

    Where that cannot be the job's notes say why. Their names follow from the first picture's, which no other job's has:
    after a crash they are written once more.
    """
    wish, rows, layout = grid.saving.grid, parts.store.jobs.images(job.id), grid.layout
    if wish is None or not grid.saving.save_images or not layout.has_sheet or not wanted(len(rows), wish):
        return
    alone = range(len(layout.z.values)) if layout.sub_grids and len(layout.z.values) > 1 else ()
    try:
        _remove_those_of_before(parts, grid, rows[1:], len(alone))
        for z in (None, *alone):
            _save(parts, grid, wish, rows, z)
    except (StorageError, OSError) as error:
        parts.store.claims.note(job.id, "grid", f"The grid could not be saved: {error}")


def _save(parts: EngineParts, grid: ResolvedGrid, wish: Grid, rows: Sequence[Row], z: int | None) -> None:
    check, font = parts.cancel.check_waiting, parts.options.values.font
    opened = opened_in(parts.folder.root, {row.index: row.name for row in rows})
    sheet = wait_for(lambda: compose(grid.layout, cells_of(grid), opened, z, font_file=font), check)
    file = wait_for(lambda: encode_drawn(sheet, write_sheet(grid, z), {}, None, wish.form), check)
    name = grid_name(grid.first.kind, grid.saving.model_dump(), rows[0].name, file.suffix, z)
    save_image(file.data, parts.folder.root / PurePosixPath(name))


def _remove_those_of_before(parts: EngineParts, grid: ResolvedGrid, rows: Sequence[Row], sheets: int) -> None:
    """Remove the sheets of a time when another picture was the first, since those before it were drawn later.

    Where the whole one of a picture is not there, its parts are not either: that one goes last, and comes first.
    """
    kind, saving, root = grid.first.kind, grid.saving.model_dump(), parts.folder.root
    for row in rows:
        if any((root / PurePosixPath(name)).exists() for name in grid_names(kind, saving, row.name)):
            for name in reversed(grid_names(kind, saving, row.name, sheets)):
                remove_image(root / PurePosixPath(name))
