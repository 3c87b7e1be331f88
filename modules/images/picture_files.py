"""A picture as the bytes of a file: PNG, or JPEG, WebP and AVIF with the same texts in their EXIF."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from PIL import ExifTags, Image

from modules.images.png import STEADY_KEY, encode_extras_png, encode_plain_png, encode_png
from modules.jobs.kinds.files import FileForm, Form

# The longest side that a format holds, and the most bytes of EXIF: a JPEG has a segment for it.
_LONGEST_SIDE: Mapping[Form, int] = {"jpg": 65_500, "webp": 16_383, "avif": 65_535}
_MOST_EXIF: Mapping[Form, int] = {"jpg": 65_533 - 6}
_NAMES: Mapping[Form, str] = {"jpg": "JPEG", "webp": "WEBP", "avif": "AVIF"}
# Those that files of pictures have here.
FILE_FORMATS = ("PNG", "JPEG", "WEBP", "AVIF")
_COMMENT_HEAD = b"UNICODE\0"


class PictureFile(NamedTuple):
    """The bytes of a file, and the ending of its name: that of a PNG where the form asked for cannot hold it."""

    data: bytes
    suffix: str


def encode_drawn(
    image: Image.Image,
    infotext: str,
    resolved: Mapping[str, Any],
    partial: tuple[int, int] | None = None,
    form: FileForm | None = None,
) -> PictureFile:
    """Return the file of a picture that was drawn. The bytes follow from the arguments alone: no time, no id."""
    form = form or FileForm()
    whole = dict(resolved) if partial is None else dict(resolved) | {"partial": list(partial)}
    other = _encode(image, infotext, whole, form)
    if other is not None:
        return other
    data = encode_png(image, infotext, resolved, partial) if form.texts else encode_plain_png(image)
    return PictureFile(data, ".png")


def encode_mended(
    image: Image.Image, infotext: str, extras: str, whole_text: str, resolved: Mapping[str, Any], form: FileForm
) -> PictureFile:
    """Return the file of a picture that was worked on. `whole_text` is its infotext with what was done."""
    other = _encode(image, whole_text, resolved, form)
    if other is not None:
        return other
    data = encode_extras_png(image, infotext, extras, resolved) if form.texts else encode_plain_png(image)
    return PictureFile(data, ".png")


def _encode(image: Image.Image, text: str, own: Mapping[str, Any], form: FileForm) -> PictureFile | None:
    """Return the file in a form that is no PNG; None where that is asked for, or cannot hold the picture."""
    if form.form == "png" or max(image.size) > _LONGEST_SIDE[form.form]:
        return None
    exif = _exif(text, own) if form.texts else b""
    if len(exif) > _MOST_EXIF.get(form.form, len(exif)):
        return None
    options: dict[str, Any] = {"quality": form.quality}
    if form.form == "webp":
        options["lossless"] = form.lossless
    buffer = io.BytesIO()
    picture = _opaque(image) if form.form == "jpg" else image
    picture.save(buffer, _NAMES[form.form], exif=exif, **options)
    return PictureFile(buffer.getvalue(), f".{form.form}")


def _exif(text: str, own: Mapping[str, Any]) -> bytes:
    """Return the comment of A1111, and beside it our own JSON, which loses nothing."""
    exif = Image.Exif()
    inner = exif.get_ifd(ExifTags.IFD.Exif)
    inner[ExifTags.Base.UserComment] = _COMMENT_HEAD + text.encode("utf-16-be", errors="surrogatepass")
    said = json.dumps(dict(own), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    inner[ExifTags.Base.MakerNote] = f"{STEADY_KEY}:{said}".encode(errors="surrogatepass")
    return exif.tobytes()


def _opaque(image: Image.Image) -> Image.Image:
    """JPEG knows nothing transparent: it is white."""
    if image.mode != "RGBA":
        return image if image.mode == "RGB" else image.convert("RGB")
    ground = Image.new("RGB", image.size, "white")
    ground.paste(image, mask=image.getchannel("A"))
    return ground
