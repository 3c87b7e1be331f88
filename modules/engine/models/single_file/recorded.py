"""Tensors that are not read yet.

The converters of diffusers take a dictionary of tensors under a file's names and return one under the names of the
network, with some tensors split, joined or turned. Given these, which have a shape and no numbers, they only say what
is to be done: each tensor of the network can then be made by itself, between two cancel points, when it is its turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import torch

from modules.engine.models.single_file.stored import Stored
from modules.engine.models.single_file.tensor_file import Progress


@dataclass(frozen=True, eq=False)
class _Deed:
    """A function of torch with its arguments, and which of its results is meant (None: the only one)."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    named: Mapping[str, Any]
    place: int | None


class Recorded(torch.Tensor):
    """A tensor on the meta device that knows from what it is to be made."""

    made_from: Stored | _Deed

    @staticmethod
    def __new__(cls, shown: torch.Tensor, made_from: Stored | _Deed) -> Recorded:
        made: Recorded = torch.Tensor._make_subclass(cls, shown)
        made.made_from = made_from
        return made

    @classmethod
    def of(cls, stored: Stored) -> Recorded:
        """Return what stands for a tensor in a file."""
        return cls(torch.empty(stored.shape, dtype=stored.dtype, device="meta"), stored)

    @classmethod
    def by(cls, function: Callable[..., torch.Tensor], *arguments: int) -> Recorded:
        """Return what stands for a tensor that is in no file: what `function` makes of the arguments."""
        return cls(function(*arguments, device="meta"), _Deed(function, arguments, {}, None))

    @classmethod
    def __torch_function__(
        cls, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        named = kwargs or {}
        with torch._C.DisableTorchFunctionSubclass():
            result = func(*args, **named)
            if isinstance(result, torch.Tensor):
                return cls(_plain(result), _Deed(func, args, named, None))
            if isinstance(result, list | tuple) and result and all(isinstance(one, torch.Tensor) for one in result):
                return tuple(cls(_plain(one), _Deed(func, args, named, place)) for place, one in enumerate(result))
        return result

    def stored(self) -> Iterator[Stored]:
        """Yield what is read from files for it."""
        made_from = self.made_from
        if isinstance(made_from, Stored):
            yield made_from
            return
        for one in _flat((made_from.arguments, tuple(made_from.named.values()))):
            yield from one.stored()


# Under the names of a file, or of a network.
Tensors = dict[str, torch.Tensor]


class Reader:
    """Makes the tensors that were recorded. It keeps the last one that it read: what is split is asked for at once."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._last: tuple[Stored, torch.Tensor] | None = None

    def make(self, recorded: Recorded) -> torch.Tensor:
        """Return the numbers; they may lie within those of another tensor."""
        made_from = recorded.made_from
        if isinstance(made_from, Stored):
            if self._last is None or self._last[0] is not made_from:
                self._last = None  # Before the next one is read, so that there are never two.
                self._last = made_from, made_from.read(self._progress)
            return self._last[1]
        result = made_from.function(*self._made(made_from.arguments), **self._made(dict(made_from.named)))
        made: torch.Tensor = result if made_from.place is None else result[made_from.place]
        return made

    def _made(self, value: Any) -> Any:
        if isinstance(value, Recorded):
            return self.make(value)
        if isinstance(value, list | tuple):
            return type(value)(self._made(one) for one in value)
        if isinstance(value, dict):
            return {name: self._made(one) for name, one in value.items()}
        return value

    def forget(self) -> Self:
        """Give back what was read last."""
        self._last = None
        return self


def _plain(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.as_subclass(torch.Tensor)


def _flat(value: Any) -> Iterator[Recorded]:
    if isinstance(value, Recorded):
        yield value
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _flat(one)
