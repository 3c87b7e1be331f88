"""A picture of another program: what its file says, and what is to be read of it."""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from PIL import ExifTags, Image, PngImagePlugin

# How a comment begins, and the letters after that.
_LETTERS = {
    "": (b"UNICODE\0", "utf-16-be"), "little": (b"UNICODE\0", "utf-16-le"), "marked": (b"UNICODE\0", "utf-16"),
    "ascii": (b"ASCII\0\0\0", "utf-8"), "undefined": (b"\0" * 8, "utf-8"), "eight": (b"UNICODE\0", "utf-8"),
    "jis": (b"JIS\0\0\0\0\0", "iso2022_jp"),
}  # fmt: skip


@dataclass(frozen=True)
class Sample:
    """`items` are the texts of the file; `pairs` what is read of them, all of it; `left` the labels of the rest."""

    name: str
    program: str
    items: Mapping[str, str]
    pairs: Mapping[str, str]
    left: tuple[str, ...] = ()
    form: str = "PNG"
    made: Mapping[int, Any] = field(default_factory=dict)

    def file(self) -> bytes:
        """Return the picture's file."""
        return {"PNG": png, "zTXt": compressed_png, "GIF": gif, "text": text_file}.get(self.form, with_exif)(self)


def png(sample: Sample) -> bytes:
    """Return a PNG with a chunk for each text."""
    return _png(sample, compressed=False)


def compressed_png(sample: Sample) -> bytes:
    """Return a PNG with its texts compressed, and behind the pixels."""
    return _png(sample, compressed=True)


def _png(sample: Sample, compressed: bool) -> bytes:
    chunks = PngImagePlugin.PngInfo()
    for key, value in sample.items.items():
        chunks.add_text(key, value, zip=compressed)
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "PNG", pnginfo=chunks)
    data = buffer.getvalue()
    if not compressed:
        return data
    start = data.index(b"IDAT") - 4
    length = struct.unpack(">I", data[start : start + 4])[0] + 12
    pixels, end = data[start : start + length], data[-12:]
    return data[:33] + pixels + data[33:start] + end


def gif(sample: Sample) -> bytes:
    """Return a GIF with the infotext as its comment."""
    buffer = io.BytesIO()
    Image.new("P", (8, 8)).save(buffer, "GIF", comment=sample.items["parameters"].encode())
    return buffer.getvalue()


def text_file(sample: Sample) -> bytes:
    """Return the side file that has the infotext alone."""
    return sample.items["parameters"].encode()


def with_exif(sample: Sample) -> bytes:
    """Return a JPEG, WebP or AVIF with an EXIF comment, and the tags in `made`."""
    form, _, letters = sample.form.partition(" ")
    exif = Image.Exif()
    text = sample.items.get("parameters", "")
    if text and letters != "none":
        head, codec = _LETTERS[letters]
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = head + text.encode(codec)
    for tag, value in sample.made.items():
        exif[tag] = value
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, form, exif=exif.tobytes())
    return buffer.getvalue()


def as_json(value: object) -> str:
    """Return JSON as these programs write it."""
    return json.dumps(value)


def chunk(name: bytes, content: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I4s", len(content), name) + content + struct.pack(">I", zlib.crc32(name + content))
