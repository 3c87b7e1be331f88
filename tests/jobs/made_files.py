"""Single files for tests, of any size: what they say of their tensors is true, and these are holes in the file."""

import json
import struct
from collections.abc import Mapping
from math import prod
from pathlib import Path

from modules.jobs.models.gguf_file import TYPES
from modules.jobs.models.safetensors_file import BITS

Shape = tuple[int, ...]
# A shape, of the file's numbers, or the kind of number and a shape.
Made = Mapping[str, "Shape | tuple[str, Shape]"]
_ALIGNMENT = 32


def header_of(
    tensors: Made, dtype: str = "F16", metadata: Mapping[str, str] | None = None
) -> tuple[bytes, dict[str, tuple[int, int]]]:
    """Return the beginning of a safetensors file, and from where to where each tensor lies behind it."""
    header: dict[str, object] = {} if metadata is None else {"__metadata__": dict(metadata)}
    places: dict[str, tuple[int, int]] = {}
    place = 0
    for name, made in tensors.items():
        kind, shape = made if made and isinstance(made[0], str) else (dtype, made)
        end = place + prod(shape) * BITS[kind] // 8
        header[name] = {"dtype": kind, "shape": list(shape), "data_offsets": [place, end]}
        places[name] = (place, end)
        place = end
    data = json.dumps(header).encode()
    return len(data).to_bytes(8, "little") + data, places


def write_file(
    path: Path,
    tensors: Made,
    dtype: str = "F16",
    metadata: Mapping[str, str] | None = None,
    contents: Mapping[str, bytes] | None = None,
) -> Path:
    """Write a safetensors file; `contents` are the bytes of some of its tensors, all others are zeros."""
    beginning, places = header_of(tensors, dtype, metadata)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(beginning)
        for name, data in (contents or {}).items():
            file.seek(len(beginning) + places[name][0])
            file.write(data)
        file.truncate(len(beginning) + max((end for _, end in places.values()), default=0))
    return path


def _text(text: str) -> bytes:
    return struct.pack("<Q", len(text.encode())) + text.encode()


def gguf_key(name: str, value: str | int | list[int] | list[str]) -> bytes:
    """Return a key of a GGUF file: a text, a whole number, or a list of either."""
    match value:
        case str():
            return _text(name) + struct.pack("<I", 8) + _text(value)
        case int():
            return _text(name) + struct.pack("<II", 4, value)
        case [str(), *_]:
            return (
                _text(name) + struct.pack("<IIQ", 9, 8, len(value)) + b"".join(_text(str(one)) for one in value)
            )  # fmt: skip
    return _text(name) + struct.pack("<IIQ", 9, 5, len(value)) + struct.pack(f"<{len(value)}i", *value)


def gguf_header(
    tensors: Made,
    dtype: str = "Q8_0",
    keys: Mapping[str, str | int | list[int] | list[str]] | None = None,
    version: int = 3,
) -> tuple[bytes, int]:
    """Return the beginning of a GGUF file up to its tensors, and how many bytes these take."""
    kinds = {kind.name: (number, kind) for number, kind in TYPES.items()}
    data = struct.pack("<4sIQQ", b"GGUF", version, len(tensors), len(keys or {}))
    data += b"".join(gguf_key(name, value) for name, value in (keys or {}).items())
    place = 0
    for name, made in tensors.items():
        wanted, shape = made if made and isinstance(made[0], str) else (dtype, made)
        number, kind = kinds[wanted]
        sides = tuple(reversed(shape))
        data += _text(name) + struct.pack(f"<I{len(sides)}QIQ", len(sides), *sides, number, place)
        length = prod(sides) // kind.block * kind.block_bytes
        place += -(-length // _ALIGNMENT) * _ALIGNMENT
    return data + b"\0" * (-len(data) % _ALIGNMENT), place


def write_gguf(
    path: Path,
    tensors: Made,
    dtype: str = "Q8_0",
    keys: Mapping[str, str | int | list[int] | list[str]] | None = None,
) -> Path:
    """Write a GGUF file whose tensors are zeros."""
    data, length = gguf_header(tensors, dtype, keys)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(data)
        file.truncate(len(data) + length)
    return path
