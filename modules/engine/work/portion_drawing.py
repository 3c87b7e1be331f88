"""A portion of a job made ready and drawn: where an earlier run stood, the first model, the words, the batches."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import partial

import torch

from modules.engine.engine_parts import EngineParts
from modules.engine.work.batches import Batches
from modules.engine.work.environment import describe_difference, environment_of
from modules.engine.work.model_finder import ModelFinder
from modules.engine.work.networks_in_use import refuses_useless_networks
from modules.engine.work.pass_models import PassModels
from modules.engine.work.portion import BatchLeft, Portion
from modules.engine.work.sampler_words import describe_sampler
from modules.engine.work.snapshots import Snapshot, UnfitSnapshot, describe_lost, describe_unfit
from modules.engine.work.spelling import Spelling
from modules.engine.work.unread_weights import describe_unread_weights
from modules.jobs.kinds.choice import Models
from modules.jobs.kinds.spelling import in_environment
from modules.jobs.latent_upscaling import enlarges_latents

logger = logging.getLogger(__name__)


class PortionDrawing:
    """Draws the `batches` of a portion, of which some are left. First it is made ready, then it is drawn.

    If it `resumes`, it may go on from the snapshot of an earlier run.
    """

    def __init__(
        self,
        parts: EngineParts,
        finder: ModelFinder,
        portion: Portion,
        models: Models,
        batches: Sequence[BatchLeft],
        resumes: bool = True,
    ) -> None:
        self._parts = parts
        self._portion = portion
        self._batches = batches
        resolved = portion.resolved
        self._spelling = Spelling(resolved, models)
        spelling = in_environment(self._spelling.of_all(parts.cancel.check))
        self._environment = environment_of(parts.device, resolved.dtype, resolved.threads) | spelling
        _tell_of_another_environment(parts, portion, self._environment)
        self._snapshot = _find_snapshot(parts, portion, batches, self._environment) if resumes else None
        self._defaults = models.checkpoint.defaults
        self._note = note = partial(parts.store.claims.note, portion.job.id)
        refuses = refuses_useless_networks(portion.job, parts.options.values)
        self._by_pass = PassModels(parts, finder, models, resolved, portion.economy, note, refuses)
        self._begins_at = self._first_pass()
        self._drawn_by: Batches | None = None

    @property
    def loads(self) -> list[bool]:
        """Of each pass that is left, whether its model is to be loaded."""
        by_pass = self._by_pass
        return [by_pass.has_to_load(number) for number in range(self._begins_at, len(self._portion.resolved.passes))]

    def prepare(self) -> None:
        """Have all that it needs: the first model, and the words. What was kept of another model goes with it.

        Raises:
            Interrupted: the job was stopped.
            ModelError: the model cannot be loaded.
        """
        parts, portion, by_pass, resolved = self._parts, self._portion, self._by_pass, self._portion.resolved
        torch.set_num_threads(resolved.threads)
        if by_pass.has_to_load(self._begins_at):
            parts.encoder.forget()
        by_pass.load(self._begins_at, portion.progress.advance)
        portion.enter("encode")
        parts.cancel.check()
        # What a later pass with the same model reads is encoded now, and what is to be said of its sampler said.
        at_hand = [number for number in range(self._begins_at, len(resolved.passes)) if by_pass.is_at(number)]
        own = by_pass.in_use.pipeline.scheduler
        told = {describe_sampler(own, resolved.passes[number], self._defaults): None for number in at_hand}
        for text in filter(None, told):
            self._note("sampler", text)
        unread = {self._encode(number): None for number in at_hand}
        for text in filter(None, unread):
            self._note("weights", text)
        self._drawn_by = Batches(parts, portion, by_pass, self._spelling, self._environment, self._snapshot)

    def draw(self) -> bool:
        """Draw what is left, once it is prepared. Tell whether all was tried.

        Raises:
            Interrupted: with the kind "interrupt", "pause" or "exit".
            SteadyError: it cannot be drawn.
        """
        assert self._drawn_by is not None
        return self._drawn_by.draw(self._batches)

    def keep_snapshot(self, amid: bool) -> None:
        """Write down where it stands, so that it can go on from here; if it is not to be `amid` a pass, else not."""
        snapshot = None if self._drawn_by is None else self._drawn_by.snapshot()
        if snapshot is not None and (amid or snapshot.state.standing[0] in (0, snapshot.state.standing[1])):
            self._parts.snapshots.keep(snapshot)

    def _encode(self, number: int) -> str | None:
        """Have the words of a pass encoded for the first batch; return what people are to know of them."""
        indices = next(batch.indices for batch in self._batches if batch.missing)
        words = self._by_pass.words_of(number)
        return describe_unread_weights(self._by_pass.in_use, self._by_pass.script(number, indices).wording, words)

    def _first_pass(self) -> int:
        """Return the number of the pass that runs first."""
        resolved, snapshot = self._portion.resolved, self._snapshot
        first = next(batch for batch in self._batches if batch.missing)
        if snapshot is None or snapshot.indices != self._portion.all_in_job(first.indices):
            return 0
        done, of = snapshot.state.standing
        following = resolved.passes[snapshot.at_pass + (done == of) :][:1]
        enlarging = following[0].enlarging if following and done == of else None
        if enlarging is not None and not enlarges_latents(enlarging.upscaler):
            return snapshot.at_pass  # Its model decodes what it left.
        return min(snapshot.at_pass + (done == of), len(resolved.passes) - 1)


def _find_snapshot(
    parts: EngineParts, portion: Portion, batches: Sequence[BatchLeft], environment: Mapping[str, str]
) -> Snapshot | None:
    """Return where an earlier run of the job stood in one of the batches that are left; else people are told."""
    job, resolved, device = portion.job, portion.resolved, parts.device
    pictures = range(portion.first, portion.first + resolved.image_count)
    try:
        snapshot = parts.snapshots.find(job.id, resolved, environment, device.torch_name, pictures)
    except UnfitSnapshot as reason:
        logger.warning("Job %s cannot go on from its snapshot: %s", job.id, reason)
        parts.store.claims.note(job.id, "restarted", describe_unfit(reason))
        return None
    left = [portion.all_in_job(batch.indices) for batch in batches if batch.missing]
    if snapshot is not None and snapshot.indices in left:
        return snapshot
    if job.attempts > 1 and job.progress > 0:
        parts.store.claims.note(job.id, "restarted", describe_lost(left[0], portion.pictures))
    return None


def _tell_of_another_environment(parts: EngineParts, portion: Portion, now: Mapping[str, str]) -> None:
    """Say so when some pictures of a job were drawn elsewhere than the rest is."""
    was, job_id = portion.resolved.environment, portion.job.id
    changed = None if was is None else describe_difference(was, now)
    if changed is not None and parts.store.jobs.images(job_id):
        text = f"Its images are not drawn under the same conditions, so not to the same bits: {changed}."
        parts.store.claims.note(job_id, "environment", text)
