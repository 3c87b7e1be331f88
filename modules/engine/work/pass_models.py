"""The models that the passes of a job run with, one after the other, and the words as each of them reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from modules.engine.engine_parts import EngineParts
from modules.engine.families.base import Asked, Words
from modules.engine.models.loaded_model import LoadedModel, ModelKey
from modules.engine.models.loading import key_of
from modules.engine.work.economy import Economy
from modules.engine.work.model_finder import ModelFinder
from modules.errors import ModelError
from modules.jobs.kinds.base import ResolvedJob
from modules.jobs.kinds.choice import Models
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.model_file import ModelFile

Progress = Callable[[float], None]


class PassModels:
    """Has the model of one pass in memory, with the VAE of the job.

    Nobody else keeps one: while the next is loaded the one before can go, if both have no room.
    """

    def __init__(
        self, parts: EngineParts, finder: ModelFinder, models: Models, resolved: ResolvedJob, economy: Economy
    ) -> None:
        self._parts = parts
        self._finder = finder
        self._models = models
        self._resolved = resolved
        self._economy = economy
        self._loaded: LoadedModel | None = None
        self._words: Words | None = None

    @property
    def loaded(self) -> LoadedModel | None:
        """The model that was asked for last; None: there is none, or it is being loaded."""
        return self._loaded

    @property
    def in_use(self) -> LoadedModel:
        """The model that was asked for last, which is there."""
        assert self._loaded is not None
        return self._loaded

    def has_to_load(self, number: int) -> bool:
        """Tell whether the model of a pass is not in memory."""
        return not self._parts.model_cache.holds(self._key(number))

    def is_at(self, number: int) -> bool:
        """Tell whether the model that was asked for last is that of a pass."""
        return self._loaded is not None and self._loaded.key == self._key(number)

    def load(self, number: int, progress: Progress) -> LoadedModel:
        """Return the model of a pass, loading it if it is not in memory; `progress` gets 0..1 meanwhile.

        Raises:
            Interrupted: the job was stopped between two tensors.
            ModelError: it cannot be loaded.
        """
        if self._loaded is not None and self.is_at(number):
            return self._loaded
        parts, checkpoint, key = self._parts, self._checkpoint(number), self._key(number)
        loads = not parts.model_cache.holds(key)
        self._loaded = self._words = None
        if loads:
            parts.status.forget_checkpoint()
            parts.status.change("loading")
        model = parts.model_cache.get(key, progress)
        if loads and (self._key(number) != key or not self._finder.is_unchanged(checkpoint, self._beside(number))):
            parts.model_cache.drop(key)
            raise ModelError(f"The weights of {checkpoint.name} were changed while they were loaded: submit it again.")
        parts.vae_swap.use(model, self._models.vae)
        parts.status.change("drawing", checkpoint.name)
        self._loaded = model
        return model

    def words(self, number: int) -> Words:
        """Return the job's words as the model of a pass reads them, which is in memory.

        Raises:
            Interrupted: the job was stopped between two layers.
        """
        if self._words is None:
            words, pictures = self._resolved.words, self._economy.batch_size_of(self._resolved)
            asked = replace(Asked.by(self._resolved.passes[number], pictures), clip_skip=words.clip_skip)
            self._words = self._parts.encoder.encode(self.in_use, words.prompt, words.negative_prompt, asked)
        return self._words

    def _checkpoint(self, number: int) -> Checkpoint:
        own = self._resolved.passes[number].checkpoint
        refiner = self._models.refiner
        return self._models.checkpoint if own is None or refiner is None else refiner

    def _beside(self, number: int) -> Mapping[str, ModelFile]:
        """Return the files beside the checkpoint of a pass."""
        models = self._models
        return models.parts if self._checkpoint(number) is models.checkpoint else models.refiner_parts

    def _key(self, number: int) -> ModelKey:
        checkpoint, resolved = self._checkpoint(number), self._resolved
        weights = resolved.checkpoint_of(number).hash
        return self._parts.model_cache.with_offload(
            key_of(checkpoint, weights, resolved.dtype), checkpoint.family, more=self._economy.offload
        )
