"""PNG files with A1111's `parameters` and, loss-free, the resolved picture as JSON under `steady`."""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PIL import ExifTags, Image, PngImagePlugin

from modules.errors import InvalidRequest
from modules.images import infotext as infotext_format
from modules.images.foreign import infotext_in
from modules.images.taken_reading import own_overrides
from modules.jobs.kinds.choice import MODULES

PARAMETERS_KEY = "parameters"
STEADY_KEY = "steady"
EXTRAS_KEY = "extras"
_POSTPROCESSING_KEY = "postprocessing"
# What a client may send. Pillow would try every format that it knows by itself, and hand PostScript to Ghostscript.
CLIENT_FORMATS = ("PNG", "JPEG", "WEBP")
# Longer than any prompt and its negative with all pairs; the pages of ComfyUI's workflows are other chunks.
INFOTEXT_LONGEST = 100_000
_UNREADABLE = (OSError, ValueError, SyntaxError, struct.error, RecursionError, Image.DecompressionBombError)
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_ONE_PIXEL = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)  # width, height, bits, grey, the rest as always
_START = _SIGNATURE + struct.pack(">I4s", len(_ONE_PIXEL), b"IHDR")
_CHUNK_FRAME = 12  # bytes: length, name, checksum
_MOST_TEXTS = 500
_CHUNKS_WITH_TEXT = frozenset({b"tEXt", b"zTXt", b"iTXt", b"eXIf"})
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

    `resolved` is what decides this one picture (a kind's `picture`); `partial` is (steps done, steps) of one
    that was stopped.
    """
    whole = dict(resolved) if partial is None else dict(resolved) | {"partial": list(partial)}
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text(PARAMETERS_KEY, infotext)
    chunks.add_text(STEADY_KEY, json.dumps(whole, ensure_ascii=False, sort_keys=True, separators=(",", ":")))
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", pnginfo=chunks, compress_level=_COMPRESSION_LEVEL)
    return buffer.getvalue()


def encode_extras_png(image: Image.Image, infotext: str, extras: str, resolved: Mapping[str, Any]) -> bytes:
    """Return the PNG of a picture that was worked on: with the infotext that it had, and what was done, as A1111."""
    chunks = PngImagePlugin.PngInfo()
    if infotext:
        chunks.add_text(PARAMETERS_KEY, infotext)
    for key in (EXTRAS_KEY, _POSTPROCESSING_KEY):
        chunks.add_text(key, extras)
    chunks.add_text(STEADY_KEY, json.dumps(dict(resolved), ensure_ascii=False, sort_keys=True, separators=(",", ":")))
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", pnginfo=chunks, compress_level=_COMPRESSION_LEVEL)
    return buffer.getvalue()


def read_parameters(data: bytes) -> PngInfo:
    """Return what a picture says about itself. Our own JSON wins over the infotext, which loses some prompts.

    No pixel is decoded, so a picture's size costs nothing.

    Raises:
        InvalidRequest: the bytes are no picture, or one with more text than anybody writes.
    """
    try:
        with Image.open(io.BytesIO(without_pixels(data)), formats=CLIENT_FORMATS) as image:
            items = _text_items(image)
    except _UNREADABLE as error:
        raise InvalidRequest("The image cannot be read: send a PNG, JPEG or WebP file.", field="image") from error
    info = items.get(PARAMETERS_KEY, "")
    if len(info) > INFOTEXT_LONGEST:
        raise InvalidRequest(
            f"The picture's text has {len(info)} characters and at most {INFOTEXT_LONGEST} are read: "
            "save the picture without it, or with a shorter prompt.",
            field="image",
        )
    parameters = infotext_format.parse(info) if info else {}
    own = _own_fields(items.get(STEADY_KEY))
    overrides = {**parameters.get("override_settings", {}), **own.pop("override_settings", {})}
    return PngInfo(info, items, parameters | own | ({"override_settings": overrides} if overrides else {}))


def infotext_of(data: bytes) -> str:
    """Return the infotext in a picture's file; "" where there is none, or none that can be read."""
    try:
        return infotext_in(read_parameters(data).items)
    except InvalidRequest:
        return ""


def without_pixels(data: bytes) -> bytes:
    """Return a PNG with all that it says and one black pixel; any other bytes as they are.

    Text may stand after the pixels, and is wanted also where the file breaks off amid them; Pillow reads it there only
    by decoding them all, and a file of 671 kB can hold 177 million.
    """
    if not data.startswith(_START):
        return data
    kept: list[bytes] = []
    at = len(_SIGNATURE)
    while at + _CHUNK_FRAME <= len(data) and len(kept) < _MOST_TEXTS:
        length, name = struct.unpack_from(">I4s", data, at)
        end = at + _CHUNK_FRAME + length
        if name in _CHUNKS_WITH_TEXT and end <= len(data):
            kept.append(data[at:end])
        at = end
    pixel = zlib.compress(b"\0\0")
    return b"".join([_SIGNATURE, _chunk(b"IHDR", _ONE_PIXEL), *kept, _chunk(b"IDAT", pixel), _chunk(b"IEND", b"")])


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content), name) + content + struct.pack(">I", zlib.crc32(name + content))


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
    except _UNREADABLE:  # the picture may still say something elsewhere
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
    except (ValueError, RecursionError):
        return {}
    if not isinstance(resolved, dict):
        return {}
    words, numbers = ("prompt", "negative_prompt", "sampler_name", "scheduler"), ("cfg_scale",)
    whole = ("seed", "steps", "width", "height")
    fields = {name: resolved[name] for name in words if isinstance(resolved.get(name), str)}
    fields |= {name: resolved[name] for name in whole if type(resolved.get(name)) is int}
    fields |= {name: resolved[name] for name in numbers if type(resolved.get(name)) in (int, float)}
    overrides: dict[str, Any] = {}
    if isinstance(resolved.get("checkpoint"), str):
        overrides["sd_model_checkpoint"] = resolved["checkpoint"]
    modules = resolved.get(MODULES)
    if isinstance(modules, list) and all(isinstance(name, str) for name in modules):
        overrides[MODULES] = modules
    overrides |= own_overrides(resolved)
    return fields | ({"override_settings": overrides} if overrides else {})
