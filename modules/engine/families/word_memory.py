"""What a pipeline made of words, kept on the pipeline: no family's order of embeddings has to be known for that."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

# Words are a few megabytes each, as embeddings of a large language model.
_KEPT_AT_MOST = 64


class Remembered:
    """A method that is asked only once about the same words. What is not words is not kept."""

    def __init__(self, method: Callable[..., Any]) -> None:
        self._method = method
        self._known: OrderedDict[str, Any] = OrderedDict()
        self.anything_will_do = False

    def __call__(self, *arguments: Any, **more: Any) -> Any:
        """Return what the method returned when it was asked the same, else ask it.

        Where `anything_will_do`, what it last returned is enough, whatever it was asked.
        """
        if self.anything_will_do and self._known:
            return next(reversed(self._known.values()))
        given = (*arguments, *more.values())
        if any(_holds_tensor(value) for value in given):
            return self._method(*arguments, **more)
        key = repr((arguments, sorted(more.items())))
        if key not in self._known:
            self._known[key] = self._method(*arguments, **more)
        self._known.move_to_end(key)
        if len(self._known) > _KEPT_AT_MOST:
            self._known.popitem(last=False)
        return self._known[key]

    def forget(self) -> None:
        """Drop all that is remembered."""
        self._known.clear()


def remember_words(pipeline: Any, names: Iterable[str]) -> None:
    """Have a pipeline's methods with these names remember; those that it does not have, or that do, are passed over."""
    for name in names:
        method = getattr(pipeline, name, None)
        if method is not None and not isinstance(method, Remembered):
            setattr(pipeline, name, Remembered(method))


def forget_words(pipeline: Any) -> None:
    """Drop what a pipeline's methods remember; for when its text encoders read words in another way from now on."""
    for value in vars(pipeline).values():
        if isinstance(value, Remembered):
            value.forget()


@contextmanager
def answering_with_anything(pipeline: Any) -> Iterator[None]:
    """Let no text encoder be asked inside: nobody reads what the words say, only that there are some."""
    memories = [value for value in vars(pipeline).values() if isinstance(value, Remembered)]
    for memory in memories:
        memory.anything_will_do = True
    try:
        yield
    finally:
        for memory in memories:
            memory.anything_will_do = False


def _holds_tensor(value: Any) -> bool:
    return isinstance(value, torch.Tensor) or (
        isinstance(value, list | tuple) and any(isinstance(one, torch.Tensor) for one in value)
    )
