"""What is drawn as one of a job: all of it, or a part that has models, words and passes of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from modules.engine.engine_parts import EngineParts
from modules.engine.progress.bar import JobProgress
from modules.engine.progress.parts import Phase, stages_of
from modules.engine.progress.timings import Experience
from modules.engine.work.batch_division import batches_of
from modules.engine.work.economy import Economy
from modules.jobs.kinds.base import ResolvedJob
from modules.jobs.rows import Job


@dataclass(frozen=True)
class BatchLeft:
    """A batch of a portion: the `indices` of its pictures, and which of them are `missing`; none: it is done."""

    indices: list[int]
    missing: list[int]


@dataclass(frozen=True)
class Portion:
    """What a `ResolvedJob` says of a claimed job that runs under `token`.

    Its pictures have indices from 0; the first of them has the index `first` among the `pictures` of the job.
    `jobs_before` and `jobs_after` are how many of A1111's jobs the other portions take, for `state.job_count`.
    """

    job: Job
    token: int
    progress: JobProgress
    resolved: ResolvedJob
    economy: Economy
    pictures: int
    first: int = 0
    jobs_before: int = 0
    jobs_after: int = 0

    def in_job(self, index: int) -> int:
        """Return the index in the job of a picture of the portion."""
        return self.first + index

    def all_in_job(self, indices: Sequence[int]) -> tuple[int, ...]:
        """Return the indices in the job of pictures of the portion."""
        return tuple(self.in_job(index) for index in indices)

    def enter(self, phase: Phase, index: int = 0, turn: int = 0, done: int = 0, steps: int = 0) -> None:
        """Tell the bar that a phase begins, as `JobProgress.enter` is told, of a picture of the portion."""
        self.progress.enter(phase, self.in_job(index), turn, done, steps)

    def batches(self, complete: frozenset[int]) -> list[BatchLeft]:
        """Return each batch with those of its pictures that are not `complete`, indices in the job.

        A batch is drawn whole, since another size would give other bits. One before that in which an earlier run was
        is done: what it lacks was skipped. What nobody wants of a job that had ended is not missing either.
        """
        begun, wanted = (self.job.image_index or 0) - self.first, self.job.wanted
        batches = batches_of(self.resolved, self.economy.batch_size_of(self.resolved))

        def is_missing(index: int) -> bool:
            place = self.in_job(index)
            return place not in complete and (wanted is None or place in wanted)

        return [
            BatchLeft(indices, list(filter(is_missing, indices)) if indices[-1] >= begun else []) for indices in batches
        ]

    def jobs_of(self, batches: int) -> int:
        """Return how many of A1111's jobs so many batches take."""
        return batches * stages_of(self.resolved.passes)


def experience_of(parts: EngineParts, portion: Portion) -> Experience:
    """Return what is known of how long such a portion takes."""
    device, resolved = parts.device.label, portion.resolved
    where = f"{device} offload" if portion.economy.offload else device
    return parts.timings.under(resolved.sources.checkpoint.hash[:16], resolved.dtype, where, resolved.threads)
