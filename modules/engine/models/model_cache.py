"""Load models and keep them, as long as memory suffices: who goes back to one has it at once."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch

from modules.cmd_args import Vram
from modules.engine.families.base import Family
from modules.engine.models.devices import Device
from modules.engine.models.free_memory import Memory, memory_of, memory_of_machine
from modules.engine.models.kept_models import KeptLimit, count_to_drop
from modules.engine.models.loaded_model import LoadedModel, ModelKey
from modules.engine.models.loading import load_model
from modules.engine.models.offload import choose_offload, offload
from modules.engine.models.precision import cast_around
from modules.engine.models.weight_bytes import bytes_held, bytes_needed, bytes_of_networks
from modules.engine.stopping.cancel import Cancel, add_cancel_points
from modules.engine.stopping.kernel_pacing import Pacer, event_maker

logger = logging.getLogger(__name__)

# The share of a memory beside a model's weights without which it is short.
_ROOM_FOR_OTHERS = 0.1


class ModelCache:
    """Holds models in memory, as many as `limit` allows. On the thread that draws; `keys` for any."""

    def __init__(
        self,
        device: Device,
        cancel: Cancel,
        limit: Callable[[], KeptLimit] = KeptLimit,
        memory: Callable[[Device], Memory] = memory_of,
        vram: Vram = "",
    ) -> None:
        self._device = device
        self._cancel = cancel
        self._limit = limit
        self._memory = memory
        self._vram = vram
        self._free_at_start = memory(device).free
        self._networks: dict[ModelKey, list[int]] = {}  # bytes, by the key as nothing is offloaded
        self._models: dict[ModelKey, LoadedModel] = {}  # the one that was used last is last
        self.kept_beside: list[Callable[[], None]] = []  # each lets go of what is kept beside models

    @property
    def loaded(self) -> LoadedModel | None:
        """The model that was used last, if any is in memory."""
        return next(reversed(list(self._models.values())), None)

    @property
    def keys(self) -> frozenset[ModelKey]:
        """All models in memory."""
        return frozenset(self._models)

    def get(self, key: ModelKey, progress: Callable[[float], None]) -> LoadedModel:
        """Return the model, loading it if it is not in memory; `progress` gets 0..1 meanwhile.

        Raises:
            Interrupted: the job was stopped between two tensors.
            ModelError: the model cannot be loaded.
        """
        model = self._models.pop(key, None)
        if model is None:
            self._make_room(key)
            model = self._load(key, progress)
        self._models[key] = model
        return model

    def holds(self, key: ModelKey) -> bool:
        """Tell whether the model is in memory."""
        return key in self._models

    def place_network(self, network: torch.nn.Module, key: ModelKey) -> None:
        """Bring a network that was loaded by itself to where those of a model are, with cancel points like theirs."""
        device = self._device.torch_name
        if device != "cpu" and not key.offload:
            _move(network, device, self._cancel)
        self._add_cancel_points(network, fine=True)

    def placed_anew(self, model: LoadedModel) -> None:
        """Say that a model has another network in the place of one of its own."""
        device = self._device.torch_name
        if device != "cpu":
            offload(model.pipeline, model.key.offload, device)

    def with_offload(self, key: ModelKey, family: str, more: bool) -> ModelKey:
        """Return the key with what suits the device; `more` offloads further than that, since memory ran out.

        By what was free when the engine began, so that it is the same for each pass of a job.
        """
        if self._device.torch_name == "cpu":
            return key
        if key not in self._networks:
            self._networks[key] = bytes_of_networks(key)
        chosen = choose_offload(self._networks[key], self._free_at_start, self._vram, family, more)
        return replace(key, offload=chosen)

    def drop(self, key: ModelKey | None = None) -> None:
        """Forget a model, or all of them, and free the memory."""
        before = len(self._models)
        for one in list(self._models):
            if key in (None, one):
                del self._models[one]
        if len(self._models) < before:
            free_memory(self._device)

    def make_room_beside(self, needed: int) -> None:
        """Drop models until so many bytes of something else fit, those that were unused for longest first.

        The one that was used last stays: the job that runs may be drawn with it.
        """
        rivals = list(self._models)[:-1]
        sizes = self._sizes(rivals)
        limit = KeptLimit(len(rivals) + 1, 100)
        dropped = rivals[: count_to_drop(sizes, needed, limit, self._memory(self._device))] if rivals else []
        for one in dropped:
            logger.info("%s leaves memory for an upscaler", one.path.name)
            del self._models[one]
        if dropped:
            free_memory(self._device)

    def _make_room(self, key: ModelKey) -> None:
        """Drop what would keep a model from fitting, and what can no longer be used: other states of its own files.

        Raises:
            Interrupted: the job was stopped meanwhile; what is dropped then is freed at its end.
        """
        before = len(self._models)
        for one in list(self._models):
            if one.path == key.path and (one.sha256 != key.sha256 or replace(one, offload=key.offload) == key):
                del self._models[one]
        rivals = [one for one in self._models if one.offload == key.offload]
        memory = memory_of_machine() if key.offload else self._memory(self._device)
        needed = bytes_needed(key)
        self._cancel.check()
        if memory.free < needed + memory.total * _ROOM_FOR_OTHERS:
            for forget in self.kept_beside:
                forget()
            memory = memory_of_machine() if key.offload else self._memory(self._device)
        sizes = self._sizes(rivals)
        limit = self._limit()
        room = KeptLimit(max(1, limit.models - len(self._models) + len(rivals)), limit.percent)
        for one in rivals[: count_to_drop(sizes, needed, room, memory)]:
            logger.info("%s leaves memory for %s", one.path.name, key.path.name)
            del self._models[one]
        if len(self._models) < before:
            free_memory(self._device, self._cancel)

    def _sizes(self, keys: Sequence[ModelKey]) -> list[int]:
        """Return the bytes that go with each model: its weights, and what is kept of those that LoRAs changed."""
        models = [self._models[one] for one in keys]
        held = bytes_held([one.pipeline for one in models])
        places = ["cpu" if one.key.offload else self._device.torch_name for one in models]
        return [size + one.changed.bytes_in(place) for size, one, place in zip(held, models, places, strict=True)]

    def _load(self, key: ModelKey, progress: Callable[[float], None]) -> LoadedModel:
        model = load_model(key, self._cancel, progress)
        model.pipeline.set_progress_bar_config(disable=True)
        self._place(model.pipeline, model.family, key)
        progress(1.0)
        logger.info("Loaded %s (%s, %s)", key.path.name, model.family.name, key.dtype)
        return model

    def _place(self, pipeline: Any, family: Family, key: ModelKey) -> None:
        networks = [part for part in pipeline.components.values() if isinstance(part, torch.nn.Module)]
        device = self._device.torch_name
        if device != "cpu" and not key.offload:
            for network in networks:
                _move(network, device, self._cancel)
        denoiser = getattr(pipeline, family.denoiser)
        cast_around(denoiser, getattr(torch, key.dtype))
        for network in networks:
            # A step of the denoiser has blocks enough.
            self._add_cancel_points(network, fine=network is not denoiser)
        if device != "cpu":
            offload(pipeline, key.offload, device)

    def _add_cancel_points(self, network: torch.nn.Module, fine: bool) -> None:
        network.requires_grad_(False)
        new_event = event_maker(self._device.torch_name)
        pacer = None if new_event is None else Pacer(new_event, self._cancel.check_waiting)
        add_cancel_points(network, self._cancel, pacer, fine and pacer is None)


def free_memory(device: Device, cancel: Cancel | None = None) -> None:
    """Give back what no living object holds, to the device and to the system: some hundredths of a second.

    Raises:
        Interrupted: the job that `cancel` is of was stopped meanwhile.
    """
    for free in (gc.collect, device.free_unused):
        if cancel is not None:
            cancel.check()
        free()


def _move(network: torch.nn.Module, device: str, cancel: Cancel) -> None:
    """Bring a network to a device piece by piece, so that a stop is obeyed between two of them."""
    for module in network.modules():
        if not any(True for _ in module.children()):
            cancel.check()
            module.to(device)
    network.to(device)  # What belongs to no leaf.
