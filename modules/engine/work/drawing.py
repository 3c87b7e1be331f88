"""One job, from its claimed row to its pictures on disk."""

from __future__ import annotations

from collections.abc import Sequence

from modules.engine.engine_parts import EngineParts
from modules.engine.progress.bar import JobProgress
from modules.engine.progress.parts import Planned, parts_of
from modules.engine.work.closing import close_request
from modules.engine.work.economy import Economy
from modules.engine.work.grid import save_grid
from modules.engine.work.model_finder import ModelFinder
from modules.engine.work.portion import BatchLeft, Portion, experience_of
from modules.engine.work.portion_drawing import PortionDrawing
from modules.engine.work.turns import announce_picture
from modules.errors import Interrupted
from modules.jobs.kinds.base import Resolved, ResolvedJob
from modules.jobs.kinds.choice import Models
from modules.jobs.kinds.registry import read_resolved, validate_drawing
from modules.jobs.rows import Job


class JobDrawing:
    """The drawing of one claimed job. `resolved` is there as soon as the request is closed."""

    def __init__(self, parts: EngineParts, job: Job, token: int, progress: JobProgress) -> None:
        self._parts = parts
        self._job = job
        self._token = token
        self._progress = progress
        self._finder = ModelFinder(parts)
        self._drawing: PortionDrawing | None = None
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
        parts, job = self._parts, self._job
        self._progress.enter("load")
        try:
            with parts.cancel.keeping_skips():
                parts.cancel.check()
                models, resolved = self._resolve()
                self.resolved = resolved
                economy, pictures = Economy.of(job.economy), resolved.image_count
                portion = Portion(job, self._token, self._progress, resolved, economy, pictures)
                batches = portion.batches(frozenset(image.index for image in parts.store.jobs.images(job.id)))
                left = [batch for batch in batches if batch.missing]
                if not left:
                    return True
                announce_picture(parts, job, left[0].indices[0])
            with parts.cancel.keeping_skips(len(left) > 1):
                drawing = PortionDrawing(parts, self._finder, portion, models, batches)
                self._plan(portion, drawing.loads, batches)
                drawing.prepare()
                self._drawing = drawing
        except Interrupted as stop:
            if stop.kind != "skip":
                raise
            return True  # Nothing else is to be drawn.
        parts.snapshots.begin()
        return drawing.draw()

    def keep_snapshot(self, amid: bool = True) -> None:
        """Write down where the job stands, so that it can go on from here; if it is not to be `amid` a pass, else not.

        For when it was told to pause or to exit, or has not the memory for what comes next.
        """
        if self._drawing is not None:
            self._drawing.keep_snapshot(amid)

    def _resolve(self) -> tuple[Models, ResolvedJob]:
        """Close the request, or take what an earlier run of this job has closed."""
        parts, job = self._parts, self._job
        if job.resolved is not None:
            resolved = _of_drawing(read_resolved(job.kind, job.resolved))
            return self._finder.of_row(resolved), resolved
        request = validate_drawing(job.kind, job.request)
        models = self._finder.of_request(job, request)
        closed = close_request(parts, self._finder, request, models, parts.draw_seed)
        for kind, text in closed.notes:
            parts.store.claims.note(job.id, kind, text)
        parts.store.claims.set_resolved(job.id, closed.resolved.model_dump())  # Last: what is closed is not told again.
        return closed.models, closed.resolved

    def _plan(self, portion: Portion, loads: Sequence[bool], batches: Sequence[BatchLeft]) -> None:
        """Tell the bar what is to be done. `loads` says of each pass that is left whether its model is to be loaded."""
        left = [(batch.indices, batch.missing) for batch in batches]
        planned = Planned(portion.resolved.passes, left, loads[0], any(loads[1:]))
        self._progress.plan(parts_of(planned), experience_of(self._parts, portion))


def _of_drawing(resolved: Resolved) -> ResolvedJob:
    if not isinstance(resolved, ResolvedJob):
        raise TypeError(f"Jobs of the kind {resolved.kind} are not drawn")
    return resolved
