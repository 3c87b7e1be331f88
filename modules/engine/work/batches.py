"""The pictures of a portion of a job, batch by batch: drawn, decoded, saved."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import partial

import torch
from PIL import Image

from modules.engine.engine_parts import EngineParts
from modules.engine.progress.parts import is_stage
from modules.engine.samplers.estimate import Step
from modules.engine.stopping.interruptible_wait import wait_for
from modules.engine.work.beginnings import Beginnings
from modules.engine.work.pass_models import PassModels
from modules.engine.work.portion import BatchLeft, Portion
from modules.engine.work.sampling import Batch, Ready
from modules.engine.work.saving import occasion_of, save_picture
from modules.engine.work.snapshots import Snapshot, describe_continued, request_digest
from modules.engine.work.spelling import Spelling
from modules.engine.work.starts import Starts
from modules.engine.work.turns import begin_picture
from modules.errors import Interrupted
from modules.images.infotext import write
from modules.images.picture_files import encode_drawn
from modules.images.saved_names import drawn_name
from modules.jobs.kinds.registry import kind_of
from modules.jobs.kinds.spelling import SPELLING

logger = logging.getLogger(__name__)


class Batches:
    """Draws what is left of a portion. All is ready: the model of the first pass that is drawn too.

    With a `snapshot` the batch that it is of goes on from there; those that are kept say what the `environment` is.
    Pictures are known by their indices in the portion; where they meet the rest of the program, by those in the job.
    """

    def __init__(
        self,
        parts: EngineParts,
        portion: Portion,
        models: PassModels,
        spelling: Spelling,
        environment: Mapping[str, str],
        snapshot: Snapshot | None = None,
    ) -> None:
        self._parts = parts
        self._portion = portion
        self._resolved = resolved = portion.resolved
        self._snapshot = snapshot
        self._spelling = spelling
        self._environment = environment
        self._digest = request_digest(resolved)
        self._batch: Batch | None = None

        def note(kind: str, text: str) -> None:
            parts.store.claims.note(portion.job.id, kind, text)

        once_more = partial(note, "vae") if parts.options.values.auto_vae_precision else None
        tiling = portion.economy.vae_tiling
        starts = Starts(resolved, parts.inputs.open, tiling, once_more, parts.upscalers.enlarge_by)
        self._beginnings = Beginnings(parts, portion, models, starts, tiling, once_more, note, self._keep_if_due)
        pictures = portion.economy.batch_size_of(resolved)
        parts.previews.begin_job(portion.token, models.in_use, portion.progress, pictures)

    def draw(self, batches: Sequence[BatchLeft]) -> bool:
        """Draw the batches that are not done. Tell whether all were tried.

        Raises:
            Interrupted: with the kind "interrupt", "pause" or "exit".
        """
        state, portion = self._parts.state, self._portion
        left = [batch for batch in batches if batch.missing]
        state.job_count = portion.jobs_before + portion.jobs_of(len(batches)) + portion.jobs_after
        state.job_no = self._jobs_done(len(batches) - len(left))
        for number, batch in enumerate(left):
            begin_picture(self._parts, portion.job.id, portion.in_job(batch.indices[0]))
            try:
                self._draw_batch(batch)
            except Interrupted as stop:
                if stop.kind != "skip":
                    raise
                logger.info("Skipped image %d of job %s", portion.in_job(batch.indices[0]) + 1, portion.job.id)
            self._batch = None
            state.current_latent = None  # Nothing of this image is to be taken for the next one.
            state.nextjob()
            state.job_no = self._jobs_done(len(batches) - len(left) + number + 1)  # One that was skipped had some left.
            if state.stopping_generation and number + 1 < len(left):
                return False
        return True

    def snapshot(self) -> Snapshot | None:
        """Return where the job stands; None: nothing is begun that could be kept. On the thread that draws."""
        batch = self._batch
        if batch is None or (state := batch.state()) is None:
            return None
        portion, digest = self._portion, self._digest
        indices = portion.all_in_job(batch.indices)
        return Snapshot(portion.job.id, indices, digest, self._environment, state, batch.at_pass)

    def _jobs_done(self, batches: int) -> int:
        """Return how many of A1111's jobs are done with so many batches of the portion."""
        return self._portion.jobs_before + self._portion.jobs_of(batches)

    def _keep_if_due(self) -> None:
        """Have a snapshot written where it is time for one."""
        snapshots = self._parts.snapshots
        if snapshots.due() and (snapshot := self.snapshot()) is not None:
            snapshots.offer(snapshot)

    def _begin(self, left: BatchLeft) -> Batch:
        """Return the batch, from its noise or from where the snapshot says that it stood."""
        portion, snapshot, self._snapshot = self._portion, self._snapshot, None
        state, at_pass = None, 0
        if snapshot is not None and snapshot.indices == portion.all_in_job(left.indices):
            told = describe_continued(snapshot, self._resolved, portion.pictures)
            self._parts.store.claims.note(portion.job.id, "continued", told)
            state, at_pass = snapshot.state, snapshot.at_pass

        def switch(number: int, latents: torch.Tensor | None, resumed: bool) -> Ready:
            return self._beginnings.ready(number, latents, resumed, left.indices, left.missing[0])

        return Batch(None, {}, self._resolved, left.indices, state, at_pass, switch, portion.economy.tile)

    def _draw_batch(self, left: BatchLeft) -> None:
        """Draw, decode and save one batch; when it is stopped, keep what the settings want kept."""
        parts, portion, resolved, indices = self._parts, self._portion, self._resolved, left.indices
        self._batch = batch = self._begin(left)
        missing = list(left.missing)
        latents: torch.Tensor | None = None

        def on_step(done: int, steps: int, step: Step) -> None:
            shown = batch.shown(parts.options.values.live_preview_content) or step
            parts.state.current_latent = batch.spatial(shown.denoised())
            parts.state.sampling_step = done
            parts.state.sampling_steps = steps
            portion.progress.step(done, steps)
            parts.previews.step_done()
            self._keep_if_due()

        def on_pass(number: int, done: int, steps: int) -> None:
            if is_stage(resolved.passes, number):
                parts.state.nextjob()
            if done:
                parts.state.sampling_steps, parts.state.sampling_step = steps, done
            elif number:
                parts.state.sampling_step = parts.state.current_image_sampling_step = 0
            portion.enter("sample", left.missing[0], number, done, steps)
            parts.previews.begin_pass()

        try:
            parts.cancel.check()
            latents = batch.sample(on_step, on_pass, self._keep_if_due)
            for index in left.missing:
                portion.enter("decode", index)
                parts.cancel.check()
                picture = self._beginnings.finished(_picture_of(latents, indices, index), batch.at_pass, index)
                portion.enter("save", index)
                parts.cancel.check()
                self._save(picture, index)
                missing.remove(index)
                parts.previews.show_picture(portion.in_job(index), picture)
        except Interrupted as stop:
            if stop.kind in ("skip", "interrupt") and resolved.saving.save_partial:
                self._keep_partial(batch, latents, missing)
            raise

    def _keep_partial(self, batch: Batch, latents: torch.Tensor | None, missing: Sequence[int]) -> None:
        """Save what stopped pictures had become: the denoiser's latest idea of each, without the noise."""
        if batch.latest is None:
            return
        all_latents = batch.latest.denoised() if latents is None else latents
        stopped_after = (batch.steps_done, batch.steps) if batch.steps_done < batch.steps else None
        with self._parts.cancel.obeying():
            for index in missing:
                one = _picture_of(all_latents, batch.indices, index)
                picture = self._beginnings.finished(one, batch.latest_pass, index)
                self._save(picture, index, stopped_after)

    def _save(self, picture: Image.Image, index: int, stopped_after: tuple[int, int] | None = None) -> None:
        """Reserve the picture's name, write its file, complete its row, in this order.

        `stopped_after` says how many of how many steps are done of one that was stopped before it was whole.
        """
        parts, job, resolved = self._parts, self._portion.job, self._resolved
        mark = stopped_after if resolved.saving.mark_partial else None
        infotext = write(resolved, index, None if mark is None else mark[0])
        # Seconds for a large picture; one that is stopped meanwhile is encoded for nobody.
        values = kind_of(resolved).picture(resolved, index)
        if spelling := self._spelling.of_picture(index):
            values[SPELLING] = spelling
        form = resolved.saving.form
        file = wait_for(lambda: encode_drawn(picture, infotext, values, mark, form), parts.cancel.check_waiting)
        named = drawn_name(resolved, index, occasion_of(job, resolved, picture), file.suffix)
        # One that was stopped in its first pass is smaller than it was to become.
        size, partial = picture.size, stopped_after is not None
        place = self._portion.in_job(index)
        save_picture(parts, job, resolved, index, size, file, named, infotext, partial, index_in_job=place)


def _picture_of(latents: torch.Tensor, indices: Sequence[int], index: int) -> torch.Tensor:
    """Return the one picture of a batch, (1, channels, height / 8, width / 8)."""
    place = indices.index(index)
    return latents[place : place + 1]
