"""Look into a GGUF file without loading it: its key-values and its tensors, as versions 2 and 3 have them.

Nothing in it is believed: all counts and lengths have bounds, and every tensor must lie in the file.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import BinaryIO, NamedTuple

from modules.jobs.models.foreign_bytes import UnreadableFile
from modules.jobs.models.tensor_header import TensorEntry, TensorHeader
from modules.jobs.models.untrusted_file import open_regular

MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_LARGEST_HEADER_BYTES = 64_000_000  # The lists of tokens of a text encoder take 10 MB.
_MOST_TENSORS = 100_000
_MOST_KEYS = 10_000
_MOST_AXES = 4
_LONGEST_NAME = 512
_LONGEST_VALUE = 65_536
_MOST_STRINGS = 1_000_000
_ALIGNMENT = 32
_ORIGINAL_SHAPE = "comfy.gguf.orig_shape."
_STRING, _ARRAY = 8, 9
# The types of values, as struct has them.
_SCALARS: Mapping[int, str] = {
    0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d",
}  # fmt: skip


class _Type(NamedTuple):
    """How ggml stores numbers: in blocks of so many, each of so many bytes."""

    name: str
    block: int
    block_bytes: int


TYPES: Mapping[int, _Type] = {
    0: _Type("F32", 1, 4), 1: _Type("F16", 1, 2), 2: _Type("Q4_0", 32, 18), 3: _Type("Q4_1", 32, 20),
    6: _Type("Q5_0", 32, 22), 7: _Type("Q5_1", 32, 24), 8: _Type("Q8_0", 32, 34), 9: _Type("Q8_1", 32, 40),
    10: _Type("Q2_K", 256, 84), 11: _Type("Q3_K", 256, 110), 12: _Type("Q4_K", 256, 144), 13: _Type("Q5_K", 256, 176),
    14: _Type("Q6_K", 256, 210), 15: _Type("Q8_K", 256, 292), 16: _Type("IQ2_XXS", 256, 66),
    17: _Type("IQ2_XS", 256, 74), 18: _Type("IQ3_XXS", 256, 98), 19: _Type("IQ1_S", 256, 50),
    20: _Type("IQ4_NL", 32, 18), 21: _Type("IQ3_S", 256, 110), 22: _Type("IQ2_S", 256, 82),
    23: _Type("IQ4_XS", 256, 136), 24: _Type("I8", 1, 1), 25: _Type("I16", 1, 2), 26: _Type("I32", 1, 4),
    27: _Type("I64", 1, 8), 28: _Type("F64", 1, 8), 29: _Type("IQ1_M", 256, 56), 30: _Type("BF16", 1, 2),
    34: _Type("TQ1_0", 256, 54), 35: _Type("TQ2_0", 256, 66), 39: _Type("MXFP4", 32, 17), 40: _Type("NVFP4", 64, 36),
    41: _Type("Q1_0", 128, 18),
}  # fmt: skip


def read_gguf(path: Path) -> TensorHeader:
    """Return what the file says of its tensors, after checking that it is whole.

    Shapes are as PyTorch has them; those of convolutions, which ComfyUI's files store flat, as they were.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is damaged; the message goes on after the file's name.
    """
    with open_regular(path) as file:
        size = path.stat().st_size
        reader = _Reader(file, min(size, _LARGEST_HEADER_BYTES))
        try:
            return _parse(path, reader, size)
        except (struct.error, UnicodeDecodeError):
            raise ValueError("has a damaged header") from None


@dataclass
class _Reader:
    """Reads numbers and texts one after the other, up to byte `most` of the file."""

    file: BinaryIO
    most: int
    at: int = 0

    def take(self, count: int) -> bytes:
        data = self.file.read(count) if 0 <= count <= self.most - self.at else b""
        if len(data) != count:
            raise ValueError("is cut short in its header, or has one of no end")
        self.at += count
        return data

    def skip(self, count: int) -> None:
        if not 0 <= count <= self.most - self.at:
            raise ValueError("is cut short in its header, or has one of no end")
        self.file.seek(count, 1)
        self.at += count

    def number(self, code: str) -> int:
        size = struct.calcsize(f"<{code}")
        return int(struct.unpack(f"<{code}", self.take(size))[0])

    def text(self, longest: int) -> str:
        length = self.number("Q")
        if length > longest:
            raise ValueError(f"has a name of {length:,} bytes in its header")
        return self.take(length).decode("utf-8")


def _parse(path: Path, reader: _Reader, size: int) -> TensorHeader:
    if reader.take(4) != MAGIC:
        raise ValueError("is not a GGUF file")
    version = reader.number("I")
    if version not in _VERSIONS:
        raise UnreadableFile(f"is a GGUF file of version {version}", "use one of version 2 or 3")
    tensors, keys = reader.number("Q"), reader.number("Q")
    if tensors > _MOST_TENSORS or keys > _MOST_KEYS:
        raise ValueError(f"has a damaged header (it says that it has {tensors:,} tensors and {keys:,} keys)")
    metadata: dict[str, str] = {}
    shapes: dict[str, tuple[int, ...]] = {}
    for _ in range(keys):
        _read_key(reader, metadata, shapes)
    found = [_read_tensor(reader) for _ in range(tensors)]
    alignment = _alignment(metadata)
    start = -(-reader.at // alignment) * alignment
    entries: dict[str, TensorEntry] = {}
    for name, kind, shape, offset in found:
        length = _length(name, kind, shape)
        entries[name] = TensorEntry(
            kind.name, _original(shape, shapes.get(name)), start + offset, start + offset + length
        )
    _check_places(entries, len(found), size)
    return TensorHeader(path, "gguf", size, entries, metadata)


def _read_key(reader: _Reader, metadata: dict[str, str], shapes: dict[str, tuple[int, ...]]) -> None:
    """Read one key with its value: keep a text or a number as text, a shape as it is, and go past all else."""
    key = reader.text(_LONGEST_NAME)
    kind = reader.number("I")
    if kind == _STRING:
        length = reader.number("Q")
        if length > _LONGEST_VALUE:
            reader.skip(length)
        else:
            metadata[key] = reader.take(length).decode("utf-8", errors="replace")
    elif kind in _SCALARS:
        code = _SCALARS[kind]
        metadata[key] = str(struct.unpack(f"<{code}", reader.take(struct.calcsize(f"<{code}")))[0])
    elif kind == _ARRAY:
        item, count = reader.number("I"), reader.number("Q")
        if key.startswith(_ORIGINAL_SHAPE) and item in (4, 5, 10, 11) and count <= 8:
            shapes[key.removeprefix(_ORIGINAL_SHAPE)] = tuple(reader.number(_SCALARS[item]) for _ in range(count))
        else:
            _skip_array(reader, item, count)
    else:
        raise ValueError(f"has a damaged header ({key[:80]!r} is of a kind that is not known, {kind})")


def _skip_array(reader: _Reader, item: int, count: int) -> None:
    if item in _SCALARS:
        reader.skip(count * struct.calcsize(f"<{_SCALARS[item]}"))
    elif item == _STRING and count <= _MOST_STRINGS:
        for _ in range(count):
            reader.skip(reader.number("Q"))
    else:
        raise ValueError(f"has a damaged header (a list of {count:,} values of kind {item})")


def _read_tensor(reader: _Reader) -> tuple[str, _Type, tuple[int, ...], int]:
    name = reader.text(_LONGEST_NAME)
    axes = reader.number("I")
    if axes > _MOST_AXES:
        raise ValueError(f"has a damaged header ({name[:80]!r} has {axes} axes)")
    shape = tuple(reader.number("Q") for _ in range(axes))[::-1]
    number = reader.number("I")
    kind = TYPES.get(number)
    if kind is None:
        raise UnreadableFile(
            f"has numbers of a kind that is not known, type {number} of ggml", "use one in Q8_0 or Q4_K"
        )
    return name, kind, shape, reader.number("Q")


def _alignment(metadata: Mapping[str, str]) -> int:
    said = metadata.get("general.alignment", str(_ALIGNMENT))
    alignment = int(said) if said.isdecimal() and len(said) < 8 else 0
    if alignment < 8 or alignment & (alignment - 1):
        raise ValueError(f"has a damaged header (its tensors are aligned to {said[:20]})")
    return alignment


def _length(name: str, kind: _Type, shape: tuple[int, ...]) -> int:
    """Return how many bytes a tensor takes: each row is made of whole blocks."""
    if kind.block > 1 and (not shape or shape[-1] % kind.block):
        raise ValueError(f"has a damaged header (the rows of {name[:80]!r} are not made of blocks of {kind.block})")
    return prod(shape) // kind.block * kind.block_bytes


def _original(shape: tuple[int, ...], said: tuple[int, ...] | None) -> tuple[int, ...]:
    """Return the shape that the tensor had, where the file says it and it has as many numbers."""
    return said if said is not None and min(said, default=0) > 0 and prod(said) == prod(shape) else shape


def _check_places(entries: Mapping[str, TensorEntry], count: int, size: int) -> None:
    if len(entries) != count:
        raise ValueError("has a damaged header (two tensors have one name)")
    place = 0
    for name, entry in sorted(entries.items(), key=lambda pair: (pair[1].start, pair[1].end)):
        if entry.start < place:
            raise ValueError(f"has a damaged header ({name[:80]!r} lies in another tensor)")
        place = entry.end
    if place > size:
        raise ValueError(f"is cut short by {place - size:,} bytes")
