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

from modules.engine.samplers.denoised import Step

# What a scheduler holds that is no state: its configuration, which the same request gives again.
_NOT_STATE = frozenset({"_internal_dict"})


@dataclass(frozen=True)
class SamplingState:
    """Where a batch is between two steps.

    `done` of `steps` steps of the scheduler are done (some samplers take two for each that was asked for). `latents`:
    (batch, channels, height / 8, width / 8). `scheduler`: its attributes. `generators`: the state of each picture's.
    """

    done: int
    steps: int
    latents: torch.Tensor
    scheduler: Mapping[str, Any]
    generators: tuple[torch.Tensor, ...]

    def steps_of(self, asked: int) -> int:
        """Return how many of the `asked` steps are done."""
        return self.done * asked // self.steps


def take_state(
    done: int, steps: int, latents: torch.Tensor, scheduler: Any, generators: Sequence[torch.Generator]
) -> SamplingState:
    """Copy all that the rest of a batch depends on. Between two steps only; what is copied does not change any more."""
    attributes = {name: _copied(value) for name, value in vars(scheduler).items() if name not in _NOT_STATE}
    states = tuple(generator.get_state() for generator in generators)
    return SamplingState(done, steps, latents.detach().clone(), attributes, states)


def generators_from(states: Sequence[torch.Tensor]) -> list[torch.Generator]:
    """Return generators that go on from `states`."""
    generators = [torch.Generator() for _ in states]
    for generator, state in zip(generators, states, strict=True):
        generator.set_state(state)
    return generators


class Resumed:
    """A scheduler that a pipeline takes for a fresh one, and that goes on where another one stopped.

    Outside it shows the tail of the timesteps, and leaves latents as they are where a pipeline scales pure noise.
    Inside the scheduler keeps its full list, since some look at its length. Its own bound `step` is handed out, since
    pipelines look at the signature.
    """

    def __init__(self, scheduler: Any, state: SamplingState) -> None:
        self._scheduler = scheduler
        self._state = state

    @property
    def timesteps(self) -> Any:
        """The timesteps that are left."""
        return self._scheduler.timesteps[self._state.done :]

    @property
    def init_noise_sigma(self) -> float:
        """The latents are no pure noise any more."""
        return 1.0

    def set_timesteps(self, *arguments: Any, **more: Any) -> None:
        """Prepare the whole list, then put back what the stopped scheduler had."""
        self._scheduler.set_timesteps(*arguments, **more)
        vars(self._scheduler).update({name: _copied(value) for name, value in self._state.scheduler.items()})

    def __getattr__(self, name: str) -> Any:
        return getattr(self._scheduler, name)


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
    }
    rest = {name: _packed(value, name, tensors) for name, value in whole.items()}
    return tensors, rest | {"done": state.done, "steps": state.steps}


def unpack(tensors: Mapping[str, torch.Tensor], rest: Mapping[str, Any], device: str) -> SamplingState:
    """Return what `pack` was given, with the tensors on `device` that were on one.

    Raises:
        LookupError, TypeError, ValueError: these are not what `pack` returned.
    """
    whole = {name: _unpacked(rest[name], tensors, device) for name in ("latents", "scheduler", "generators")}
    return SamplingState(
        done=int(rest["done"]),
        steps=int(rest["steps"]),
        latents=whole["latents"],
        scheduler=whole["scheduler"],
        generators=tuple(whole["generators"]),
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
