"""Go on between two steps of a sampler as if it had never stopped: its state, taken out of one scheduler into another.

A picture's rest depends on its latents, on what the scheduler remembers (multistep histories, its place in the list)
and on the generator that draws the noise. All of it is in `SamplingState`, whatever the sampler.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from diffusers import SchedulerMixin

from modules.engine.samplers.estimate import Step

# What a scheduler holds that is no state: its configuration, which the same request gives again.
_NOT_STATE = frozenset({"_internal_dict"})


@dataclass(frozen=True)
class SamplingState:
    """Where a pass is between two steps.

    Of the scheduler's list `first` is the place at which it began, `place` the next one, and `places` the one at which
    it ends (some samplers have two for each step that was asked for). `latents`: (batch, …), as the scheduler sees
    them. `scheduler`: its attributes. `generators`: the state of each picture's. `latest`: what the last step started
    from.
    """

    place: int
    places: int
    latents: torch.Tensor
    scheduler: Mapping[str, Any]
    generators: tuple[torch.Tensor, ...]
    latest: Step | None = None
    first: int = 0

    @property
    def standing(self) -> tuple[int, int]:
        """How many of how many places are done."""
        return self.place - self.first, self.places - self.first

    def steps_of(self, asked: int) -> int:
        """Return how many of the `asked` steps are done."""
        done, places = self.standing
        return done * asked // places


def take_state(
    place: int,
    latents: torch.Tensor,
    scheduler: Any,
    generators: Sequence[torch.Generator],
    latest: Step | None = None,
    first: int = 0,
    places: int | None = None,
) -> SamplingState:
    """Copy all that the rest of a pass depends on. Between two steps only; what is copied does not change any more.

    `places` is where the pass ends; None: with the scheduler's list.
    """
    attributes = _attributes_of(scheduler)
    states = tuple(generator.get_state() for generator in generators)
    places = len(scheduler.timesteps) if places is None else places
    return SamplingState(place, places, latents.detach().clone(), attributes, states, latest, first)


def restore(scheduler: Any, state: SamplingState) -> None:
    """Give a scheduler, whose list is made, what the stopped one had."""
    _give(scheduler, state.scheduler)


def _attributes_of(scheduler: Any) -> dict[str, Any]:
    """Return copies of what a scheduler holds; of one inside of it again what that holds."""
    return {
        name: _attributes_of(value) if isinstance(value, SchedulerMixin) else _copied(value)
        for name, value in vars(scheduler).items()
        if name not in _NOT_STATE
    }


def _give(scheduler: Any, attributes: Mapping[str, Any]) -> None:
    held = vars(scheduler)
    for name, value in attributes.items():
        inside = held.get(name)
        if isinstance(inside, SchedulerMixin):
            _give(inside, value)
        else:
            held[name] = _copied(value)


def generators_from(states: Sequence[torch.Tensor]) -> list[torch.Generator]:
    """Return generators that go on from `states`."""
    generators = [torch.Generator() for _ in states]
    for generator, state in zip(generators, states, strict=True):
        generator.set_state(state)
    return generators


def _copied(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.detach().clone()
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, list):
        return [_copied(entry) for entry in value]
    return value


# --- To a file and back ---------------------------------------------------------------------------------------------

_ON_DEVICE, _ON_CPU, _ARRAY, _LIST, _TUPLE, _STEP = "device", "cpu", "array", "list", "tuple", "step"


def pack(state: SamplingState) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Return the tensors by name, on the CPU, and the rest as a value for JSON. For any thread.

    Raises:
        TypeError: the scheduler holds something that no file can keep.
    """
    tensors: dict[str, torch.Tensor] = {}
    whole = {
        "latents": state.latents,
        "scheduler": dict(state.scheduler),
        "generators": list(state.generators),
        "latest": state.latest,
    }
    rest = {name: _packed(value, name, tensors) for name, value in whole.items()}
    return tensors, rest | {"place": state.place, "places": state.places, "first": state.first}


def unpack(tensors: Mapping[str, torch.Tensor], rest: Mapping[str, Any], device: str) -> SamplingState:
    """Return what `pack` was given, with the tensors on `device` that were on one.

    Raises:
        LookupError, TypeError, ValueError: these are not what `pack` returned.
    """
    names = ("latents", "scheduler", "generators", "latest")
    whole = {name: _unpacked(rest[name], tensors, device) for name in names}
    return SamplingState(
        place=int(rest["place"]),
        places=int(rest["places"]),
        latents=whole["latents"],
        scheduler=whole["scheduler"],
        generators=tuple(whole["generators"]),
        latest=whole["latest"],
        first=int(rest["first"]),
    )


def _packed(value: Any, name: str, tensors: dict[str, torch.Tensor]) -> Any:
    """Plain values stay; anything else becomes {kind: content}, dicts too, so that none is taken for the other."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, np.generic):
        return _packed(np.asarray(value), name, tensors)
    if isinstance(value, np.ndarray):
        tensors[name] = torch.from_numpy(np.array(value))
        return {_ARRAY: name}
    if isinstance(value, torch.Tensor):
        # A copy: no two may share memory in the file, and some are the same in two places.
        tensors[name] = value.detach().to("cpu", copy=True).contiguous()
        return {_ON_CPU if value.device.type == "cpu" else _ON_DEVICE: name}
    if isinstance(value, Step):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return {_STEP: {key: _packed(entry, f"{name}.{key}", tensors) for key, entry in fields.items()}}
    if isinstance(value, list | tuple):
        kind = _LIST if isinstance(value, list) else _TUPLE
        return {kind: [_packed(entry, f"{name}.{place}", tensors) for place, entry in enumerate(value)]}
    if isinstance(value, dict):
        return {"dict": {key: _packed(entry, f"{name}.{key}", tensors) for key, entry in value.items()}}
    raise TypeError(f"{name} of the sampler is a {type(value).__name__}, which no snapshot can hold")


def _unpacked(value: Any, tensors: Mapping[str, torch.Tensor], device: str) -> Any:
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == _ARRAY:
        array = tensors[content].numpy()
        return array if array.ndim else array[()]
    if kind == _ON_CPU:
        return tensors[content]
    if kind == _ON_DEVICE:
        return tensors[content].to(device)
    if kind in (_LIST, _TUPLE):
        entries = [_unpacked(entry, tensors, device) for entry in content]
        return entries if kind == _LIST else tuple(entries)
    if kind not in (_STEP, "dict"):
        raise ValueError(f"{kind!r} is no kind of value")
    fields = {key: _unpacked(entry, tensors, device) for key, entry in content.items()}
    return Step(**fields) if kind == _STEP else fields
