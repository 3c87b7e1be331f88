"""What pipelines read of the words, kept by text and model: a batch, or the next job, does not encode it again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Any

import torch

from modules.engine.families.base import Asked, Words
from modules.engine.families.reading import Text, Texts
from modules.engine.models.loaded_model import LoadedModel
from modules.jobs.models.defaults import STEPS_HIGHEST

# Of a prompt that says something else at each of the most steps a text encoder is asked for each text, and the negative
# one may do so too; all of them are read anew with each one (`clip_chunks`), so fewer would be of no use.
_KEPT_AT_MOST = 6 * STEPS_HIGHEST
_BYTES_AT_MOST = 512 * 2**20


class PromptEncoder:
    """Encodes prompts, and remembers."""

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, Any] = OrderedDict()
        self._bytes = 0

    def encode(self, model: LoadedModel, prompts: str | Texts, negative_prompts: str | Texts, asked: Asked) -> Words:
        """Return what the model's pipeline reads of both prompts, as arguments of its call.

        Of each there is one for all pictures, or one for each of them.

        Raises:
            Interrupted: the job was stopped between two layers.
        """
        asked = replace(asked, reading=replace(asked.reading, symbols=model.symbols))
        read_by = model.key, model.changed.read_with, asked.reading.key

        def remember(text: Hashable, encode: Callable[[], Any]) -> Any:
            key = read_by, text
            if key not in self._known:
                self._keep(key, encode())
            self._known.move_to_end(key)
            return self._known[key]

        return model.family.encode(model.pipeline, _texts(prompts), _texts(negative_prompts), asked, remember)

    def forget(self) -> None:
        """Drop all that is kept; for when another model is loaded."""
        self._known.clear()
        self._bytes = 0

    def _keep(self, key: Hashable, made: Any) -> None:
        self._known[key] = made
        self._bytes += _bytes_of(made)
        while len(self._known) > 1 and (len(self._known) > _KEPT_AT_MOST or self._bytes > _BYTES_AT_MOST):
            _, dropped = self._known.popitem(last=False)
            self._bytes -= _bytes_of(dropped)


def _texts(prompts: str | Texts) -> Texts:
    return (Text(prompts),) if isinstance(prompts, str) else prompts


def _bytes_of(made: Any) -> int:
    values = [made] if isinstance(made, torch.Tensor) else vars(made).values()
    return sum(value.nbytes for value in values if isinstance(value, torch.Tensor))
