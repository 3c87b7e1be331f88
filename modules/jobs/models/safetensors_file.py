"""Look into a safetensors file without loading it.

By hand, since the library's `safe_open` takes headers of 100 MB and maps the file: one that somebody else cuts short
while it is mapped ends the process.
"""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Any, BinaryIO

from modules.jobs.models.foreign_bytes import BEGINNING_BYTES, UnreadableFile, name_foreign_bytes
from modules.jobs.models.tensor_header import TensorEntry
from modules.jobs.models.untrusted_file import open_regular, parse_object

METADATA = "__metadata__"  # the entry that is of no tensor
# The format allows 100 MB. The header of the largest models that people have is 1 MB.
_LARGEST_HEADER_BYTES = 8_000_000
_MOST_AXES = 16
_LONGEST_SHOWN = 80

BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32,
    "F64": 64, "I64": 64, "U64": 64, "C64": 64,
}  # fmt: skip


def read_header(path: Path) -> dict[str, Any]:
    """Return what the file says of its tensors, by name, after checking that it is whole.

    Reads the header only. A download that broke off is the common case.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is damaged; the message goes on after the file's name.
    """
    with open_regular(path) as file:
        return parse_header(file, path.stat().st_size)


def parse_header(file: BinaryIO, size: int) -> dict[str, Any]:
    """Return the header of an open file, or of bytes, of `size` bytes in all.

    Raises:
        ValueError: as `read_header`.
    """
    return parse_tensors(file, size)[0]


def parse_tensors(file: BinaryIO, size: int) -> tuple[dict[str, Any], dict[str, TensorEntry]]:
    """Return the header of an open file as it is, and its tensors by name.

    Raises:
        ValueError: as `read_header`.
    """
    beginning = file.read(8)
    header_bytes = int.from_bytes(beginning, "little")
    if size < 8 or header_bytes > size - 8 or header_bytes > _LARGEST_HEADER_BYTES:
        foreign = name_foreign_bytes(beginning + file.read(BEGINNING_BYTES - 8), size)
        if foreign is not None:
            raise foreign
        if size < 8 or header_bytes > size - 8:
            raise ValueError("is not a whole safetensors file")
        raise ValueError(f"has a header of more than {_LARGEST_HEADER_BYTES:,} bytes")
    header_data = file.read(header_bytes)
    try:
        header = parse_object(header_data)
    except ValueError:
        foreign = name_foreign_bytes(beginning + header_data[: BEGINNING_BYTES - 8], size)
        raise foreign or ValueError("is not a safetensors file") from None
    return header, _entries(tensors_of(header), 8 + header_bytes, size)


def tensors_of(header: dict[str, Any]) -> dict[str, Any]:
    """Return the entries of the tensors, by name."""
    return {name: entry for name, entry in header.items() if name != METADATA}


def metadata_of(header: dict[str, Any]) -> dict[str, str]:
    """Return what the file says beside its tensors."""
    metadata = header.get(METADATA)
    if not isinstance(metadata, dict):
        return {}
    return {name: value for name, value in metadata.items() if isinstance(value, str)}


def find_damage(path: Path) -> str | None:
    """Tell in words what is wrong with the file, None when its length is what its header says."""
    try:
        read_header(path)
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    except ValueError as error:
        return str(error)
    return None


def _entries(header: dict[str, Any], start: int, size: int) -> dict[str, TensorEntry]:
    """Return the tensors, whose bytes begin at `start`, after checking that they fill the file and no more.

    As the format has it: in some order they lie side by side, without holes.

    Raises:
        ValueError: they do not.
    """
    entries = {name: _entry(name, value, start) for name, value in header.items()}
    place = start
    for name, entry in sorted(entries.items(), key=lambda pair: (pair[1].start, pair[1].end)):
        if entry.start != place:
            raise ValueError(f"has a damaged header ({_shown(name)} does not lie where the tensor before it ends)")
        place = entry.end
    if place > size:
        raise ValueError(f"is cut short by {place - size:,} bytes")
    if place < size:
        raise ValueError(f"has {size - place:,} bytes that belong to no tensor")
    return entries


def _entry(name: str, value: Any, start: int) -> TensorEntry:
    try:
        dtype, shape = value["dtype"], tuple(value["shape"])
        first, last = value["data_offsets"]
    except (LookupError, TypeError, ValueError):
        raise ValueError("is not a safetensors file") from None
    if type(first) is not int or type(last) is not int or not isinstance(dtype, str):
        raise ValueError("is not a safetensors file")
    if len(shape) > _MOST_AXES or any(type(side) is not int or side < 0 for side in shape):
        raise ValueError(f"has a damaged header ({_shown(name)} has no possible shape)")
    bits = BITS.get(dtype)
    if bits is None:
        reason = f"has numbers of a kind that is not known, {_shown(dtype)}"
        raise UnreadableFile(reason, "use one in fp16, bf16 or fp8")
    if first < 0 or prod(shape) * bits != (last - first) * 8:
        raise ValueError(f"has a damaged header ({_shown(name)} is not as long as its shape says)")
    return TensorEntry(dtype, shape, start + first, start + last)


def _shown(text: str) -> str:
    return repr(text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…")
