"""Load a model and keep it: one at a time, as long as the next job wants the same."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers

from modules.engine.families.base import Family
from modules.engine.families.known import family_of, read_index
from modules.engine.models.devices import Device
from modules.engine.models.out_of_memory import is_out_of_memory
from modules.engine.models.precision import cast_around
from modules.engine.models.weights import load_network, load_text_encoder
from modules.engine.stopping.cancel import Cancel, add_cancel_points
from modules.engine.stopping.kernel_pacing import Pacer, event_maker
from modules.errors import ModelError
from modules.jobs.models.untrusted_file import read_object
from modules.jobs.models.weight_files import loaded_components, weights_of_component
from modules.prompts.symbols import NO_SYMBOLS, Symbols, symbols_of

logger = logging.getLogger(__name__)

_LIBRARIES = {"diffusers": diffusers, "transformers": transformers}


@dataclass(frozen=True)
class ModelKey:
    """What a loaded model is known by: the folder, its weights, and how they are held.

    `stamp` changes with any file that a load reads, such as the scheduler's configuration.
    With `offload` each network is on an accelerator only while it works: slower, with less of the device's memory.
    """

    folder: Path
    sha256: str
    dtype: str
    offload: bool = False
    stamp: str = ""


@dataclass(frozen=True)
class LoadedModel:
    """A model in memory. `symbols` are the words that it reads for characters."""

    key: ModelKey
    family: Family
    pipeline: Any
    preview: dict[str, Any] | None
    symbols: Symbols = NO_SYMBOLS

    @property
    def denoiser(self) -> Any:
        """The network that takes the noise away."""
        return getattr(self.pipeline, self.family.denoiser)


class ModelCache:
    """Holds the one loaded model."""

    def __init__(self, device: Device, cancel: Cancel) -> None:
        self._device = device
        self._cancel = cancel
        self._loaded: LoadedModel | None = None

    @property
    def loaded(self) -> LoadedModel | None:
        """The model in memory, if any."""
        return self._loaded

    def get(self, key: ModelKey, progress: Callable[[float], None]) -> LoadedModel:
        """Return the model, loading it if it is not the one in memory; `progress` gets 0..1 meanwhile.

        Raises:
            Interrupted: the job was stopped between two tensors.
            ModelError: the model cannot be loaded.
        """
        if self._loaded is None or self._loaded.key != key:
            self.drop()
            self._loaded = self._load(key, progress)
        return self._loaded

    def drop(self) -> None:
        """Forget the model and free its memory."""
        if self._loaded is not None:
            self._loaded = None
            free_memory(self._device)

    def _load(self, key: ModelKey, progress: Callable[[float], None]) -> LoadedModel:
        folder = key.folder
        family = family_of(folder)
        index = read_index(folder)
        names = loaded_components(index)
        counter = _ByteCounter(_total_bytes(folder, names), self._cancel, progress)
        dtype = getattr(torch, key.dtype)
        parts: dict[str, Any] = dict.fromkeys(family.left_out)
        for name in names:
            self._cancel.check()
            parts[name] = _load_component(folder, name, index[name], dtype, counter.add)
        pipeline = family.pipeline(**parts, **_options(index))
        pipeline.set_progress_bar_config(disable=True)
        self._place(pipeline, family, key)
        progress(1.0)
        logger.info("Loaded %s (%s, %s)", folder.name, family.name, key.dtype)
        return LoadedModel(key, family, pipeline, _read_preview(folder), symbols_of(folder, key.stamp))

    def _place(self, pipeline: Any, family: Family, key: ModelKey) -> None:
        networks = [part for part in pipeline.components.values() if isinstance(part, torch.nn.Module)]
        device = self._device.torch_name
        if device != "cpu" and not key.offload:
            for network in networks:
                _move(network, device, self._cancel)
        denoiser = getattr(pipeline, family.denoiser)
        cast_around(denoiser, getattr(torch, key.dtype))
        new_event = event_maker(device)
        for network in networks:
            network.requires_grad_(False)
            pacer = None if new_event is None else Pacer(new_event, self._cancel.check_waiting)
            # A step of the denoiser has blocks enough.
            fine = pacer is None and network is not denoiser
            add_cancel_points(network, self._cancel, pacer, fine)
        if device != "cpu" and key.offload:
            pipeline.enable_model_cpu_offload(device=device)


def free_memory(device: Device) -> None:
    """Give back what no living object holds, to the device and to the system."""
    gc.collect()
    device.free_unused()


def _move(network: torch.nn.Module, device: str, cancel: Cancel) -> None:
    """Bring a network to a device piece by piece, so that a stop is obeyed between two of them."""
    for module in network.modules():
        if not any(True for _ in module.children()):
            cancel.check()
            module.to(device)
    network.to(device)  # What belongs to no leaf.


class _ByteCounter:
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
