"""One job, from its claimed row to its pictures on disk."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import torch
from PIL import Image

from modules.engine.cancel import Cancel
from modules.engine.decode import decode
from modules.engine.denoised import Step
from modules.engine.devices import Device, choose_dtype, choose_threads
from modules.engine.encode import PromptEmbeddings, PromptEncoder
from modules.engine.families import family_of
from modules.engine.models import LoadedModel, ModelKey, ModelShelf
from modules.engine.patience import wait_for
from modules.engine.preview import LatentColours, Previews
from modules.engine.progress import JobProgress, Plan
from modules.engine.sampling import Batch
from modules.engine.status import EngineStatus
from modules.engine.weights import count_parameters
from modules.errors import Interrupted, ModelError
from modules.images.infotext import write
from modules.images.png import encode_png
from modules.images.save import save_image
from modules.jobs.checkpoints import Checkpoint, CheckpointCatalogue
from modules.jobs.requests import ResolvedTxt2Img, find_checkpoint, resolve, validate_request
from modules.jobs.rows import Job
from modules.jobs.store import JobStore
from modules.options import Options
from modules.paths import DataFolder
from modules.shared_state import State

logger = logging.getLogger(__name__)

_HIGHEST_DRAWN_SEED = 2**32 - 1


def draw_seed() -> int:
    """Return a random seed, as high as A1111 draws them."""
    return secrets.randbelow(_HIGHEST_DRAWN_SEED + 1)


@dataclass(frozen=True)
class Studio:
    """All that drawing needs, made once for the life of the engine."""

    store: JobStore
    folder: DataFolder
    catalogue: CheckpointCatalogue
    options: Options
    state: State
    device: Device
    cancel: Cancel
    previews: Previews
    status: EngineStatus
    shelf: ModelShelf
    encoder: PromptEncoder = field(default_factory=PromptEncoder)
    draw_seed: Callable[[], int] = draw_seed


class JobDrawing:
    """The drawing of one claimed job. `resolved` is there as soon as the request is closed."""

    def __init__(self, studio: Studio, job: Job, token: int, progress: JobProgress) -> None:
        self._studio = studio
        self._job = job
        self._token = token
        self._progress = progress
        self._colours: LatentColours | None = None
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
        return self._draw_batches(model, prompts, resolved, batches)

    # --- What is to be drawn ----------------------------------------------------------------------------------------

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
        return wait_for(lambda: self._studio.catalogue.hashed(checkpoint), self._studio.cancel.check)

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
        self._progress.plan(Plan(resolved.steps, batches, resolved.image_count, loads))
        if loads:
            studio.encoder.forget()
            studio.status.forget_checkpoint()
            studio.status.change("loading")
        model = studio.shelf.get(key, self._progress.advance)
        studio.status.change("drawing", checkpoint.name)
        channels = model.denoiser.config.in_channels
        self._colours = LatentColours.of_model(model.preview, model.family.latent_rgb, channels)
        return model

    # --- Drawing ----------------------------------------------------------------------------------------------------

    def _draw_batches(
        self, model: LoadedModel, prompts: PromptEmbeddings, resolved: ResolvedTxt2Img, batches: list[list[int]]
    ) -> bool:
        state = self._studio.state
        state.job_count = len(batches)
        state.job_no = sum(1 for indices in batches if not indices)
        left = [indices for indices in batches if indices]
        for number, indices in enumerate(left):
            self._begin_batch(indices[0])
            try:
                self._draw_batch(model, Batch(model, prompts, resolved, indices), resolved, number, indices)
            except Interrupted as stop:
                if stop.kind != "skip":
                    raise
                logger.info("Skipped image %d of job %s", indices[0] + 1, self._job.id)
            state.nextjob()
            if state.stopping_generation and number + 1 < len(left):
                return False
        return True

    def _begin_batch(self, index: int) -> None:
        """Make `index` the picture that a skip means.

        In this order: a skip of the picture before that comes late no longer fits, and one that came is forgotten;
        only then the row tells the server of the new picture, so no skip of the new one can be among those.
        """
        store, state = self._studio.store, self._studio.state
        if state.skipped:
            store.clear_skip(self._job.id, state.image_index)
        state.image_index = index
        state.skipped = False
        store.begin_image(self._job.id, index)
        if store.pending(self._job.id).skip_image == index:
            state.apply_request("skip", self._job.id, index)

    def _draw_batch(
        self, model: LoadedModel, batch: Batch, resolved: ResolvedTxt2Img, number: int, indices: list[int]
    ) -> None:
        """Draw, decode and save one batch; when it is stopped, keep what the settings want kept."""
        studio = self._studio
        size = (resolved.width, resolved.height)
        saved = 0
        latents: torch.Tensor | None = None

        def on_step(done: int, steps: int, step: Step) -> None:
            studio.state.sampling_step = done
            if done == 1:
                studio.state.sampling_steps = steps
            self._progress.step(done, steps)
            studio.previews.offer_step(self._token, indices[0], done, step, self._colours, size)

        try:
            studio.cancel.check()
            self._progress.enter_sample(number)
            latents = batch.sample(on_step)
            for place, index in enumerate(indices):
                self._progress.enter_decode(number, place)
                studio.cancel.check()
                picture = decode(model, latents[place : place + 1])
                self._progress.enter_save(number, place)
                studio.cancel.check()
                self._save(picture, resolved, index)
                saved = place + 1
                studio.previews.offer_picture(self._token, index, studio.state.sampling_steps, picture)
        except Interrupted as stop:
            if stop.kind != "exit" and resolved.save_partial:
                self._keep_partial(model, batch, latents, resolved, indices[saved:])
            raise

    def _keep_partial(
        self,
        model: LoadedModel,
        batch: Batch,
        latents: torch.Tensor | None,
        resolved: ResolvedTxt2Img,
        indices: Sequence[int],
    ) -> None:
        """Save what stopped pictures had become: the denoiser's latest idea of each, without the noise."""
        if batch.latest is None:
            return
        all_latents = batch.latest.denoised() if latents is None else latents
        steps_done = batch.steps_done
        self._studio.cancel.obeyed(True)
        try:
            for place, index in enumerate(indices, start=len(all_latents) - len(indices)):
                picture = decode(model, all_latents[place : place + 1])
                self._save(picture, resolved, index, steps_done)
        finally:
            self._studio.cancel.obeyed(False)

    def _save(self, picture: Image.Image, resolved: ResolvedTxt2Img, index: int, steps_done: int | None = None) -> None:
        """Reserve the picture's name, write its file, complete its row, in this order."""
        store = self._studio.store
        row = store.reserve_image(
            self._job.id, index, resolved.seed_of(index), resolved.width, resolved.height, save=resolved.save_images
        )
        infotext = write(resolved, index, steps_done)
        partial = None if steps_done is None else (steps_done, resolved.steps)
        data = encode_png(picture, infotext, resolved.picture(index), partial)
        save_image(data, self._studio.folder.root / PurePosixPath(row.name))
        store.complete_image(self._job.id, index, infotext, partial=partial is not None)
