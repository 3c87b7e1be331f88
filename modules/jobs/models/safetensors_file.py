"""Look into a safetensors file without loading it.

By hand, since the library's `safe_open` takes headers of 100 MB and maps the file: one that somebody else cuts short
while it is mapped ends the process.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

from modules.jobs.models.untrusted_file import open_regular, parse_object

METADATA = "__metadata__"  # the entry that is of no tensor
# The format allows 100 MB. The header of the largest models that people have is 1 MB.
_LARGEST_HEADER_BYTES = 8_000_000


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
    header_bytes = int.from_bytes(file.read(8), "little")
    if size < 8 or header_bytes > size - 8:
        raise ValueError("is not a whole safetensors file")
    if header_bytes > _LARGEST_HEADER_BYTES:
        raise ValueError(f"has a header of more than {_LARGEST_HEADER_BYTES:,} bytes")
    header_data = file.read(header_bytes)
    try:
        header = parse_object(header_data)
        ends = [entry["data_offsets"][1] for entry in tensors_of(header).values()]
        missing = 8 + header_bytes + max((int(end) for end in ends), default=0) - size
    except (ValueError, LookupError, TypeError, ArithmeticError):
        raise ValueError("is not a safetensors file") from None
    if missing > 0:
        raise ValueError(f"is cut short by {missing:,} bytes")
    return header


def tensors_of(header: dict[str, Any]) -> dict[str, Any]:
    """Return the entries of the tensors, by name."""
    return {name: entry for name, entry in header.items() if name != METADATA}


def find_damage(path: Path) -> str | None:
    """Tell in words what is wrong with the file, None when its length is what its header says."""
    try:
        read_header(path)
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    except ValueError as error:
        return str(error)
    return None
