"""What pipelines read of the words, kept by text and model: a batch, or the next job, does not encode it again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from modules.engine.families.base import Asked, Words
from modules.engine.models.loaded_model import LoadedModel, ModelKey

_KEPT_AT_MOST = 256


class PromptEncoder:
    """Encodes prompts, and remembers."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[ModelKey, str, int, str], Any] = OrderedDict()

    def encode(self, model: LoadedModel, prompt: str, negative_prompt: str, asked: Asked) -> Words:
        """Return what the model's pipeline reads of both prompts, as arguments of its call.

        Raises:
            Interrupted: the job was stopped between two layers.
        """

        def remember(text: str, encode: Callable[[str], Any]) -> Any:
            key = (model.key, model.changed.read_with, asked.clip_skip, text)
            if key not in self._known:
                self._known[key] = encode(text)
            self._known.move_to_end(key)
            if len(self._known) > _KEPT_AT_MOST:
                self._known.popitem(last=False)
            return self._known[key]

        spelled, negative = model.symbols.spell_out(prompt), model.symbols.spell_out(negative_prompt)
        return model.family.encode(model.pipeline, spelled, negative, asked, remember)

    def forget(self) -> None:
        """Drop all that is kept; for when another model is loaded."""
        self._known.clear()
