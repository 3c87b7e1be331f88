"""PNG files with A1111's `parameters` and, loss-free, the resolved picture as JSON under `steady`."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PIL import ExifTags, Image, PngImagePlugin

from modules.errors import InvalidRequest
from modules.images import infotext as infotext_format

PARAMETERS_KEY = "parameters"
STEADY_KEY = "steady"
# What a client may send. Pillow would try every format that it knows by itself, and hand PostScript to Ghostscript.
CLIENT_FORMATS = ("PNG", "JPEG", "WEBP")
_UNICODE_COMMENT = b"UNICODE\0"
# Level 4 is twice as fast as Pillow's own 6 and a few per cent larger.
_COMPRESSION_LEVEL = 4
# What Pillow reports beside text chunks; A1111 leaves these out as well.
_NOT_ITEMS = frozenset(
    {
        "jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi", "exif", "loop", "background", "timestamp",
        "duration", "progressive", "progression", "icc_profile", "chromaticity", "photoshop", "gamma", "srgb",
        "transparency", "interlace", "aspect",
    }
)  # fmt: skip


@dataclass(frozen=True)
class PngInfo:
    """What a picture says about itself, in the form of A1111's `POST /sdapi/v1/png-info`.

    `info` is the infotext, "" when there is none; `items` all text chunks; `parameters` the fields of a request.
    """

    info: str
    items: dict[str, str]
    parameters: dict[str, Any]


def encode_png(
    image: Image.Image, infotext: str, resolved: Mapping[str, Any], partial: tuple[int, int] | None = None
) -> bytes:
    """Return the PNG. The bytes follow from the arguments alone: no time, no id.

    `resolved` is what decides this one picture (`ResolvedTxt2Img.picture`); `partial` is (steps done, steps) of one
    that was stopped.
    """
    whole = dict(resolved) if partial is None else dict(resolved) | {"partial": list(partial)}
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text(PARAMETERS_KEY, infotext)
    chunks.add_text(STEADY_KEY, json.dumps(whole, ensure_ascii=False, sort_keys=True, separators=(",", ":")))
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", pnginfo=chunks, compress_level=_COMPRESSION_LEVEL)
    return buffer.getvalue()


def read_parameters(data: bytes) -> PngInfo:
    """Return what a picture says about itself. Our own JSON wins over the infotext, which loses some prompts.

    Raises:
        InvalidRequest: the bytes are no picture.
    """
    try:
        with Image.open(io.BytesIO(data), formats=CLIENT_FORMATS) as image:
            # Text may stand after the pixels, and is wanted also where the file breaks off amid them.
            with contextlib.suppress(OSError, SyntaxError):
                image.load()
            items = _text_items(image)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InvalidRequest("The image cannot be read: send a PNG, JPEG or WebP file.", field="image") from error
    info = items.get(PARAMETERS_KEY, "")
    parameters = infotext_format.parse(info) if info else {}
    return PngInfo(info, items, parameters | _own_fields(items.get(STEADY_KEY)))


def _text_items(image: Image.Image) -> dict[str, str]:
    items = {
        str(key): value for key, value in image.info.items() if isinstance(value, str) and str(key) not in _NOT_ITEMS
    }
    comment = _user_comment(image)
    if comment is not None:
        items[PARAMETERS_KEY] = comment
    return items


def _user_comment(image: Image.Image) -> str | None:
    """Return the EXIF comment, where JPEG and WebP files of A1111 keep the infotext (big-endian, by piexif)."""
    try:
        comment = image.getexif().get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.UserComment)
    except (OSError, SyntaxError):  # a PNG that breaks off: EXIF may stand at its end
        return None
    if not isinstance(comment, bytes) or not comment.startswith(_UNICODE_COMMENT):
        return None
    return comment.removeprefix(_UNICODE_COMMENT).decode("utf-16-be", errors="replace")


def _own_fields(text: str | None) -> dict[str, Any]:
    """Return the fields of a request from our own chunk; none when it is absent or not ours."""
    if text is None:
        return {}
    try:
        resolved = json.loads(text)
    except ValueError:
        return {}
    if not isinstance(resolved, dict):
        return {}
    names = (
        "prompt", "negative_prompt", "seed", "steps", "cfg_scale", "width", "height", "sampler_name", "scheduler",
    )  # fmt: skip
    fields = {name: resolved[name] for name in names if name in resolved}
    if isinstance(resolved.get("checkpoint"), str):
        fields["override_settings"] = {"sd_model_checkpoint": resolved["checkpoint"]}
    return fields
