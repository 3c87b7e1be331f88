"""Make a pipeline from a model in diffusers layout, part by part, so that a load can be stopped at any time."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from modules.engine.families.known import family_of, read_index
from modules.engine.models.byte_counter import ByteCounter
from modules.engine.models.component_classes import class_of_component, is_network, is_text_encoder, load_reader
from modules.engine.models.loaded_model import LoadedModel, ModelKey
from modules.engine.models.out_of_memory import is_out_of_memory
from modules.engine.models.weights import load_network, load_text_encoder
from modules.engine.stopping.cancel import Cancel
from modules.errors import ModelError
from modules.jobs.models.untrusted_file import read_object
from modules.jobs.models.weight_files import is_component, loaded_components, weights_of_component
from modules.prompts.symbols import symbols_of

_NO_PART = [None, None]  # how an index says that a model has none of a kind


def load_folder(key: ModelKey, cancel: Cancel, progress: Callable[[float], None]) -> LoadedModel:
    """Return the model of a folder, on the CPU; `progress` gets 0..1 meanwhile.

    Raises:
        Interrupted: the job was stopped between two tensors.
        ModelError: the model cannot be loaded.
    """
    folder = key.path
    family = family_of(folder)
    index = read_index(folder)
    wanted = _parameters(family.pipeline)
    names = [name for name in loaded_components(index) if name in wanted and name not in family.left_out]
    counter = ByteCounter(_total_bytes(folder, names), cancel, progress)
    dtype = getattr(torch, key.dtype)
    none = [name for name in wanted if name in family.left_out or index.get(name) == _NO_PART]
    parts: dict[str, Any] = dict.fromkeys(none)
    for name in names:
        cancel.check()
        parts[name] = _load_component(folder, name, index[name], dtype, counter.add)
    pipeline = _assembled(folder, family.pipeline, parts, _options(index, wanted))
    return LoadedModel(key, family, pipeline, _read_preview(folder), symbols_of(folder, key.stamp))


def _parameters(pipeline: Any) -> Mapping[str, inspect.Parameter]:
    """Return what a pipeline is made of, by name: its parts and its options."""
    return {name: one for name, one in inspect.signature(pipeline.__init__).parameters.items() if name != "self"}


def _options(index: dict[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an index says of the pipeline beside its parts. No watermark is drawn, and no picture is judged."""
    options = {name: value for name, value in index.items() if name in wanted and not _is_part(value)}
    off = {name: False for name in ("requires_safety_checker", "add_watermarker") if name in wanted}
    return options | off


def _is_part(value: object) -> bool:
    return value == _NO_PART or is_component("part", value)


def _assembled(folder: Path, pipeline: Any, parts: dict[str, Any], options: dict[str, Any]) -> Any:
    required = [name for name, one in _parameters(pipeline).items() if one.default is one.empty]
    if missing := [name for name in required if name not in parts | options]:
        names = " and no ".join(missing)
        raise ModelError(f"model_index.json in {folder} names no {names}: fetch the model again.")
    try:
        return pipeline(**parts, **options)
    except (TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"The parts of {folder.name} do not fit together ({error}): fetch the model again.") from error


def _total_bytes(folder: Path, names: list[str]) -> int:
    return sum(file.stat().st_size for name in names for file in weights_of_component(folder / name))


def _load_component(
    folder: Path, name: str, entry: list[str], dtype: torch.dtype, progress: Callable[[int], None]
) -> Any:
    library, class_name = entry
    made, place = class_of_component(library, class_name), folder / name
    if made is None:
        raise ModelError(f"{name} of {folder.name} is a {library}.{class_name}, which this version does not load.")
    try:
        if is_network(made):
            return load_network(made, place, dtype, progress)
        if is_text_encoder(made):
            return load_text_encoder(made, place, dtype, progress)
        return load_reader(made, place)
    except (OSError, ValueError, KeyError, TypeError, ImportError) as error:
        if is_out_of_memory(error):
            raise
        raise ModelError(f"{name} of {folder.name} cannot be loaded ({error}): fetch the model again.") from error


def _read_preview(folder: Path) -> dict[str, Any] | None:
    """Return `preview.json`; a model without one, or with a damaged one, is previewed by its family's factors."""
    try:
        return read_object(folder / "preview.json")
    except (OSError, ValueError):
        return None
