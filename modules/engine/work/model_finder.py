"""The models of a job as they are on disk: found again by what its row keeps of them, with their hashes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from modules.engine.engine_parts import EngineParts
from modules.engine.stopping.interruptible_wait import wait_for
from modules.errors import InvalidRequest, ModelError
from modules.jobs.kinds.base import ResolvedJob, Source
from modules.jobs.kinds.choice import Choice, ChosenCheckpoint, ChosenFile, ChosenModel, Models
from modules.jobs.kinds.drawing_request import DrawingRequest
from modules.jobs.kinds.stages import hires_model_of, refiner_of
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.companions import kind_of_part
from modules.jobs.models.model_file import LABELS, ModelFile
from modules.jobs.models.places import Kind
from modules.jobs.models.upscalers import Upscaler
from modules.jobs.models.vae_file import VaeFile, stamp_of_file
from modules.jobs.rows import Job

T = TypeVar("T")


class ModelFinder:
    """Finds models. What takes seconds, hashing a large one for the first time, is stopped with the job.

    Raises:
        Interrupted: in all methods, when the job is stopped meanwhile.
    """

    def __init__(self, parts: EngineParts) -> None:
        self._parts = parts

    def of_request(self, job: Job, request: DrawingRequest) -> Models:
        """Return the models that were chosen when the job was sent; for a row that keeps no choice, those of now.

        Raises:
            InvalidRequest: one is not there any more.
            ModelError: one cannot be used, or was changed since.
        """
        choice = Choice.in_row(job.request)
        if choice is None:
            models = request.find_models(self._parts.catalogue, self._parts.options.values)
            choice = Choice.of(models)
        return self.of_choice(choice)

    def of_choice(self, choice: Choice) -> Models:
        """Return the models that were chosen.

        Raises:
            InvalidRequest, ModelError: as `of_request`.
        """
        found = self._found(choice.checkpoint, choice.vae, choice.refiner, choice.hires)
        upscaler = None if choice.upscaler is None else self.upscaler(choice.upscaler)
        found = self._with_files(found, choice.networks, choice.embeddings)
        return replace(
            found,
            clip_skip=choice.clip_skip,
            told=choice.told,
            modules=choice.modules,
            upscaler=upscaler,
            styles=choice.styles,
        )

    def of_row(self, resolved: ResolvedJob) -> Models:
        """Return the models that an earlier run of the job began with; its row says what enlarges.

        Raises:
            InvalidRequest, ModelError: as `of_request`.
        """
        sources = resolved.sources
        found = self._found(sources.checkpoint, sources.vae, refiner_of(resolved), hires_model_of(resolved))
        found = self._with_files(found, sources.networks, sources.embeddings)
        return replace(found, clip_skip=resolved.words.clip_skip, modules=sources.modules)

    def is_unchanged(self, checkpoint: Checkpoint, parts: Mapping[str, ModelFile]) -> bool:
        """Tell whether all weights are those that were hashed: nobody replaced them while they were loaded."""
        catalogue = self._parts.catalogue
        now = catalogue.drawn_with(catalogue.find(checkpoint.name), parts)
        if now.problem is not None or self._hashed(now).sha256 != checkpoint.sha256:
            return False
        beside = catalogue.companions_of(now)
        return all(self.hashed_file(beside[part]).sha256 == file.sha256 for part, file in parts.items())

    def _found(
        self,
        first: ChosenCheckpoint | Source,
        vae: ChosenModel | Source | None,
        refiner: ChosenCheckpoint | Source | None,
        hires: ChosenCheckpoint | Source | None,
    ) -> Models:
        checkpoint, parts = self._whole(first)
        refines, refiner_parts = (None, {}) if refiner is None else self._whole(refiner)
        second, hires_parts = (None, {}) if hires is None else self._whole(hires)
        found = None if vae is None else self._vae(vae)
        return Models(
            checkpoint, found, refines, parts=parts, refiner_parts=refiner_parts, hires=second, hires_parts=hires_parts
        )

    def _with_files(
        self,
        models: Models,
        networks: Mapping[str, ChosenFile | Source],
        embeddings: Mapping[str, ChosenFile | Source],
    ) -> Models:
        return replace(
            models,
            networks={name: self.file_of("lora", file) for name, file in networks.items()},
            embeddings={word: self.file_of("embedding", file) for word, file in embeddings.items()},
        )

    def _whole(self, chosen: ChosenCheckpoint | Source) -> tuple[Checkpoint, dict[str, ModelFile]]:
        """Return a checkpoint with the files beside it; where a row leaves these open, they are those of now."""
        catalogue = self._parts.catalogue
        found = self._named(chosen)
        if chosen.parts is None:
            beside = catalogue.companions_of(found)
            parts = {part: self.hashed_file(file) for part, file in beside.items()}
        else:
            parts = {part: self.file_of(kind_of_part(part), file) for part, file in chosen.parts.items()}
            found = catalogue.drawn_with(found, parts)
        return self._checked(found, chosen), parts

    def _named(self, chosen: ChosenModel | Source) -> Checkpoint:
        try:
            return self._parts.catalogue.find(chosen.name)
        except InvalidRequest as unknown:
            if chosen.hash is None:
                raise
            try:
                return self._parts.catalogue.find(chosen.hash)  # It was renamed, or moved into another folder.
            except InvalidRequest:
                raise unknown from None  # People know it by its name.

    def _checked(self, found: Checkpoint, chosen: ChosenModel | Source) -> Checkpoint:
        checkpoint = self._hashed(found)
        checkpoint.check_usable()
        if chosen.hash is not None and not self._has_hash(checkpoint, chosen.hash):
            raise ModelError(f"The weights of {checkpoint.name} were changed since {_since(chosen)}: submit it again.")
        return checkpoint

    def file_of(self, kind: Kind, chosen: ChosenFile | Source) -> ModelFile:
        """Return a file of a kind, hashed, that is to be as it was.

        Raises:
            ModelError: it is not there any more, cannot be used, or was changed since.
        """
        files = self._parts.catalogue.files
        label, place = LABELS[kind]
        try:
            try:
                found = files.find(kind, chosen.name)
            except InvalidRequest:
                if chosen.hash is None:
                    raise
                found = files.find(kind, chosen.hash)
        except InvalidRequest as error:
            message = f"The {label} {chosen.name} is not there any more: put it back into {place}, or submit it again."
            raise ModelError(message) from error
        return self._unchanged(found, chosen, label)

    def upscaler(self, chosen: ChosenFile) -> Upscaler:
        """Return an upscaler that is to be as it was, with the hash of its file if it needs one.

        Raises:
            ModelError: it is not there any more, or was changed since.
        """
        if chosen.hash is None and not chosen.stamp:
            return Upscaler(chosen.name)
        file = self._parts.catalogue.upscalers.of_source(chosen.name, chosen.hash or chosen.name)
        return Upscaler(chosen.name, self._unchanged(file, chosen, "upscaler"))

    def _unchanged(self, found: ModelFile, chosen: ChosenFile | Source, label: str) -> ModelFile:
        """Return a file with its hash, which is to be as it was."""
        found.check_usable()
        stamp = chosen.stamp if isinstance(chosen, ChosenFile) and chosen.hash is None else ""
        changed = stamp not in ("", stamp_of_file(found.path))
        file = found if changed else self.hashed_file(found)
        if changed or chosen.hash not in (None, file.content_hash):
            raise ModelError(f"The {label} {file.name} was changed since {_since(chosen)}: submit it again.")
        return file

    def hashed_file(self, file: ModelFile) -> ModelFile:
        """Return a file with the hash that a job knows it by.

        Raises:
            ModelError: it cannot be read.
        """
        files = self._parts.catalogue.files
        known = files.remembered(file)
        if known.content_hash is not None:
            return known
        return self._hashing(lambda getting_on: files.hashed(file, getting_on))

    def _vae(self, chosen: ChosenModel | Source) -> VaeFile:
        vaes = self._parts.catalogue.vaes
        found = vaes.find(chosen.name)
        found.check_usable()
        vae = (
            found
            if found.sha256 is not None
            else wait_for(lambda: vaes.hashed(found), self._parts.cancel.check_waiting)
        )
        if chosen.hash is not None and vae.sha256 != chosen.hash:
            raise ModelError(f"The VAE {vae.name} was changed since {_since(chosen)}: submit it again.")
        return vae

    def _hashed(self, checkpoint: Checkpoint) -> Checkpoint:
        if checkpoint.sha256 is not None or checkpoint.problem is not None:
            return checkpoint
        return self._hashing(lambda getting_on: self._parts.catalogue.hashed(checkpoint, getting_on))

    def _hashing(self, work: Callable[[Callable[[], bool]], T]) -> T:
        """Wait for a hash. While it gets on it gives signs of life: tens of gigabytes may take minutes.

        One that the job does not wait for any more goes on in silence, to be remembered.
        """
        cancel, left = self._parts.cancel, threading.Event()

        def getting_on() -> bool:
            if not left.is_set():
                cancel.heartbeat.beat()
            return False

        try:
            return wait_for(lambda: work(getting_on), cancel.check_waiting)
        finally:
            left.set()

    def _has_hash(self, checkpoint: Checkpoint, digest: str) -> bool:
        """Tell whether these are the weights of that hash; where an old row has it, by the rule of then."""
        if checkpoint.sha256 == digest:
            return True
        return wait_for(lambda: self._parts.catalogue.had_hash(checkpoint, digest), self._parts.cancel.check_waiting)


def _since(chosen: ChosenModel | Source) -> str:
    return "this job began" if isinstance(chosen, Source) else "this job was sent"
