"""The engine's loop: claim, draw and close one job after the other."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch

from modules.engine.engine_parts import EngineParts
from modules.engine.models.memory import Baseline
from modules.engine.models.model_cache import free_memory
from modules.engine.models.out_of_memory import is_out_of_memory
from modules.engine.progress.bar import JobProgress
from modules.engine.recovery import Result, until_stored
from modules.engine.work.economy import Economy, cheaper
from modules.engine.work.failures import describe_failure, killed_for_memory
from modules.engine.work.second_try import describe_second_try, keep_steps, release_device, release_for_another_try
from modules.engine.work.work import work_of
from modules.errors import Interrupted
from modules.jobs.kinds.base import ResolvedJob
from modules.jobs.kinds.grid.resolved import ResolvedGrid
from modules.jobs.kinds.registry import read_resolved
from modules.jobs.rows import Death, Job
from modules.link.topics import PROGRESS

logger = logging.getLogger(__name__)

_SECONDS_TO_BE_RESTARTED = 10.0
_SECONDS_BEFORE_REST = 10.0


@dataclass(frozen=True)
class Ending:
    """How the drawing of a job ended. "exit": the engine is to end, and the next one goes on; "again": with `economy`.

    `text` is the error of a failed job, and what is told of one that is tried again.
    """

    kind: Literal["done", "interrupted", "failed", "paused", "again", "exit"]
    text: str | None = None
    economy: Economy | None = None


class Worker:
    """Runs jobs until the engine is told to end. `wake` and `unload` may be called from any thread."""

    def __init__(
        self,
        parts: EngineParts,
        publish: Callable[[str, Any], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._parts = parts
        self._publish = publish
        self._clock = clock
        self._woken = threading.Event()
        self._progress: JobProgress | None = None
        self._job: Job | None = None
        self._baseline = Baseline.of_device(parts.device)
        self._paused_last = False
        self._unload = threading.Event()
        # The stop with its traceback, which holds what was loaded by half: to free 2 GB takes longer than to say so.
        self._stop: Interrupted | None = None

    @property
    def running(self) -> tuple[Job, JobProgress] | None:
        """The job that runs now and how far it is."""
        job, progress = self._job, self._progress
        return None if job is None or progress is None else (job, progress)

    def wake(self) -> None:
        """Look for a job now."""
        self._woken.set()

    def unload(self, wanted: bool = True) -> None:
        """Forget the models as soon as there is no job; the next loads its own. Not `wanted` any more: keep them."""
        if wanted:
            self._unload.set()
            self.wake()
        else:
            self._unload.clear()

    def run(self, left: Sequence[Job] = (), death: Death | None = None) -> None:
        """Run jobs until `cancel.exit` is set. `left` are the settled ones of the engine before, `death` is its end."""
        parts = self._parts
        with torch.inference_mode():
            if death is not None and killed_for_memory(death):
                self._until_stored(lambda: self._spare_memory(left, death))
            parts.status.change("idle")
            while not parts.cancel.exit.is_set():
                self._woken.clear()
                job = self._until_stored(lambda: parts.store.claims.claim(parts.identity.claims_as))
                if job is not None:
                    self.run_job(job)
                    self._recycle_if_grown()
                elif self._paused_last or self._unload.is_set():
                    self._unload.clear()  # before it is done: what is asked for meanwhile is done after it
                    self._release_device()
                elif not self._woken.wait(_SECONDS_BEFORE_REST):
                    parts.device.free_unused()  # kept for a next picture, which does not come
                    self._woken.wait()

    def run_job(self, job: Job) -> None:
        """Draw a claimed job and close its row. The one place where everything that can go wrong is caught."""
        parts = self._parts
        parts.options.refresh()  # A client that sets the model and then sends a job means that model.
        parts.status.change("drawing")
        token = parts.state.begin(job.id)
        progress = JobProgress(job.id, lambda value: self._publish(PROGRESS, value), self._clock, job.progress)
        parts.cancel.heartbeat.begin(job.id, lambda: progress.phase)
        self._job, self._progress = job, progress
        try:
            ending = self._draw(job, token, progress)
            if ending.kind == "done":
                progress.complete()
        finally:
            # The end goes out before the row says so: whoever waits for the row finds the noticeboard idle.
            self._job = self._progress = None
            parts.cancel.heartbeat.end()
            parts.state.current_latent = None
            parts.state.end(token)
        if ending.kind != "done":
            # For those who ask the row of a job that waits or stopped; the housekeeping writes it now and then only.
            self._until_stored(lambda: parts.store.claims.record_progress(job.id, progress.phase, progress.value))
        self._close(job, ending)
        self._stop = None
        progress.clear()
        self._paused_last = ending.kind == "paused"
        if ending.kind not in ("done", "exit"):
            free_memory(parts.device)
        parts.status.change("stopping" if ending.kind == "exit" else "idle")

    def _draw(self, job: Job, token: int, progress: JobProgress) -> Ending:
        drawing = work_of(self._parts, job, token, progress)
        try:
            # A request that came before `begin` found nothing to stop; one that comes later finds the flag.
            pending = self._parts.store.claims.pending(job.id)
            if pending.requested is not None:
                self._parts.state.apply_request(pending.requested, job.id)
            return Ending("done" if drawing.draw() else "interrupted")
        except Interrupted as stop:
            logger.info("Job %s was stopped (%s)", job.id, stop.kind)
            self._stop = stop
            if stop.kind == "pause":
                drawing.keep_snapshot()
                return Ending("paused")
            if stop.kind == "exit":
                drawing.keep_snapshot()
                return Ending("exit")
            return Ending("interrupted")
        except Exception as error:
            logger.exception("Job %s failed", job.id)
            if is_out_of_memory(error):
                keep_steps(drawing, amid=progress.phase != "sample")
                return self._ending_out_of_memory(job, drawing.resolved, progress.phase, error)
            return Ending("failed", describe_failure(error, drawing.resolved))

    def _close(self, job: Job, ending: Ending) -> None:
        """Write the ending into the job's row."""
        store = self._parts.store
        if ending.kind == "again":
            economy = ending.economy
            assert economy is not None
            self._until_stored(lambda: store.claims.set_economy(job.id, economy.stored()))
            self._until_stored(lambda: store.claims.requeue(job.id, ending.text, "out-of-memory"))
        elif ending.kind == "paused":
            paused = self._until_stored(lambda: store.claims.pause_now(job.id))
            if paused is not None and paused.finished:
                self._parts.snapshots.remove(job.id)
        elif ending.kind != "exit":
            status = ending.kind
            self._until_stored(lambda: store.claims.finish(job.id, status, ending.text))
            self._parts.snapshots.remove(job.id)

    # --- Memory -----------------------------------------------------------------------------------------------------

    def _ending_out_of_memory(self, job: Job, resolved: ResolvedJob | None, phase: str, error: Exception) -> Ending:
        """Give all memory back, and try the job once more with cheaper settings where some would help."""
        self._paused_last = False
        if resolved is None or job.economy is not None:
            release_device(self._parts)
        elif (economy := release_for_another_try(self._parts, resolved, phase)) is not None:
            return Ending("again", describe_second_try("Out of memory", resolved, economy), economy)
        return Ending("failed", describe_failure(error, resolved, Economy.of(job.economy)))

    def _release_device(self) -> None:
        """Forget the model and whatever belongs to it."""
        self._paused_last = False
        release_device(self._parts)

    def _recycle_if_grown(self) -> None:
        """Ask for a new process when this one holds more memory than is usual; no job is claimed meanwhile."""
        parts = self._parts
        # Counted anew when other models are kept: they are no leak.
        limit = parts.options.values.engine_memory_limit_percent
        beside = parts.upscalers.keys | parts.face_menders.keys | parts.captioner.keys | parts.lora_weights.keys
        grown = self._baseline.grown_beyond(limit, (parts.model_cache.keys, beside))
        if grown is not None and not parts.cancel.exit.is_set():
            logger.warning("The engine is restarted between two jobs: %s", grown)
            parts.state.server_command = "restart-engine"
            parts.cancel.exit.wait(_SECONDS_TO_BE_RESTARTED)

    # --- The database -----------------------------------------------------------------------------------------------

    def _spare_memory(self, left: Sequence[Job], death: Death) -> None:
        """Let the jobs for which the system killed the engine before go on with cheaper settings."""
        store = self._parts.store
        for job in left:
            if job.status != "queued" or job.resolved is None:
                continue
            resolved, cell = _drawn_last(job)
            if resolved is None or _economy_of(job, cell) is not None:
                continue
            economy = cheaper(resolved, self._parts.device, None, can_tile=True)
            if economy is not None:
                stored = economy.stored() if cell is None else economy.stored_of_cell(job.economy, cell)
                store.claims.set_economy(job.id, stored)
                why = "The engine was killed, since the machine ran out of memory,"
                store.claims.note(job.id, "out-of-memory", describe_second_try(why, resolved, economy))

    def _until_stored(self, change: Callable[[], Result]) -> Result | None:
        return until_stored(change, self._parts.cancel.exit)


def _drawn_last(job: Job) -> tuple[ResolvedJob | None, int | None]:
    """Return what was drawn of a job when its engine ended, and of a grid the number of the cell that this is."""
    assert job.resolved is not None
    resolved = read_resolved(job.kind, job.resolved)
    if isinstance(resolved, ResolvedGrid):
        cell = resolved.spot_of(job.image_index or 0).cell
        return resolved.cells[cell].drawn, cell
    return (resolved, None) if isinstance(resolved, ResolvedJob) else (None, None)


def _economy_of(job: Job, cell: int | None) -> Economy | None:
    """Return the settings that a job, or a cell of it, is drawn with since it ran out of memory; None: as asked."""
    if cell is not None:
        return Economy.of_cell(job.economy, cell)
    return None if job.economy is None else Economy.of(job.economy)
