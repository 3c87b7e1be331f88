"""How many bytes the weights of models take: in memory, and beforehand by the headers of their files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch

from modules.engine.families.known import read_index
from modules.engine.models.loaded_model import ModelKey
from modules.errors import ModelError
from modules.jobs.models.safetensors_file import read_header, tensors_of
from modules.jobs.models.weight_files import loaded_components, weights_of_component

_WHOLE_NUMBERS = ("I", "U", "BOOL")


def bytes_held(pipelines: Sequence[Any]) -> list[int]:
    """Return what each pipeline alone adds to memory; what several share counts for the last of them."""
    seen: set[int] = set()
    sizes: list[int] = []
    for pipeline in reversed(pipelines):
        size = 0
        for storage in _storages(pipeline):
            if storage.data_ptr() not in seen:
                seen.add(storage.data_ptr())
                size += storage.nbytes()
        sizes.append(size)
    return sizes[::-1]


def bytes_needed(key: ModelKey) -> int:
    """Return what a model will take once it is loaded, from the headers of its files. What cannot be read counts 0.

    A damaged file is told of by the load itself.
    """
    return sum(bytes_of_networks(key))


def bytes_of_networks(key: ModelKey) -> list[int]:
    """Return what each of its networks will take; those in one file count as one."""
    width = getattr(torch, key.dtype).itemsize
    return [sum(_bytes_of(file, width) for file in files) for files in _files(key)]


def _storages(pipeline: Any) -> Iterable[torch.UntypedStorage]:
    for part in pipeline.components.values():
        if isinstance(part, torch.nn.Module):
            for tensor in (*part.parameters(), *part.buffers()):
                if tensor.device.type != "meta":
                    yield tensor.untyped_storage()


def _files(key: ModelKey) -> Iterable[Sequence[Path]]:
    if not key.path.is_dir():
        return [(key.path,), *((path,) for _, path in key.parts)]
    try:
        names = loaded_components(read_index(key.path))
    except ModelError:
        return ()
    return [weights_of_component(key.path / name) for name in names]


def _bytes_of(file: Path, width: int) -> int:
    """Return the bytes of a file's tensors, where numbers with a point take `width` bytes; of other files, its size."""
    try:
        tensors = tensors_of(read_header(file))
        return sum(
            end - start
            if str(entry["dtype"]).startswith(_WHOLE_NUMBERS)
            else torch.Size(entry["shape"]).numel() * width
            for entry in tensors.values()
            for start, end in (entry["data_offsets"],)
        )
    except (OSError, ValueError, KeyError, TypeError):
        return file.stat().st_size if file.exists() else 0
