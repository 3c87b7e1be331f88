"""The pictures of one job, batch by batch: drawn, decoded, saved."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import PurePosixPath

import torch
from PIL import Image

from modules.engine.decode import decode
from modules.engine.denoised import Step
from modules.engine.encode import PromptEmbeddings
from modules.engine.models import LoadedModel
from modules.engine.preview import LatentColours
from modules.engine.progress import JobProgress
from modules.engine.sampling import Batch
from modules.engine.studio import Studio
from modules.errors import Interrupted
from modules.images.infotext import write
from modules.images.png import encode_png
from modules.images.save import save_image
from modules.jobs.requests import ResolvedTxt2Img
from modules.jobs.rows import Job

logger = logging.getLogger(__name__)


class Batches:
    """Draws what is left of a job. All is ready: model, words, and the resolved request."""

    def __init__(
        self,
        studio: Studio,
        job: Job,
        token: int,
        progress: JobProgress,
        model: LoadedModel,
        prompts: PromptEmbeddings,
        resolved: ResolvedTxt2Img,
    ) -> None:
        self._studio = studio
        self._job = job
        self._token = token
        self._progress = progress
        self._model = model
        self._prompts = prompts
        self._resolved = resolved
        channels = model.denoiser.config.in_channels
        self._colours = LatentColours.of_model(model.preview, model.family.latent_rgb, channels)

    def draw(self, batches: list[list[int]]) -> bool:
        """Draw each batch of indices; an empty one is drawn already. Tell whether all were tried.

        Raises:
            Interrupted: with the kind "interrupt" or "exit".
        """
        state = self._studio.state
        state.job_count = len(batches)
        state.job_no = sum(1 for indices in batches if not indices)
        left = [indices for indices in batches if indices]
        for number, indices in enumerate(left):
            self._begin_batch(indices[0])
            try:
                self._draw_batch(number, indices)
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

    def _draw_batch(self, number: int, indices: list[int]) -> None:
        """Draw, decode and save one batch; when it is stopped, keep what the settings want kept."""
        studio, resolved = self._studio, self._resolved
        batch = Batch(self._model, self._prompts, resolved, indices)
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
                picture = decode(self._model, latents[place : place + 1])
                self._progress.enter_save(number, place)
                studio.cancel.check()
                self._save(picture, index)
                saved = place + 1
                studio.previews.offer_picture(self._token, index, studio.state.sampling_steps, picture)
        except Interrupted as stop:
            if stop.kind != "exit" and resolved.save_partial:
                self._keep_partial(batch, latents, indices[saved:])
            raise

    def _keep_partial(self, batch: Batch, latents: torch.Tensor | None, indices: Sequence[int]) -> None:
        """Save what stopped pictures had become: the denoiser's latest idea of each, without the noise."""
        if batch.latest is None:
            return
        all_latents = batch.latest.denoised() if latents is None else latents
        steps_done = batch.steps_done
        self._studio.cancel.obeyed(True)
        try:
            for place, index in enumerate(indices, start=len(all_latents) - len(indices)):
                picture = decode(self._model, all_latents[place : place + 1])
                self._save(picture, index, steps_done)
        finally:
            self._studio.cancel.obeyed(False)

    def _save(self, picture: Image.Image, index: int, steps_done: int | None = None) -> None:
        """Reserve the picture's name, write its file, complete its row, in this order."""
        store, resolved = self._studio.store, self._resolved
        row = store.reserve_image(
            self._job.id, index, resolved.seed_of(index), resolved.width, resolved.height, save=resolved.save_images
        )
        infotext = write(resolved, index, steps_done)
        partial = None if steps_done is None else (steps_done, resolved.steps)
        data = encode_png(picture, infotext, resolved.picture(index), partial)
        save_image(data, self._studio.folder.root / PurePosixPath(row.name))
        store.complete_image(self._job.id, index, infotext, partial=partial is not None)
