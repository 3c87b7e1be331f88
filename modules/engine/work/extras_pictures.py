"""One picture of an extras job: read, its faces mended, enlarged, by one upscaler or two."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PIL import Image

from modules.engine.engine_parts import EngineParts
from modules.engine.stopping.interruptible_wait import wait_for
from modules.engine.upscaling.tiling import Tiling
from modules.errors import InputGone
from modules.images.picture_info import infotext_of
from modules.jobs.inputs.decoding import read_picture
from modules.jobs.kinds.base import Enlarging
from modules.jobs.kinds.extras_values import ResolvedExtras
from modules.jobs.kinds.folder_pictures import FolderPicture
from modules.jobs.models.vae_file import stamp_of_file

# So many rows are blended at a time: no third picture as large as the two is made.
_ROWS_BLENDED = 256
Progress = Callable[[float], None]
Seen = Callable[[Image.Image], None]


def open_picture(parts: EngineParts, resolved: ResolvedExtras, index: int) -> tuple[Image.Image, str]:
    """Return a picture, RGB or RGBA, and the infotext that its file has.

    Raises:
        InputGone, InvalidRequest: it is not there any more, is another one now, or cannot be read.
    """
    named = resolved.pictures[index]

    def read() -> tuple[Image.Image, str]:
        if not isinstance(named, FolderPicture):
            return parts.inputs.open(named), infotext_of(parts.inputs.read(named.name))
        path = Path(named.path)
        if stamp_of_file(path) != named.stamp:
            raise InputGone(f"{named.path} was changed or deleted since this job was sent: submit it again.")
        data = path.read_bytes()
        return read_picture(data, None), infotext_of(data)

    try:
        return wait_for(read, parts.cancel.check_waiting)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputGone(f"{named.name} cannot be read ({reason}): give your user read access to it.") from error


def enlarge(
    parts: EngineParts, resolved: ResolvedExtras, index: int, picture: Image.Image, progress: Progress, seen: Seen
) -> Image.Image:
    """Return a picture at the size that it is to have.

    Raises:
        Interrupted: the job was stopped.
        ModelError: an upscaler is gone, or was changed.
    """
    if not resolved.enlarging:
        return picture
    size, tiling, runs = resolved.enlarged_size_of(index), Tiling(resolved.tile, resolved.tile_overlap), []
    for number, one in enumerate(resolved.enlarging):
        share = 1 / len(resolved.enlarging)

        def on_tile(fraction: float, begun: float = number * share, share: float = share) -> None:
            progress(begun + fraction * share)

        runs.append(_by(parts, one, picture, size, on_tile, tiling, seen))
    made = runs.pop(0)
    if runs:
        blend(made, runs.pop(), resolved.second_visibility)
    width, height = resolved.size_of(index)
    left, top = (made.width - width) // 2, (made.height - height) // 2
    return made if made.size == (width, height) else made.crop((left, top, left + width, top + height))


def blend(first: Image.Image, second: Image.Image, visibility: float) -> None:
    """Let the second of two pictures of one size show through the first, by 0 to 1; it is changed in place."""
    for top in range(0, first.height, _ROWS_BLENDED):
        box = (0, top, first.width, min(top + _ROWS_BLENDED, first.height))
        first.paste(Image.blend(first.crop(box), second.crop(box), visibility), box)


def _by(
    parts: EngineParts,
    one: Enlarging,
    picture: Image.Image,
    size: tuple[int, int],
    progress: Progress,
    tiling: Tiling,
    seen: Seen,
) -> Image.Image:
    return parts.upscalers.enlarge(one.upscaler, one.model, picture, size, progress, tiling=tiling, seen=seen)
