"""The models that the passes of a job run with, one after the other, and the words as each of them reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from modules.engine.engine_parts import EngineParts
from modules.engine.families.base import Asked, vae_of
from modules.engine.families.reading import Reading
from modules.engine.families.seamless import join_edges
from modules.engine.models.loaded_model import LoadedModel, ModelKey
from modules.engine.models.loading import key_of
from modules.engine.work.economy import Economy
from modules.engine.work.model_finder import ModelFinder
from modules.engine.work.networks_in_use import NetworksInUse
from modules.engine.work.wording import Script, wording_of
from modules.errors import ModelError
from modules.jobs.kinds.base import Pass, ResolvedJob
from modules.jobs.kinds.base import Words as JobWords
from modules.jobs.kinds.choice import Models
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.families import facts_of
from modules.jobs.models.model_file import ModelFile

Progress = Callable[[float], None]
# Of a job of a thousand pictures with words of their own each batch has others; that of now is in all passes.
_SCRIPTS_KEPT = 16


class PassModels:
    """Has the model of one pass in memory, with the VAE of the job. `note` is told what people are to know.

    `refuses_useless`: a LoRA that changes nothing in the only model ends the job.
    Nobody else keeps one: while the next is loaded the one before can go, if both have no room.
    """

    def __init__(
        self,
        parts: EngineParts,
        finder: ModelFinder,
        models: Models,
        resolved: ResolvedJob,
        economy: Economy,
        note: Callable[[str, str], None] = lambda kind, text: None,
        refuses_useless: bool = False,
    ) -> None:
        self._parts = parts
        self._finder = finder
        self._models = models
        self._resolved = resolved
        self._economy = economy
        self._networks = NetworksInUse(parts, models, resolved, note, refuses_useless)
        self._loaded: LoadedModel | None = None
        self._loaded_for = 0
        self._scripts: dict[tuple[int, tuple[int, ...] | int], Script] = {}

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
        self._loaded = None
        self._scripts = {}
        if loads:
            parts.status.forget_checkpoint()
            parts.status.change("loading")
        model = parts.model_cache.get(key, progress)
        if loads and (self._key(number) != key or not self._finder.is_unchanged(checkpoint, self._beside(number))):
            parts.model_cache.drop(key)
            raise ModelError(f"The weights of {checkpoint.name} were changed while they were loaded: submit it again.")
        # A VAE that was chosen for the job is of no use to a model of another kind that draws a second pass.
        parts.vae_swap.use(model, self._models.vae if self._share_latents(0, number) else None)
        join_edges((model.denoiser, vae_of(model.pipeline)), joined=self._resolved.tiling)
        parts.status.change("drawing", checkpoint.name)
        self._loaded, self._loaded_for = model, number
        return model

    def decoding(self, number: int, progress: Progress) -> LoadedModel:
        """Return a model that decodes what a pass leaves: the one that is in memory, where it is of that kind.

        Raises:
            Interrupted, ModelError: as `load`.
        """
        if self._loaded is not None and self._share_latents(self._loaded_for, number):
            return self._loaded
        return self.load(number, progress)

    def prepare_networks(self, number: int, index: int) -> None:
        """Have the model in memory draw a pass with the LoRAs that its words call for, those of the picture `index`.

        Raises:
            Interrupted: the job was stopped between two tensors.
            ModelError: a file cannot be read, or gives weights that are no numbers.
        """
        self._networks.prepare(self.in_use, number, index)

    def script(self, number: int, indices: Sequence[int]) -> Script:
        """Return what a pass of some pictures is told, encoded as its model reads it, which is in memory.

        Raises:
            Interrupted: the job was stopped between two layers.
            ModelError: the file of a network cannot be read.
        """
        words, model = self.words_of(number), self.in_use
        self._networks.prepare_words(model, number, indices[0])
        key = number, tuple(indices) if words.each else len(indices)
        if key not in self._scripts:
            if len(self._scripts) >= _SCRIPTS_KEPT:
                self._scripts = {}
            embeddings = self._networks.embeddings(model, number, indices[0])
            reading = Reading(words.syntax, words.emphasis, words.comma_backtrack, embeddings=embeddings)
            asked = Asked.by(self._resolved.passes[number], len(indices))
            asked = replace(asked, clip_skip=words.clip_skip, reading=reading)
            encode = partial(self._parts.encoder.encode, model, asked=asked)
            script = self._scripts[key] = Script(wording_of(self._resolved, number, indices), encode)
            script.encode_all()
        return self._scripts[key]

    def words_of(self, number: int) -> JobWords:
        """Return the words of a pass as the job keeps them."""
        return self._resolved.passes[number].words or self._resolved.words

    def _share_latents(self, one: int, other: int) -> bool:
        """Tell whether the models of two passes have latents of the same kind."""
        ours, theirs = (facts_of(self._checkpoint(number).family) for number in (one, other))
        return self._key(one) == self._key(other) or ours is None or theirs is None or ours.vae == theirs.vae

    def _checkpoint(self, number: int) -> Checkpoint:
        return self._model(number)[0]

    def _beside(self, number: int) -> Mapping[str, ModelFile]:
        """Return the files beside the checkpoint of a pass."""
        return self._model(number)[1]

    def _model(self, number: int) -> tuple[Checkpoint, Mapping[str, ModelFile]]:
        """Return the checkpoint of a pass, and the files beside it."""
        return model_of_pass(self._models, self._resolved.passes[number])

    def _key(self, number: int) -> ModelKey:
        checkpoint, resolved = self._checkpoint(number), self._resolved
        weights = resolved.checkpoint_of(number).hash
        return self._parts.model_cache.with_offload(
            key_of(checkpoint, weights, resolved.dtype), checkpoint.family, more=self._economy.offload
        )


def model_of_pass(models: Models, one: Pass) -> tuple[Checkpoint, Mapping[str, ModelFile]]:
    """Return the checkpoint that runs in a pass, of the models of its job, and the files beside it."""
    if one.checkpoint is not None and one.enlarging is not None and models.hires is not None:
        return models.hires, models.hires_parts
    if one.checkpoint is not None and one.enlarging is None and models.refiner is not None:
        return models.refiner, models.refiner_parts
    return models.checkpoint, models.parts
