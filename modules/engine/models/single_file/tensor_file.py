"""A file of tensors that are read one at a time into memory of our own.

Not mapped: a file that somebody else cuts short while it is mapped ends the process, and where a mapped tensor lies in
memory depends on the header's length, which changes the last bits of what a processor makes of it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import torch

from modules.errors import ModelError
from modules.jobs.models.foreign_bytes import say
from modules.jobs.models.tensor_file import read_tensor_header
from modules.jobs.models.untrusted_file import open_regular

# Is told the bytes read since its last call, 0 while something waits; what it raises ends the load.
Progress = Callable[[int], None]

_READ_AT_ONCE_BYTES = 32 * 2**20


class TensorFile:
    """A safetensors or GGUF file, open until it is closed: one that is put in its place meanwhile is not read.

    Raises:
        ModelError: it cannot be read, or is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = open_regular(path)
        except OSError as error:
            raise _unreadable(path, error) from error
        try:
            self.header = read_tensor_header(path)
        except OSError as error:
            self._file.close()
            raise _unreadable(path, error) from error
        except ValueError as error:
            self._file.close()
            raise ModelError(f"{path} {say(error)}.") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def read(self, name: str, progress: Progress) -> torch.Tensor:
        """Return the bytes of a tensor; those of a large one are read in pieces, between which `progress` is told.

        Raises:
            ModelError: the file became shorter since it was opened.
        """
        entry = self.header.tensors[name]
        held = torch.empty(entry.end - entry.start, dtype=torch.uint8)
        room = memoryview(held.numpy())  # type: ignore[arg-type]
        try:
            self._file.seek(entry.start)
            place = 0
            while place < len(room):
                count = self._file.readinto(room[place : place + _READ_AT_ONCE_BYTES])  # type: ignore[attr-defined]
                if not count:
                    raise ModelError(f"{self.path} was changed while it was read: submit the job again.")
                place += count
                progress(count)
        except OSError as error:
            raise _unreadable(self.path, error) from error
        return held


def _unreadable(path: Path, error: OSError) -> ModelError:
    return ModelError(f"{path} cannot be read ({error.strerror}): give your user read access to it, or take it away.")
