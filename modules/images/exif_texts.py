"""The texts in a block of EXIF: the comment that A1111 and others write, and the tags that hold graphs of ComfyUI."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from PIL import ExifTags, Image

# Where people and programs put text, by the tag's number, and what it is called here.
_TAGS = {
    ExifTags.Base.UserComment: "UserComment", ExifTags.Base.ImageDescription: "ImageDescription",
    ExifTags.Base.Make: "Make", ExifTags.Base.Model: "Model", ExifTags.Base.Software: "Software",
    ExifTags.Base.MakerNote: "MakerNote", ExifTags.Base.XPComment: "XPComment",
}  # fmt: skip
# A1111 puts there what a PNG has under `parameters`; other keys are those that the tag's text begins with.
_KEYS = {"UserComment": "parameters"}
# As savers of ComfyUI write a PNG's texts into tags, and this program its own: "workflow:{…}".
_PREFIXES = ("workflow", "prompt", "parameters", "steady")
_HEAD = 8  # bytes of a comment that say how it is written
_UNREADABLE = (OSError, ValueError, SyntaxError, struct.error, RecursionError, TypeError, KeyError)


def texts_in_exif(block: bytes) -> Iterator[tuple[str, str, str]]:
    """Yield key, text and place of what is written in a block of EXIF; nothing where it cannot be read."""
    exif = Image.Exif()
    try:
        exif.load(block)
        found: dict[int, Any] = {tag: exif.get(tag) for tag in _TAGS} | {
            tag: value for tag, value in exif.get_ifd(ExifTags.IFD.Exif).items() if tag in _TAGS
        }
    except _UNREADABLE:  # the picture may still say something elsewhere
        return
    for tag, value in found.items():
        text = _decoded(tag, value)
        if text:
            yield _keyed(_TAGS[ExifTags.Base(tag)], text)


def _decoded(tag: int, value: Any) -> str:
    if isinstance(value, str):
        return value.strip("\0")
    if not isinstance(value, bytes):
        return ""
    if tag == ExifTags.Base.XPComment:
        return value.decode("utf-16-le", errors="replace").strip("\0")
    if tag == ExifTags.Base.UserComment:
        return comment_text(value)
    return value.decode("utf-8", errors="replace").strip("\0")


def comment_text(value: bytes) -> str:
    """Return a UserComment as text: its first eight bytes say which letters it has."""
    head, rest = value[:_HEAD], value[_HEAD:]
    if head == b"UNICODE\0":
        return _sixteen(rest)
    if head == b"JIS\0\0\0\0\0":
        return rest.decode("iso2022_jp", errors="replace").strip("\0")
    if head in (b"ASCII\0\0\0", b"\0" * _HEAD):
        return _eight(rest)
    return _eight(value)


def _eight(text: bytes) -> str:
    try:
        return text.decode("utf-8").strip("\0")
    except UnicodeDecodeError:
        return text.decode("latin-1").strip("\0")


def _sixteen(text: bytes) -> str:
    """UTF-16 with the large byte first, as A1111 writes it, or the other way round, as others do; some write UTF-8."""
    if text[:2] in (b"\xfe\xff", b"\xff\xfe"):
        return text.decode("utf-16", errors="replace").strip("\0")
    # What every infotext has, ASCII, has a zero byte on one side.
    first, second = text[0::2].count(0), text[1::2].count(0)
    if not first and not second and (plain := _utf8(text)) is not None:
        return plain
    return text.decode("utf-16-le" if second > first else "utf-16-be", errors="replace").strip("\0")


def _utf8(text: bytes) -> str | None:
    """Return an infotext or JSON that is UTF-8, None for any other text."""
    if b"Steps" not in text and not text.lstrip().startswith(b"{"):
        return None
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _keyed(tag: str, text: str) -> tuple[str, str, str]:
    place = f"EXIF {tag}"
    start = text[:12].casefold()
    for prefix in _PREFIXES:
        if start.startswith(f"{prefix}:") and tag != "UserComment":
            return prefix, text[len(prefix) + 1 :].strip(), place
    return _KEYS.get(tag, tag), text, place
