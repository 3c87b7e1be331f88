"""The engine's loop: settle what an earlier engine left, then claim, draw and close one job after the other."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import torch

from modules.engine.drawing import JobDrawing
from modules.engine.failures import describe_failure, is_out_of_memory
from modules.engine.progress import JobProgress
from modules.engine.studio import Studio
from modules.errors import Interrupted, StorageError
from modules.jobs.rows import Death, EndStatus, Job

logger = logging.getLogger(__name__)

_SECONDS_BETWEEN_TRIES = 1.0


class Worker:
    """Runs jobs until the engine is told to end. `wake` may be called from any thread."""

    def __init__(self, studio: Studio, engine_id: str, publish: Callable[[str, Any], None]) -> None:
        self._studio = studio
        self._engine_id = engine_id
        self._publish = publish
        self._woken = threading.Event()
        self._progress: JobProgress | None = None
        self._job: Job | None = None

    @property
    def running(self) -> tuple[Job, JobProgress] | None:
        """The job that runs now and how far it is."""
        job, progress = self._job, self._progress
        return None if job is None or progress is None else (job, progress)

    def wake(self) -> None:
        """Look for a job now."""
        self._woken.set()

    def run(self, death: Death | None) -> None:
        """Recover, then run jobs until `cancel.exit` is set."""
        with torch.inference_mode():
            self._until_stored(lambda: self._studio.store.recover(self._engine_id, death))
            self._studio.status.change("idle")
            while not self._studio.cancel.exit.is_set():
                self._woken.clear()
                job = self._until_stored(lambda: self._studio.store.claim(self._engine_id))
                if job is None:
                    self._woken.wait()
                else:
                    self.run_job(job)

    def run_job(self, job: Job) -> None:
        """Draw a claimed job and close its row. The one place where everything that can go wrong is caught."""
        studio = self._studio
        studio.status.change("drawing")
        token = studio.state.begin(job.id)
        progress = JobProgress(job.id, lambda value: self._publish("progress", value))
        self._job, self._progress = job, progress
        ending: tuple[EndStatus, str | None] | None
        try:
            ending = self._draw(job, token, progress)
            if ending is not None and ending[0] == "done":
                progress.complete()
        finally:
            # The end goes out before the row says so: whoever waits for the row finds the noticeboard idle.
            self._job = self._progress = None
            studio.state.current_latent = None
            studio.state.end(token)
        if ending is not None:
            status, error = ending
            self._until_stored(lambda: studio.store.finish(job.id, status, error))
        progress.clear()
        studio.status.change("idle" if ending is not None else "stopping")

    def _draw(self, job: Job, token: int, progress: JobProgress) -> tuple[EndStatus, str | None] | None:
        """Return how the job ended; None: the engine is to end, and the next one goes on with it."""
        drawing = JobDrawing(self._studio, job, token, progress)
        try:
            # A request that came before `begin` found nothing to stop; one that comes later finds the flag.
            pending = self._studio.store.pending(job.id)
            if pending.requested is not None:
                self._studio.state.apply_request(pending.requested, job.id)
            return ("done" if drawing.draw() else "interrupted"), None
        except Interrupted as stop:
            logger.info("Job %s was stopped (%s)", job.id, stop.kind)
            return None if stop.kind == "exit" else ("interrupted", None)
        except Exception as error:
            logger.exception("Job %s failed", job.id)
            if is_out_of_memory(error):
                self._studio.shelf.drop()
                self._studio.status.forget_checkpoint()
            return "failed", describe_failure(error, drawing.resolved)

    def _until_stored(self, change: Callable[[], Any]) -> Any:
        """Change the database, again and again while the disk refuses: a full disk may be freed."""
        told = False
        while True:
            try:
                return change()
            except StorageError as error:
                if not told:
                    logger.error("%s Trying again each second.", error)
                    told = True
                if self._studio.cancel.exit.wait(_SECONDS_BETWEEN_TRIES):
                    return None


class Watch:
    """Looks after what nobody may have told the engine: each half second at the database, the settings, the memory.

    It also removes pictures that were to be kept for some hours only, at the start and then each hour.
    """

    _SECONDS_BETWEEN_LOOKS = 0.5
    _LOOKS_BETWEEN_NEWS = 4
    _SECONDS_BETWEEN_SWEEPS = 3600.0

    def __init__(self, studio: Studio, worker: Worker, clock: Callable[[], float] = time.monotonic) -> None:
        self._studio = studio
        self._worker = worker
        self._clock = clock
        self._version: int | None = None
        self._recorded: tuple[str, str, float] | None = None
        self._looks = 0
        self._swept_at = float("-inf")
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Start the thread; it ends with the engine."""
        self._thread.start()

    def look(self) -> None:
        """Look once."""
        studio = self._studio
        studio.options.refresh()
        version = studio.store.data_version()
        if version != self._version:
            self._version = version
            self._worker.wake()
            self._apply_requests()
        self._looks += 1
        if self._looks % self._LOOKS_BETWEEN_NEWS == 0:
            studio.status.refresh()
            self._record_progress()
        if self._worker.running is None and self._clock() - self._swept_at >= self._SECONDS_BETWEEN_SWEEPS:
            self._swept_at = self._clock()
            studio.store.expire_results(studio.options.values.results_kept_hours)

    def _apply_requests(self) -> None:
        """Obey stored requests whose nudge was lost, for example with the server that sent it."""
        running = self._worker.running
        if running is None:
            return
        job = running[0]
        pending = self._studio.store.pending(job.id)
        state = self._studio.state
        if pending.requested == "interrupt" and not state.interrupted:
            state.apply_request("interrupt", job.id)
        if pending.requested == "stop" and not state.stopping_generation:
            state.apply_request("stop", job.id)
        if pending.skip_image is not None and not state.skipped:
            state.apply_request("skip", job.id, pending.skip_image)

    def _record_progress(self) -> None:
        """Store the progress for those who ask the database; here, since it waits for the disk."""
        running = self._worker.running
        if running is None:
            return
        job, progress = running
        now = (job.id, progress.phase, progress.value)
        if now != self._recorded:
            self._recorded = now
            self._studio.store.record_progress(*now)

    def _run(self) -> None:
        while not self._studio.cancel.exit.wait(self._SECONDS_BETWEEN_LOOKS):
            try:
                self.look()
            except StorageError as error:
                logger.warning("%s", error)
