"""Look into a safetensors file without loading it."""

from __future__ import annotations

import json
from pathlib import Path

_LARGEST_HEADER_BYTES = 100_000_000  # the format's own limit


def find_damage(path: Path) -> str | None:
    """Tell in words what is wrong with the file, None when its length is what its header says.

    Reads the header only. A download that broke off is the common case.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            header_bytes = int.from_bytes(file.read(8), "little")
            if size < 8 or header_bytes > min(_LARGEST_HEADER_BYTES, size - 8):
                return "is not a whole safetensors file"
            header = json.loads(file.read(header_bytes))
        end = max((entry["data_offsets"][1] for key, entry in header.items() if key != "__metadata__"), default=0)
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    except (ValueError, LookupError, TypeError, AttributeError):
        return "is not a safetensors file"
    missing = 8 + header_bytes + end - size
    return f"is cut short by {missing:,} bytes" if missing > 0 else None
