"""The texts in a picture's file, of any program, without a pixel of it being decoded: under which key, and where.

PNG: tEXt, zTXt, iTXt and eXIf chunks; JPEG, WebP, AVIF: EXIF; JPEG and GIF: comments. A text file is its own text.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from PIL import Image

from modules.errors import InvalidRequest
from modules.images.exif_texts import texts_in_exif

PARAMETERS_KEY = "parameters"
# All texts of a file together: the prompt and the workflow of a large graph of ComfyUI are some megabytes.
TEXTS_LONGEST = 12 << 20
# What a client may send. Pillow would try every format that it knows by itself, and hand PostScript to Ghostscript.
CLIENT_FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "GIF")
FORMAT_NAMES = "a PNG, JPEG, WebP, AVIF or GIF file"
_MOST_TEXTS = 500
_LONGEST_TEXT_FILE = 4 << 20
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_START = _SIGNATURE + struct.pack(">I4s", 13, b"IHDR")
_CHUNK_FRAME = 12  # bytes: length, name, checksum
_UNREADABLE = (OSError, ValueError, SyntaxError, struct.error, RecursionError, zlib.error)


class Text(NamedTuple):
    """A text in a file. `place` says where, in words, such as "PNG tEXt"."""

    key: str
    value: str
    place: str


def texts_in(data: bytes) -> tuple[Text, ...]:
    """Return the texts of a picture's file, those of the same key too, in their order.

    Raises:
        InvalidRequest: the bytes are no picture, or one with more text than anybody writes.
    """
    try:
        found = tuple(_of_file(data))
    except (*_UNREADABLE, Image.DecompressionBombError) as error:
        words = f"The image cannot be read: send {FORMAT_NAMES}, or a text with settings (Steps: 20, …)."
        raise InvalidRequest(words, field="image") from error
    if sum(len(text.value) for text in found) > TEXTS_LONGEST:
        raise _too_long()
    return found


def _of_file(data: bytes) -> Iterator[Text]:
    if data.startswith(_START):
        yield from _of_png(data)
    elif data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        yield from _of_webp(data)
    elif (text := _as_text(data)) is not None:
        yield Text(PARAMETERS_KEY, text, "text file")
    else:
        yield from _of_pillow(data)


def _of_png(data: bytes) -> Iterator[Text]:
    """Text may stand after the pixels, and is wanted also where the file breaks off amid them."""
    at, seen, left = len(_SIGNATURE), 0, TEXTS_LONGEST
    while at + _CHUNK_FRAME <= len(data) and seen < _MOST_TEXTS:
        length, name = struct.unpack_from(">I4s", data, at)
        content = data[at + 8 : at + 8 + length]
        at += _CHUNK_FRAME + length
        if len(content) < length or name not in (b"tEXt", b"zTXt", b"iTXt", b"eXIf"):
            continue
        seen += 1
        if name == b"eXIf":
            yield from (Text(*one) for one in texts_in_exif(content))
            continue
        text = _of_chunk(name, content, left)
        if text is not None:
            left -= len(text.value)
            yield text


def _of_chunk(name: bytes, content: bytes, longest: int) -> Text | None:
    keyword, _, rest = content.partition(b"\0")
    key, place = keyword.decode("latin-1"), f"PNG {name.decode()}"
    if name == b"tEXt":
        return Text(key, rest.decode("latin-1"), place)
    if name == b"zTXt":
        return Text(key, _inflated(rest[1:], longest).decode("latin-1"), place)
    if len(rest) < 2:
        return None
    compressed = rest[0] == 1
    _language, _, translated = rest[2:].partition(b"\0")
    _keyword, _, value = translated.partition(b"\0")
    return Text(key, (_inflated(value, longest) if compressed else value).decode("utf-8", errors="replace"), place)


def _inflated(data: bytes, longest: int) -> bytes:
    """Return what a compressed text is, as long as it is not blown up.

    Raises:
        InvalidRequest: it is longer than all texts may be.
    """
    opened = zlib.decompressobj()
    text = opened.decompress(data, longest + 1)
    if len(text) > longest:
        raise _too_long()
    return text


def _too_long() -> InvalidRequest:
    return InvalidRequest(
        f"The picture's texts have more than {TEXTS_LONGEST:,} characters, and no more are read: "
        "save the picture without them.",
        field="image",
    )


def _of_webp(data: bytes) -> Iterator[Text]:
    """By its chunks: the decoder would make room for all pixels first."""
    if data[12:16] not in (b"VP8 ", b"VP8L", b"VP8X"):
        raise ValueError("no WebP")
    at = 12
    for _ in range(_MOST_TEXTS * 10):
        if at + 8 > len(data):
            return
        name, length = struct.unpack_from("<4sI", data, at)
        if name == b"EXIF":
            yield from (Text(*one) for one in texts_in_exif(data[at + 8 : at + 8 + length]))
        at += 8 + length + length % 2


def _of_pillow(data: bytes) -> Iterator[Text]:
    """Of formats whose head Pillow reads without making room for pixels."""
    with Image.open(io.BytesIO(data), formats=("JPEG", "AVIF", "GIF")) as image:
        comment, exif = image.info.get("comment"), image.info.get("exif")
        if isinstance(comment, bytes) and comment:
            yield Text("comment", comment.decode("utf-8", errors="replace"), f"{image.format} comment")
        if isinstance(exif, bytes):
            yield from (Text(*one) for one in texts_in_exif(exif))


def _as_text(data: bytes) -> str | None:
    """Return what a text file says, None for any other."""
    if not data or len(data) > _LONGEST_TEXT_FILE or b"\0" in data or data.startswith((b"GIF8", b"%!PS", b"%PDF")):
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return text if "Steps:" in text or text.lstrip().startswith("{") else None
