"""The pictures of a folder of this machine, which a job works on where they lie."""

from __future__ import annotations

from pathlib import Path

from PIL import ExifTags, Image

from modules.errors import InvalidRequest
from modules.jobs.kinds.frozen import Frozen
from modules.jobs.models.shelf import readable
from modules.jobs.models.untrusted_file import is_regular
from modules.jobs.models.vae_file import stamp_of_file

MOST_PICTURES = 1000
_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".avif", ".tif", ".tiff")
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "AVIF", "TIFF")
_LYING = (5, 6, 7, 8)  # of EXIF's orientations


class FolderPicture(Frozen):
    """A picture by its path, with the size that it has upright; `stamp` tells one state of its file from another."""

    path: str
    width: int
    height: int
    stamp: str = ""

    @property
    def name(self) -> str:
        """The name of its file."""
        return Path(self.path).name


def list_pictures(folder: str, field: str) -> tuple[FolderPicture, ...]:
    """Return the pictures that lie in a folder itself, by name. What cannot be read as one is passed over.

    Raises:
        InvalidRequest: there is no such folder, no picture in it, or too many.
    """
    path = Path(folder).expanduser()
    if not path.is_absolute():
        raise InvalidRequest(f"Folder {folder!r} is no whole path: send one, such as /home/me/pictures.", field)
    try:
        files = sorted(one for one in path.iterdir() if one.suffix.lower() in _SUFFIXES)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InvalidRequest(f"Folder {folder} cannot be read ({reason}): name one that is there.", field) from error
    if len(files) > MOST_PICTURES:
        raise InvalidRequest(
            f"Folder {folder} has {len(files):,} pictures: use one with at most {MOST_PICTURES:,}.", field
        )
    found = tuple(one for file in files if readable(str(file)) == str(file) and (one := _look_at(file)) is not None)
    if not found:
        raise InvalidRequest(f"Folder {folder} has no picture: put some into it, or name another.", field)
    return found


def _look_at(file: Path) -> FolderPicture | None:
    """Return a picture by its header, None where there is none."""
    stamp = stamp_of_file(file)
    if not is_regular(file):
        return None
    try:
        with Image.open(file, formats=_FORMATS) as image:
            width, height = image.size
            if image.getexif().get(ExifTags.Base.Orientation) in _LYING:
                width, height = height, width
    except Exception:  # Whatever a decoder raises at bytes that make no sense.
        return None
    return FolderPicture(path=str(file), width=width, height=height, stamp=stamp)
