"""LoRAs in the weights of the model that draws: put in, changed and taken out between jobs, without loading it anew.

The weights that they change are kept as they were, so that nothing is ever subtracted: without a LoRA the model has its
own bits again.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

import torch

from modules.engine.families.word_memory import forget_words
from modules.engine.models.changed_weights import Applied, ChangedWeights, Place
from modules.engine.models.devices import Device
from modules.engine.models.free_memory import memory_of
from modules.engine.models.loaded_model import LoadedModel
from modules.engine.models.model_cache import ModelCache
from modules.engine.networks.kept_files import KeptFiles, Wanted
from modules.engine.networks.merging import Unit, Use, units_of, work_in
from modules.engine.networks.module_names import ModuleNames
from modules.engine.networks.parameters import Parameters
from modules.engine.networks.textual_inversion import Vectors
from modules.engine.stopping.cancel import Cancel
from modules.errors import ModelError

logger = logging.getLogger(__name__)

# What has to stay free on an accelerator for the weights as they were to be kept there too.
_ROOM_BYTES = 4 * 2**30
_NAMED_AT_MOST = 12  # in the log


class LoraWeights:
    """Knows what is in the weights of each model, and changes it. On the thread that draws."""

    def __init__(self, device: Device, cancel: Cancel, cache: ModelCache) -> None:
        self._device = device
        self._cancel = cancel
        self._cache = cache
        self._files = KeptFiles()
        self._keeps_on_device = True
        self._names: WeakKeyDictionary[Any, ModuleNames] = WeakKeyDictionary()  # by pipeline
        self._changed: WeakKeyDictionary[Any, ChangedWeights] = WeakKeyDictionary()  # by pipeline
        cache.kept_beside.append(self.forget)

    @property
    def keys(self) -> frozenset[str]:
        """What takes memory beside models: files, and weights as they were before. The same set takes as much."""
        changed = (sum(one.nbytes for one in its.originals.values()) for its in self._changed.values())
        return self._files.keys | {f"{size} bytes" for size in changed if size}

    def use(self, model: LoadedModel, wanted: Sequence[Wanted], words_only: bool = False) -> tuple[str, ...]:
        """Have these LoRAs in the weights of a model, and no others; `words_only`: in those of its text encoders.

        Each is used as often as it stands there. Return what people are told: of layers that cannot be used.

        Raises:
            Interrupted: the job was stopped between two tensors. What is in the weights then is put right by the next
                call, whatever that asks for.
            ModelError: a file cannot be read, or gives weights that are no numbers.
        """
        names, applied = self._names_of(model), model.changed.applied
        self._changed[model.pipeline] = model.changed
        components = [name for name in names.components if not words_only or name.startswith("text_encoder")]
        asked = "\n".join(one.key for one in wanted)
        now = {name: applied.get(name, Applied()) for name in components}
        left = [name for name, one in now.items() if one is None or one.asked != asked]
        if left:
            with ExitStack() as opened:
                used, told, useless = self._uses(model, wanted, names, opened)
                for name in left:
                    here = [(one, [use for use in uses if use.target.network == name]) for one, uses in used]
                    held = "\n".join(one.said_of(name) for one, uses in here if uses)
                    before = now[name]
                    if before is None or before.held != held:
                        applied[name] = None
                        self._apply(model, name, [use for _, uses in here for use in uses])
                    applied[name] = Applied(asked, held, told, useless)
            logger.info("%s has %s in its %s", model.key.path.name, _said(wanted), " and ".join(left))
        found = (applied.get(name) or Applied() for name in components)
        return tuple(dict.fromkeys(text for one in found for text in one.told))

    def useless(self, model: LoadedModel) -> frozenset[str]:
        """Return what of the things that `use` told is of LoRAs that change nothing in this model."""
        return frozenset(text for one in model.changed.applied.values() if one is not None for text in one.useless)

    def bundled(self, model: LoadedModel, wanted: Sequence[Wanted]) -> dict[str, Vectors]:
        """Return the textual inversions that lie in the files of these LoRAs, by word.

        Raises:
            Interrupted: the job was stopped between two tensors.
            ModelError: a file cannot be read, or what it has for a word are no vectors.
        """
        with ExitStack() as opened:
            return {
                word: vectors
                for one in wanted
                for word, vectors in self._files.bundled(one, opened, self._get_on).items()
            }

    def forget(self) -> None:
        """Drop the files that are kept; what is in the weights of models stays."""
        self._files.forget()

    def _names_of(self, model: LoadedModel) -> ModuleNames:
        names = self._names.get(model.pipeline)
        if names is None:
            names = self._names[model.pipeline] = ModuleNames(model.pipeline, model.family)
        return names

    def _uses(
        self, model: LoadedModel, wanted: Sequence[Wanted], names: ModuleNames, opened: ExitStack
    ) -> tuple[list[tuple[Wanted, list[Use]]], tuple[str, ...], tuple[str, ...]]:
        """Return how the adapters of each LoRA are used, in the order of the prompt, and what people are told.

        What is told of those that change nothing comes once more, by itself.
        """
        used: list[tuple[Wanted, list[Use]]] = []
        told: list[str] = []
        useless: list[str] = []
        for one in wanted:
            if one.te == one.unet == 0:
                continue
            fitting = self._files.fitting(one, model, names, opened, self._get_on)
            if fitting.told is not None:
                told.append(fitting.told)
                useless += [] if fitting.adapters else [fitting.told]
            uses: list[Use] = []
            for target, adapter in fitting.adapters:
                strength = one.strength(target.network, names.block(target))
                if strength:
                    settings = replace(adapter.settings, rank_used=one.rank_used)
                    uses.append(Use(one.name, target, adapter, settings, strength))
            used.append((one, uses))
        return used, tuple(told), tuple(useless)

    def _get_on(self, _bytes: int) -> None:
        self._cancel.check()

    def _apply(self, model: LoadedModel, component: str, uses: Sequence[Use]) -> None:
        """Have these uses, and none else, in the weights of a component."""
        if component.startswith("text_encoder"):
            forget_words(model.pipeline)
        originals = model.changed.originals
        parameters = Parameters(getattr(model.pipeline, component))
        units = units_of(uses)
        self._make_room(model, parameters, units)
        device = torch.device(model.pipeline._execution_device) if units else None
        used = set[Place]()
        for unit in units:
            self._cancel.check()
            used |= self._change(model, parameters, unit, device)
        for place in [one for one in originals if one.component == component and one not in used]:
            self._cancel.check()
            parameters.put(place.module, place.name, originals[place])
            del originals[place]

    def _change(
        self, model: LoadedModel, parameters: Parameters, unit: Unit, device: torch.device | None
    ) -> set[Place]:
        """Have the uses of a unit in its weights, computed on a device; return which parameters these are."""
        values = {
            name: {
                path: self._original(model, parameters, Place(unit.component, path, name)).to(device).to(torch.float32)
                for path in unit.modules
                if name in parameters.of(path)
            }
            for name in ("weight", "bias")
        }
        before = {name: dict(its) for name, its in values.items()}
        for use in unit.uses:
            work_in(use, use.adapter.read(device, self._get_on), values["weight"], values["bias"])
        places = set[Place]()
        for name, its in values.items():
            for path, value in its.items():
                if value is not before[name][path]:
                    places.add(self._put(model, parameters, Place(unit.component, path, name), value, unit))
        return places

    def _original(self, model: LoadedModel, parameters: Parameters, place: Place) -> torch.Tensor:
        kept = model.changed.originals.get(place)
        return parameters.get(place.module, place.name) if kept is None else kept

    def _put(self, model: LoadedModel, parameters: Parameters, place: Place, value: torch.Tensor, unit: Unit) -> Place:
        """Put a changed parameter into the model, after what it was is kept."""
        held = parameters.get(place.module, place.name)
        changed = value.to(held.dtype)
        if not all(torch.isfinite(end) for end in torch.aminmax(changed)):
            raise ModelError(f"{unit.names} give weights that are no numbers: use less of them, or fetch them again.")
        if place not in model.changed.originals:
            model.changed.originals[place] = held if self._keeps_on_device else held.to("cpu")
        parameters.put(place.module, place.name, changed)
        return place

    def _make_room(self, model: LoadedModel, parameters: Parameters, units: Sequence[Unit]) -> None:
        """Have memory for what is to be kept: on the device if that has much, else in the machine's."""
        new = [
            parameters.get(path, "weight").nbytes
            for unit in units
            for path in unit.modules
            if Place(unit.component, path, "weight") not in model.changed.originals
        ]
        self._keeps_on_device = self._device.torch_name == "cpu" or (
            not model.key.offload and memory_of(self._device).free > sum(new) + _ROOM_BYTES
        )
        if new and self._keeps_on_device:
            self._cache.make_room_beside(sum(new))


def _said(wanted: Sequence[Wanted]) -> str:
    named = ", ".join(f"{one.name} ({one.te:g}, {one.unet:g})" for one in wanted[:_NAMED_AT_MOST])
    more = len(wanted) - _NAMED_AT_MOST
    return f"{named} and {more} more" if more > 0 else named or "no LoRA"
