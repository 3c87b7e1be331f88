"""A font that draws each of its letters as a square, so that tests know what a machine has."""

import struct
from pathlib import Path

_UNITS = 1000  # an em


def write_font(file: Path, letters: str) -> str:
    """Write a TrueType font that has these letters alone; return its path."""
    tables = {
        b"cmap": _cmap(sorted(set(letters))),
        b"glyf": _SQUARE,
        b"head": struct.pack(">4I2H16x4h2H3h", 65536, 65536, 0, 0x5F0F3CF5, 0, _UNITS, 0, 0, 800, 800, 0, 8, 2, 1, 0),
        b"hhea": struct.pack(">I3hH11hH", 65536, 800, -200, 0, 900, 0, 0, 800, 1, 0, 0, 0, 0, 0, 0, 0, 2),
        b"hmtx": struct.pack(">HhHh", 900, 0, 900, 0),
        b"loca": struct.pack(">3I", 0, 0, len(_SQUARE)),  # the first, for what the font lacks, draws nothing
        b"maxp": struct.pack(">I14H", 65536, 2, 4, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0),
    }
    head = struct.pack(">I4H", 65536, len(tables), 64, 2, 48)
    at, entries, body = len(head) + 16 * len(tables), b"", b""
    for name, table in tables.items():
        padded = table + bytes(-len(table) % 4)
        entries += struct.pack(">4s3I", name, 0, at + len(body), len(table))
        body += padded
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(head + entries + body)
    return str(file)


# One outline of four points on the line: (0, 0), (0, 800), (800, 800), (800, 0).
_SQUARE = struct.pack(">5hHH4B8h", 1, 0, 0, 800, 800, 3, 0, 1, 1, 1, 1, 0, 0, 800, 0, 0, 800, 0, -800)


def _cmap(letters: list[str]) -> bytes:
    groups = b"".join(struct.pack(">3I", ord(letter), ord(letter), 1) for letter in letters)
    subtable = struct.pack(">2H3I", 12, 0, 16 + len(groups), 0, len(letters)) + groups
    return struct.pack(">4HI", 0, 1, 3, 10, 12) + subtable
