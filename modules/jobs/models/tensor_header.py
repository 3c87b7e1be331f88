"""What a file of weights says of its tensors: names, shapes and where their bytes are. No tensor is read for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Literal, NamedTuple

from modules.jobs.models.untrusted_file import open_regular

_MOST_BYTES_AT_ONCE = 1_000_000


class TensorEntry(NamedTuple):
    """A tensor of a file, from byte `start` to `end`. `dtype` is what its format calls it ("F16", "Q4_K")."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int

    @property
    def elements(self) -> int:
        """How many numbers it has."""
        return prod(self.shape)


@dataclass(frozen=True)
class TensorHeader:
    """The header of a file of weights, checked: every tensor lies in the file, and none in another."""

    path: Path
    container: Literal["safetensors", "gguf"]
    size_bytes: int
    tensors: Mapping[str, TensorEntry]
    metadata: Mapping[str, str] = field(default_factory=dict)

    def read(self, name: str) -> bytes:
        """Return the bytes of one small tensor.

        Raises:
            OSError: the file cannot be read.
            ValueError: the tensor is not there, is no small one, or the file was cut short since.
        """
        entry = self.tensors.get(name)
        if entry is None or entry.end - entry.start > _MOST_BYTES_AT_ONCE:
            raise ValueError(f"has no small tensor {name[:80]}")
        with open_regular(self.path) as file:
            file.seek(entry.start)
            data = file.read(entry.end - entry.start)
        if len(data) != entry.end - entry.start:
            raise ValueError("was cut short while it was read")
        return data
