"""What the engine does for a job, by its kind."""

from __future__ import annotations

from typing import Protocol

from modules.engine.engine_parts import EngineParts
from modules.engine.progress.bar import JobProgress
from modules.engine.work.describing import Describing
from modules.engine.work.drawing import JobDrawing
from modules.engine.work.extras import ExtrasWork
from modules.engine.work.grid_work import GridWork
from modules.jobs.kinds.base import ResolvedJob
from modules.jobs.kinds.extras import EXTRAS
from modules.jobs.kinds.grid.grid import GRID
from modules.jobs.kinds.interrogate import INTERROGATE
from modules.jobs.rows import Job


class Work(Protocol):
    """The work on one claimed job."""

    @property
    def resolved(self) -> ResolvedJob | None:
        """What is drawn, as soon as that is known; None where nothing, or not all of it, helps with less memory."""

    def draw(self) -> bool:
        """Make every picture that is not there yet; tell whether all of them were tried (False: stopped between two).

        Raises:
            Interrupted: with the kind "interrupt", "pause" or "exit".
            SteadyError: the job cannot be done.
        """

    def keep_snapshot(self, amid: bool = True) -> None:
        """Write down where the job stands, so that it can go on from here; not `amid` a pass where that is no use."""


def work_of(parts: EngineParts, job: Job, token: int, progress: JobProgress) -> Work:
    """Return the work on a job that was claimed."""
    if job.kind == EXTRAS.name:
        return ExtrasWork(parts, job, token, progress)
    if job.kind == INTERROGATE.name:
        return Describing(parts, job, progress)
    if job.kind == GRID.name:
        return GridWork(parts, job, token, progress)
    return JobDrawing(parts, job, token, progress)
