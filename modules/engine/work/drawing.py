"""One job, from its claimed row to its pictures on disk."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial

import torch

from modules.engine.engine_parts import EngineParts
from modules.engine.models.devices import choose_dtype, choose_threads
from modules.engine.models.loading import describe_denoiser
from modules.engine.progress.bar import JobProgress
from modules.engine.progress.parts import parts_of
from modules.engine.work.batch_division import batches_of
from modules.engine.work.batches import Batches, BatchLeft
from modules.engine.work.economy import Economy
from modules.engine.work.environment import describe_difference, environment_of
from modules.engine.work.grid import save_grid
from modules.engine.work.init_pictures import with_saved_starts
from modules.engine.work.model_finder import ModelFinder
from modules.engine.work.networks_of_job import close_networks
from modules.engine.work.pass_models import PassModels
from modules.engine.work.sampler_words import describe_sampler
from modules.engine.work.snapshots import Snapshot, UnfitSnapshot, describe_lost, describe_unfit
from modules.engine.work.unread_weights import describe_unread_weights
from modules.errors import Interrupted
from modules.images.naming import INIT_IMAGES
from modules.jobs.kinds.base import Resolved, ResolvedJob
from modules.jobs.kinds.choice import Models
from modules.jobs.kinds.registry import read_resolved, validate_drawing
from modules.jobs.latent_upscaling import enlarges_latents
from modules.jobs.rows import Job
from modules.prompts.dynamic.left import describe_left

logger = logging.getLogger(__name__)


class JobDrawing:
    """The drawing of one claimed job. `resolved` is there as soon as the request is closed."""

    def __init__(self, parts: EngineParts, job: Job, token: int, progress: JobProgress) -> None:
        self._parts = parts
        self._job = job
        self._token = token
        self._progress = progress
        self._finder = ModelFinder(parts)
        self._economy = Economy.of(job.economy)
        self._batches: Batches | None = None
        self.resolved: ResolvedJob | None = None

    def draw(self) -> bool:
        """Draw every picture that is not there yet; tell whether all of them were tried (False: stopped between two).

        Raises:
            Interrupted: with the kind "interrupt", "pause" or "exit".
            SteadyError: the job cannot be done.
        """
        tried = self._draw_all()
        if tried and self.resolved is not None:
            save_grid(self._parts, self._job, self.resolved)
        return tried

    def _draw_all(self) -> bool:
        parts = self._parts
        self._progress.enter("load")
        try:
            with parts.cancel.keeping_skips():
                parts.cancel.check()
                models, resolved = self._resolve()
                self.resolved = resolved
                batches = self._batches_left(resolved)
                left = [batch for batch in batches if batch.missing]
                if not left:
                    return True
                self._announce(left[0].indices[0])
            with parts.cancel.keeping_skips(len(left) > 1):
                self._batches = self._prepare(models, resolved, batches)
        except Interrupted as stop:
            if stop.kind != "skip":
                raise
            return True  # Nothing else is to be drawn.
        parts.snapshots.begin()
        return self._batches.draw(batches)

    def keep_snapshot(self, amid: bool = True) -> None:
        """Write down where the job stands, so that it can go on from here; if it is not to be `amid` a pass, else not.

        For when it was told to pause or to exit, or has not the memory for what comes next.
        """
        snapshot = None if self._batches is None else self._batches.snapshot()
        if snapshot is not None and (amid or snapshot.state.standing[0] in (0, snapshot.state.standing[1])):
            self._parts.snapshots.keep(snapshot)

    def _announce(self, index: int) -> None:
        """Make the picture that will be drawn first the one that a skip means, also while the model is loaded."""
        self._parts.state.image_index = index
        if (self._job.image_index or 0) != index:
            self._parts.store.claims.begin_image(self._job.id, index)

    def _prepare(self, models: Models, resolved: ResolvedJob, batches: Sequence[BatchLeft]) -> Batches:
        """Return what draws the batches, with all that they need: the first model, the words, and where a run stood."""
        parts = self._parts
        snapshot = self._find_snapshot(resolved, batches)
        torch.set_num_threads(resolved.threads)
        note = partial(parts.store.claims.note, self._job.id)
        by_pass = PassModels(parts, self._finder, models, resolved, self._economy, note)
        begins_at = _first_pass(snapshot, batches, resolved)
        loads = [by_pass.has_to_load(number) for number in range(begins_at, len(resolved.passes))]
        self._plan(loads, resolved, batches)
        by_pass.load(begins_at, self._progress.advance)
        self._progress.enter("encode")
        parts.cancel.check()
        # What a later pass with the same model reads is encoded now, and what is to be said of its sampler said.
        at_hand = [number for number in range(begins_at, len(resolved.passes)) if by_pass.is_at(number)]
        own, defaults = by_pass.in_use.pipeline.scheduler, models.checkpoint.defaults
        told = {describe_sampler(own, resolved.passes[number], defaults): None for number in at_hand}
        for text in filter(None, told):
            parts.store.claims.note(self._job.id, "sampler", text)
        indices = next(batch.indices for batch in batches if batch.missing)
        unread = {self._encode(by_pass, number, indices): None for number in at_hand}
        for text in filter(None, unread):
            parts.store.claims.note(self._job.id, "weights", text)
        return Batches(parts, self._job, self._token, self._progress, by_pass, resolved, snapshot)

    def _encode(self, by_pass: PassModels, number: int, indices: Sequence[int]) -> str | None:
        """Have the words of a pass encoded for some pictures; return what people are to know of them."""
        words = by_pass.words_of(number)
        return describe_unread_weights(by_pass.in_use, by_pass.script(number, indices).wording, words)

    def _resolve(self) -> tuple[Models, ResolvedJob]:
        """Close the request, or take what an earlier run of this job has closed."""
        parts, job = self._parts, self._job
        if job.resolved is not None:
            resolved = _of_drawing(read_resolved(job.kind, job.resolved))
            models = self._finder.of_row(resolved)
            self._tell_of_another_environment(resolved)
            return models, resolved
        settings = parts.options.values
        request = validate_drawing(job.kind, job.request)
        models = self._finder.of_request(job, request)
        denoiser = describe_denoiser(models.checkpoint)
        threads = choose_threads(settings.torch_threads, denoiser)
        dtype = choose_dtype(
            settings.torch_dtype,
            parts.device,
            denoiser,
            lambda: parts.cpu_formats.fastest(denoiser.kind, threads, parts.cancel.check),
        )
        environment = environment_of(parts.device, dtype, threads)
        find = parts.inputs.find
        wildcards = parts.catalogue.library.wildcards.now()
        resolved = request.resolve(models, settings, parts.draw_seed, dtype, threads, environment, find, wildcards)
        closed = close_networks(resolved, models, request, settings, parts.catalogue, self._finder)
        models, resolved, left_out = closed
        if settings.save_init_img:
            kept = parts.folder.root / INIT_IMAGES
            resolved = with_saved_starts(resolved, parts.inputs, kept, parts.cancel.check_waiting)
        parts.store.claims.set_resolved(job.id, resolved.model_dump())
        for text in models.told:
            parts.store.claims.note(job.id, "models", text)
        for text in left_out:
            parts.store.claims.note(job.id, "networks", text)
        if request.settings_over(settings).dynamic_prompts and (left := describe_left(resolved.texts, wildcards)):
            parts.store.claims.note(job.id, "wildcards", left)
        return models, resolved

    def _batches_left(self, resolved: ResolvedJob) -> list[BatchLeft]:
        """Return each batch with those of its pictures that no earlier run completed.

        A batch is drawn whole, since another size would give other bits. One before that in which an earlier run was
        is done: what it lacks was skipped.
        """
        parts, size = self._parts, self._economy.batch_size_of(resolved)
        complete = {image.index for image in parts.store.jobs.images(self._job.id)}
        begun = self._job.image_index or 0
        return [
            BatchLeft(indices, [index for index in indices if index not in complete] if indices[-1] >= begun else [])
            for indices in batches_of(resolved, size)
        ]

    def _find_snapshot(self, resolved: ResolvedJob, batches: Sequence[BatchLeft]) -> Snapshot | None:
        """Return where an earlier run of this job stood in one of the batches that are left."""
        parts, device = self._parts, self._parts.device
        environment = environment_of(device, resolved.dtype, resolved.threads)
        try:
            snapshot = parts.snapshots.find(self._job.id, resolved, environment, device.torch_name)
        except UnfitSnapshot as reason:
            logger.warning("Job %s cannot go on from its snapshot: %s", self._job.id, reason)
            parts.store.claims.note(self._job.id, "restarted", describe_unfit(reason))
            return None
        left = [tuple(batch.indices) for batch in batches if batch.missing]
        if snapshot is not None and snapshot.indices in left:
            return snapshot
        if self._job.attempts > 1 and self._job.progress > 0:
            parts.store.claims.note(self._job.id, "restarted", describe_lost(left[0], resolved))
        return None

    def _tell_of_another_environment(self, resolved: ResolvedJob) -> None:
        """Say so when some pictures of a job were drawn elsewhere than the rest is."""
        parts = self._parts
        if resolved.environment is None or not parts.store.jobs.images(self._job.id):
            return
        now = environment_of(parts.device, resolved.dtype, resolved.threads)
        if changed := describe_difference(resolved.environment, now):
            text = f"Its images are not drawn under the same conditions, so not to the same bits: {changed}."
            parts.store.claims.note(self._job.id, "environment", text)

    def _plan(self, loads: Sequence[bool], resolved: ResolvedJob, batches: Sequence[BatchLeft]) -> None:
        """Tell the bar what is to be done, and forget what was kept of another model if one is loaded.

        `loads` says of each pass that is left whether its model is to be loaded.
        """
        parts, offload = self._parts, self._economy.offload
        where = f"{parts.device.label} offload" if offload else parts.device.label
        weights = resolved.sources.checkpoint.hash
        experience = parts.timings.under(weights[:16], resolved.dtype, where, resolved.threads)
        left = [(batch.indices, batch.missing) for batch in batches]
        self._progress.plan(parts_of(resolved.passes, left, loads[0], any(loads[1:])), experience)
        if loads[0]:
            parts.encoder.forget()


def _of_drawing(resolved: Resolved) -> ResolvedJob:
    if not isinstance(resolved, ResolvedJob):
        raise TypeError(f"Jobs of the kind {resolved.kind} are not drawn")
    return resolved


def _first_pass(snapshot: Snapshot | None, batches: Sequence[BatchLeft], resolved: ResolvedJob) -> int:
    """Return the number of the pass that runs first."""
    first = next(batch for batch in batches if batch.missing)
    if snapshot is None or snapshot.indices != tuple(first.indices):
        return 0
    done, of = snapshot.state.standing
    following = resolved.passes[snapshot.at_pass + (done == of) :][:1]
    enlarging = following[0].enlarging if following and done == of else None
    if enlarging is not None and not enlarges_latents(enlarging.upscaler):
        return snapshot.at_pass  # Its model decodes what it left.
    return min(snapshot.at_pass + (done == of), len(resolved.passes) - 1)
