"""The pictures of one job, batch by batch: drawn, decoded, saved."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from PIL import Image

from modules.engine.engine_parts import EngineParts
from modules.engine.progress.bar import JobProgress
from modules.engine.progress.parts import is_stage, stages_of
from modules.engine.samplers.estimate import Step
from modules.engine.stopping.interruptible_wait import wait_for
from modules.engine.work.beginnings import Beginnings
from modules.engine.work.economy import Economy
from modules.engine.work.environment import environment_of
from modules.engine.work.pass_models import PassModels
from modules.engine.work.sampling import Batch, Ready
from modules.engine.work.saving import occasion_of, save_picture
from modules.engine.work.snapshots import Snapshot, describe_continued, request_digest
from modules.engine.work.starts import Starts
from modules.engine.work.turns import begin_picture
from modules.errors import Interrupted
from modules.images.infotext import write
from modules.images.picture_files import encode_drawn
from modules.images.saved_names import drawn_name
from modules.jobs.kinds.base import ResolvedJob
from modules.jobs.kinds.registry import kind_of
from modules.jobs.rows import Job

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class BatchLeft:
    """A batch of a job: the `indices` of its pictures, and which of them are `missing`; none: it is done."""

    indices: list[int]
    missing: list[int]


class Batches:
    """Draws what is left of a job. All is ready: the model of the first pass that is drawn, and the resolved request.

    With a `snapshot` the batch that it is of goes on from there.
    """

    def __init__(
        self,
        parts: EngineParts,
        job: Job,
        token: int,
        progress: JobProgress,
        models: PassModels,
        resolved: ResolvedJob,
        snapshot: Snapshot | None = None,
    ) -> None:
        self._parts = parts
        self._job = job
        self._progress = progress
        self._resolved = resolved
        self._snapshot = snapshot
        self._economy = Economy.of(job.economy)
        self._environment = environment_of(parts.device, resolved.dtype, resolved.threads)
        self._digest = request_digest(resolved)
        self._batch: Batch | None = None

        def note(kind: str, text: str) -> None:
            parts.store.claims.note(job.id, kind, text)

        once_more = partial(note, "vae") if parts.options.values.auto_vae_precision else None
        tiling = self._economy.vae_tiling
        starts = Starts(resolved, parts.inputs.open, tiling, once_more, parts.upscalers.enlarge_by)
        self._beginnings = Beginnings(
            parts, resolved, progress, models, starts, tiling, once_more, note, self._keep_if_due
        )
        parts.previews.begin_job(token, models.in_use, progress, self._economy.batch_size_of(resolved))

    def draw(self, batches: Sequence[BatchLeft]) -> bool:
        """Draw the batches that are not done. Tell whether all were tried.

        Raises:
            Interrupted: with the kind "interrupt", "pause" or "exit".
        """
        state = self._parts.state
        left = [batch for batch in batches if batch.missing]
        stages = stages_of(self._resolved.passes)
        state.job_count = len(batches) * stages
        state.job_no = (len(batches) - len(left)) * stages
        for number, batch in enumerate(left):
            begin_picture(self._parts, self._job.id, batch.indices[0])
            try:
                self._draw_batch(batch)
            except Interrupted as stop:
                if stop.kind != "skip":
                    raise
                logger.info("Skipped image %d of job %s", batch.indices[0] + 1, self._job.id)
            self._batch = None
            state.current_latent = None  # Nothing of this image is to be taken for the next one.
            state.nextjob()
            state.job_no = (len(batches) - len(left) + number + 1) * stages  # One that was skipped had some left.
            if state.stopping_generation and number + 1 < len(left):
                return False
        return True

    def snapshot(self) -> Snapshot | None:
        """Return where the job stands; None: nothing is begun that could be kept. On the thread that draws."""
        batch = self._batch
        if batch is None or (state := batch.state()) is None:
            return None
        return Snapshot(self._job.id, batch.indices, self._digest, self._environment, state, batch.at_pass)

    def _keep_if_due(self) -> None:
        """Have a snapshot written where it is time for one."""
        snapshots = self._parts.snapshots
        if snapshots.due() and (snapshot := self.snapshot()) is not None:
            snapshots.offer(snapshot)

    def _begin(self, left: BatchLeft) -> Batch:
        """Return the batch, from its noise or from where the snapshot says that it stood."""
        snapshot, self._snapshot = self._snapshot, None
        state, at_pass = None, 0
        if snapshot is not None and snapshot.indices == tuple(left.indices):
            self._parts.store.claims.note(self._job.id, "continued", describe_continued(snapshot, self._resolved))
            state, at_pass = snapshot.state, snapshot.at_pass

        def switch(number: int, latents: torch.Tensor | None, resumed: bool) -> Ready:
            return self._beginnings.ready(number, latents, resumed, left.indices, left.missing[0])

        return Batch(None, {}, self._resolved, left.indices, state, at_pass, switch, self._economy.tile)

    def _draw_batch(self, left: BatchLeft) -> None:
        """Draw, decode and save one batch; when it is stopped, keep what the settings want kept."""
        parts, resolved, indices = self._parts, self._resolved, left.indices
        self._batch = batch = self._begin(left)
        missing = list(left.missing)
        latents: torch.Tensor | None = None

        def on_step(done: int, steps: int, step: Step) -> None:
            shown = batch.shown(parts.options.values.live_preview_content) or step
            parts.state.current_latent = batch.spatial(shown.denoised())
            parts.state.sampling_step = done
            parts.state.sampling_steps = steps
            self._progress.step(done, steps)
            parts.previews.step_done()
            self._keep_if_due()

        def on_pass(number: int, done: int, steps: int) -> None:
            if is_stage(resolved.passes, number):
                parts.state.nextjob()
            if done:
                parts.state.sampling_steps, parts.state.sampling_step = steps, done
            elif number:
                parts.state.sampling_step = parts.state.current_image_sampling_step = 0
            self._progress.enter("sample", left.missing[0], number, done, steps)
            parts.previews.begin_pass()

        try:
            parts.cancel.check()
            latents = batch.sample(on_step, on_pass, self._keep_if_due)
            for index in left.missing:
                self._progress.enter("decode", index)
                parts.cancel.check()
                picture = self._beginnings.finished(_picture_of(latents, indices, index), batch.at_pass, index)
                self._progress.enter("save", index)
                parts.cancel.check()
                self._save(picture, index)
                missing.remove(index)
                parts.previews.show_picture(index, picture)
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
        parts, job, resolved = self._parts, self._job, self._resolved
        mark = stopped_after if resolved.saving.mark_partial else None
        infotext = write(resolved, index, None if mark is None else mark[0])
        # Seconds for a large picture; one that is stopped meanwhile is encoded for nobody.
        values = kind_of(resolved).picture(resolved, index)
        form = resolved.saving.form
        file = wait_for(lambda: encode_drawn(picture, infotext, values, mark, form), parts.cancel.check_waiting)
        named = drawn_name(resolved, index, occasion_of(job, resolved, picture), file.suffix)
        # One that was stopped in its first pass is smaller than it was to become.
        size, partial = picture.size, stopped_after is not None
        save_picture(parts, job, resolved, index, size, file, named, infotext, partial)


def _picture_of(latents: torch.Tensor, indices: Sequence[int], index: int) -> torch.Tensor:
    """Return the one picture of a batch, (1, channels, height / 8, width / 8)."""
    place = indices.index(index)
    return latents[place : place + 1]
