"""Make a pipeline from a model in diffusers layout, part by part, so that a load can be stopped at any time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers

from modules.engine.families.known import family_of, read_index
from modules.engine.models.loaded_model import LoadedModel, ModelKey
from modules.engine.models.out_of_memory import is_out_of_memory
from modules.engine.models.weights import load_network, load_text_encoder
from modules.engine.stopping.cancel import Cancel
from modules.errors import ModelError
from modules.jobs.models.untrusted_file import read_object
from modules.jobs.models.weight_files import loaded_components, weights_of_component
from modules.prompts.symbols import symbols_of

_LIBRARIES = {"diffusers": diffusers, "transformers": transformers}


def load_folder(key: ModelKey, cancel: Cancel, progress: Callable[[float], None]) -> LoadedModel:
    """Return the model of a folder, on the CPU; `progress` gets 0..1 meanwhile.

    Raises:
        Interrupted: the job was stopped between two tensors.
        ModelError: the model cannot be loaded.
    """
    folder = key.folder
    family = family_of(folder)
    index = read_index(folder)
    names = loaded_components(index)
    counter = ByteCounter(_total_bytes(folder, names), cancel, progress)
    dtype = getattr(torch, key.dtype)
    parts: dict[str, Any] = dict.fromkeys(family.left_out)
    for name in names:
        cancel.check()
        parts[name] = _load_component(folder, name, index[name], dtype, counter.add)
    pipeline = family.pipeline(**parts, **_options(index))
    return LoadedModel(key, family, pipeline, _read_preview(folder), symbols_of(folder, key.stamp))


class ByteCounter:
    """Turns bytes read into a fraction, and is the cancel point between two tensors."""

    def __init__(self, total: int, cancel: Cancel, progress: Callable[[float], None]) -> None:
        self._total = max(total, 1)
        self._cancel = cancel
        self._progress = progress
        self._read = 0

    def add(self, read: int) -> None:
        """Count bytes; 0 says that something waits, which is no sign of life."""
        if read == 0:
            self._cancel.check_waiting()
            return
        self._cancel.check()
        self._read += read
        self._progress(min(self._read / self._total, 1.0))


def _options(index: dict[str, Any]) -> dict[str, Any]:
    return {"requires_safety_checker": False} if "requires_safety_checker" in index else {}


def _total_bytes(folder: Path, names: list[str]) -> int:
    return sum(file.stat().st_size for name in names for file in weights_of_component(folder / name))


def _load_component(
    folder: Path, name: str, entry: list[str], dtype: torch.dtype, progress: Callable[[int], None]
) -> Any:
    library, class_name = entry
    made = getattr(_LIBRARIES.get(library), class_name, None)
    place = folder / name
    if made is None:
        raise ModelError(f"{name} of {folder.name} is a {library}.{class_name}, which this version does not know.")
    try:
        if issubclass(made, diffusers.ModelMixin):
            return load_network(made, place, dtype, progress)
        if issubclass(made, transformers.PreTrainedModel):
            return load_text_encoder(made, place, dtype, progress)
        return made.from_pretrained(place, local_files_only=True)
    except (OSError, ValueError, KeyError, TypeError) as error:
        if is_out_of_memory(error):
            raise
        raise ModelError(f"{name} of {folder.name} cannot be loaded ({error}): fetch the model again.") from error


def _read_preview(folder: Path) -> dict[str, Any] | None:
    """Return `preview.json`; a model without one, or with a damaged one, is previewed by its family's factors."""
    try:
        return read_object(folder / "preview.json")
    except (OSError, ValueError):
        return None
