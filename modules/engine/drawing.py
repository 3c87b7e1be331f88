"""One job, from its claimed row to its pictures on disk."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from modules.engine.batches import Batches
from modules.engine.devices import choose_dtype, choose_threads
from modules.engine.families import family_of
from modules.engine.models import LoadedModel, ModelKey
from modules.engine.patience import wait_for
from modules.engine.planning import circumstances_of, plan_of
from modules.engine.progress import JobProgress
from modules.engine.studio import Studio
from modules.engine.weights import count_parameters
from modules.errors import ModelError
from modules.jobs.checkpoints import Checkpoint
from modules.jobs.requests import ResolvedTxt2Img, find_checkpoint, resolve, validate_request
from modules.jobs.rows import Job


class JobDrawing:
    """The drawing of one claimed job. `resolved` is there as soon as the request is closed."""

    def __init__(self, studio: Studio, job: Job, token: int, progress: JobProgress) -> None:
        self._studio = studio
        self._job = job
        self._token = token
        self._progress = progress
        self.resolved: ResolvedTxt2Img | None = None

    def draw(self) -> bool:
        """Draw every picture that is not there yet; tell whether all of them were tried (False: stopped between two).

        Raises:
            Interrupted: with the kind "interrupt" or "exit".
            SteadyError: the job cannot be done.
        """
        studio = self._studio
        self._progress.enter_load()
        studio.cancel.check()
        checkpoint, resolved = self._resolve()
        self.resolved = resolved
        batches = self._batches_left(resolved)
        if not any(batches):
            return True
        torch.set_num_threads(resolved.threads)
        model = self._load(checkpoint, resolved, [indices for indices in batches if indices])
        self._progress.enter_encode()
        studio.cancel.check()
        prompts = studio.encoder.encode(model, resolved.prompt, resolved.negative_prompt, resolved.cfg_scale)
        drawing = Batches(studio, self._job, self._token, self._progress, model, prompts, resolved)
        return drawing.draw(batches)

    def _resolve(self) -> tuple[Checkpoint, ResolvedTxt2Img]:
        """Close the request, or take what an earlier run of this job has closed."""
        studio, job = self._studio, self._job
        if job.resolved is not None:
            resolved = ResolvedTxt2Img.model_validate(job.resolved)
            checkpoint = self._hashed(studio.catalogue.find(resolved.checkpoint))
            checkpoint.check_usable()
            if checkpoint.sha256 != resolved.checkpoint_hash:
                message = f"The weights of {checkpoint.name} were changed since this job began: submit it again."
                raise ModelError(message)
            return checkpoint, resolved
        settings = studio.options.values
        request = validate_request(job.kind, job.request)
        checkpoint = self._hashed(find_checkpoint(request, studio.catalogue, settings))
        parameters = count_parameters(checkpoint.path / family_of(checkpoint.path).denoiser)
        dtype = choose_dtype(settings.torch_dtype, studio.device, parameters)
        threads = choose_threads(settings.torch_threads, parameters)
        resolved = resolve(request, checkpoint, settings, studio.draw_seed, dtype, threads)
        studio.store.set_resolved(job.id, resolved.model_dump())
        return checkpoint, resolved

    def _hashed(self, checkpoint: Checkpoint) -> Checkpoint:
        """Return the model with its hash, which takes seconds the first time that a large one is used."""
        if checkpoint.sha256 is not None:
            return checkpoint
        return wait_for(lambda: self._studio.catalogue.hashed(checkpoint), self._studio.cancel.check_waiting)

    def _batches_left(self, resolved: ResolvedTxt2Img) -> list[list[int]]:
        """Return the indices of each batch without those that an earlier run completed."""
        complete = {image.index for image in self._studio.store.images(self._job.id)}
        size = resolved.batch_size
        return [
            [index for index in range(first, first + size) if index not in complete]
            for first in range(0, resolved.image_count, size)
        ]

    def _load(self, checkpoint: Checkpoint, resolved: ResolvedTxt2Img, batches: Sequence[Sequence[int]]) -> LoadedModel:
        studio = self._studio
        key = ModelKey(checkpoint.path, resolved.checkpoint_hash, resolved.dtype, resolved.layout)
        loads = studio.shelf.loaded is None or studio.shelf.loaded.key != key
        experience = studio.timings.under(circumstances_of(resolved, studio.device))
        self._progress.plan(plan_of(resolved, batches, loads), experience)
        if loads:
            studio.encoder.forget()
            studio.status.forget_checkpoint()
            studio.status.change("loading")
        model = studio.shelf.get(key, self._progress.advance)
        studio.status.change("drawing", checkpoint.name)
        return model
