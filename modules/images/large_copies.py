"""A JPEG beside a picture that is large: for places that take no large files. A1111's `export_for_4chan`."""

from __future__ import annotations

import io

from PIL import Image

from modules.images.picture_files import FILE_FORMATS, PictureFile, encode_drawn
from modules.jobs.kinds.files import LargeCopy


def copy_of(file: PictureFile, infotext: str, wanted: LargeCopy | None) -> bytes | None:
    """Return the JPEG that lies beside a picture's file; None: there is none, or the picture is one itself.

    Without the infotext where a JPEG cannot hold that.
    """
    if wanted is None or file.suffix == ".jpg":
        return None
    with Image.open(io.BytesIO(file.data), formats=FILE_FORMATS) as picture:
        if len(file.data) <= wanted.over_bytes and max(picture.size) <= wanted.side:
            return None
        small = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    small.thumbnail((wanted.side, wanted.side), Image.Resampling.LANCZOS, reducing_gap=None)
    made = encode_drawn(small, infotext, {}, None, wanted.form)
    if made.suffix != ".jpg":
        made = encode_drawn(small, "", {}, None, wanted.form.model_copy(update={"texts": False}))
    return made.data
