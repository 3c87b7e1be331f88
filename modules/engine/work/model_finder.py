"""The models of a job as they are on disk: found again by what its row keeps of them, with their hashes."""

from __future__ import annotations

from modules.engine.engine_parts import EngineParts
from modules.engine.stopping.interruptible_wait import wait_for
from modules.errors import InvalidRequest, ModelError
from modules.jobs.kinds.base import ResolvedJob, Source
from modules.jobs.kinds.choice import Choice, ChosenModel, Models
from modules.jobs.kinds.later_values import refiner_pass
from modules.jobs.kinds.request import JobRequest
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.vae_file import VaeFile
from modules.jobs.rows import Job


class ModelFinder:
    """Finds models. What takes seconds, hashing a large one for the first time, is stopped with the job.

    Raises:
        Interrupted: in all methods, when the job is stopped meanwhile.
    """

    def __init__(self, parts: EngineParts) -> None:
        self._parts = parts

    def of_request(self, job: Job, request: JobRequest) -> Models:
        """Return the models that were chosen when the job was sent; for a row that keeps no choice, those of now.

        Raises:
            InvalidRequest: one is not there any more.
            ModelError: one cannot be used, or was changed since.
        """
        choice = Choice.in_row(job.request)
        if choice is None:
            models = request.find_models(self._parts.catalogue, self._parts.options.values)
            choice = Choice.of(models)
        refiner = choice.refiner
        return Models(
            checkpoint=self._checkpoint(choice.checkpoint),
            vae=None if choice.vae is None else self._vae(choice.vae),
            refiner=None if refiner is None else self._checkpoint(refiner),
            clip_skip=choice.clip_skip,
            told=choice.told,
        )

    def of_row(self, resolved: ResolvedJob) -> Models:
        """Return the models that an earlier run of the job began with.

        Raises:
            InvalidRequest, ModelError: as `of_request`.
        """
        sources, refiner = resolved.sources, refiner_pass(resolved)
        return Models(
            checkpoint=self._checkpoint(sources.checkpoint),
            vae=None if sources.vae is None else self._vae(sources.vae),
            refiner=None if refiner is None or refiner.checkpoint is None else self._checkpoint(refiner.checkpoint),
            clip_skip=resolved.words.clip_skip,
        )

    def is_unchanged(self, checkpoint: Checkpoint) -> bool:
        """Tell whether the weights are those that were hashed: nobody replaced them while they were loaded."""
        now = self._parts.catalogue.find(checkpoint.name)
        return now.problem is None and self._hashed(now).sha256 == checkpoint.sha256

    def _checkpoint(self, chosen: ChosenModel | Source) -> Checkpoint:
        try:
            found = self._parts.catalogue.find(chosen.name)
        except InvalidRequest:
            if chosen.hash is None:
                raise
            found = self._parts.catalogue.find(chosen.hash)  # It was renamed, or moved into another folder.
        checkpoint = self._hashed(found)
        checkpoint.check_usable()
        if chosen.hash is not None and not self._has_hash(checkpoint, chosen.hash):
            raise ModelError(f"The weights of {checkpoint.name} were changed since {_since(chosen)}: submit it again.")
        return checkpoint

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
        return wait_for(lambda: self._parts.catalogue.hashed(checkpoint), self._parts.cancel.check_waiting)

    def _has_hash(self, checkpoint: Checkpoint, digest: str) -> bool:
        """Tell whether these are the weights of that hash; where an old row has it, by the rule of then."""
        if checkpoint.sha256 == digest:
            return True
        return wait_for(lambda: self._parts.catalogue.had_hash(checkpoint, digest), self._parts.cancel.check_waiting)


def _since(chosen: ChosenModel | Source) -> str:
    return "this job began" if isinstance(chosen, Source) else "this job was sent"
