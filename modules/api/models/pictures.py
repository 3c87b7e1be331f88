"""The picture of a model, made small: whatever lies beside it, a browser only ever gets a WebP of ours."""

from __future__ import annotations

import functools
import io
from pathlib import Path

from PIL import Image as PilImage
from PIL.PngImagePlugin import PngInfo

from modules.api.answers import Refused
from modules.images.picture_info import infotext_of
from modules.jobs.models.untrusted_file import read_bounded

LONGEST_SIDE = 480
_LARGEST_FILE_BYTES = 40_000_000
_MOST_PIXELS = 60_000_000
_LONGEST_SIDE_BESIDE = 1024
OWN_PICTURE = ".preview.png"  # the ending of what is put beside a model
_FORMATS_OF_OUTPUTS = ("PNG", "JPEG", "WEBP", "AVIF")
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
_KEPT = 400  # of some 20 kB each


def small_picture(path: Path) -> bytes:
    """Return a picture file as a WebP of at most 480 pixels a side, its first frame.

    Raises:
        Refused: 404, it is gone or no picture that can be shown.
    """
    try:
        status = path.stat()
        return _made_small(path, status.st_mtime_ns, status.st_size)
    except (OSError, ValueError, SyntaxError, EOFError, PilImage.DecompressionBombError) as error:
        raise Refused(404, f"{path.name} cannot be shown: use a PNG, JPEG, WebP or GIF of less than 40 MB.") from error


def card_picture(path: Path) -> bytes:
    """Return a finished picture as the PNG that A1111 puts beside a model, with its infotext, of at most 1024 a side.

    Raises:
        Refused: 404, it is gone or cannot be read.
    """
    try:
        data = read_bounded(path, _LARGEST_FILE_BYTES)
        with PilImage.open(io.BytesIO(data), formats=_FORMATS_OF_OUTPUTS) as picture:
            if picture.width * picture.height > _MOST_PIXELS:
                raise ValueError("has too many pixels")
            if picture.format == "PNG" and max(picture.size) <= _LONGEST_SIDE_BESIDE:
                return data
            infotext = infotext_of(data)
            picture.thumbnail((_LONGEST_SIDE_BESIDE, _LONGEST_SIDE_BESIDE))
            text, buffer = PngInfo(), io.BytesIO()
            if infotext:
                text.add_text("parameters", infotext)
            picture.convert("RGB").save(buffer, "PNG", pnginfo=text)
            return buffer.getvalue()
    except (OSError, ValueError, SyntaxError, EOFError, PilImage.DecompressionBombError) as error:
        raise Refused(404, f"{path.name} cannot be read, so it is on no card: draw it again.") from error


@functools.lru_cache(maxsize=_KEPT)
def _made_small(path: Path, _modified_ns: int, _size_bytes: int) -> bytes:
    data = read_bounded(path, _LARGEST_FILE_BYTES)
    with PilImage.open(io.BytesIO(data), formats=_FORMATS) as picture:
        if picture.width * picture.height > _MOST_PIXELS:
            raise ValueError("has too many pixels")
        picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # a JPEG is decoded no larger than needed
        picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
        buffer = io.BytesIO()
        picture.convert("RGB").save(buffer, "WEBP", quality=80, method=2)
    return buffer.getvalue()
