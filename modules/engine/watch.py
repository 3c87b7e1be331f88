"""Looks after what nobody may have told the engine."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from modules.engine.engine_parts import EngineParts
from modules.engine.worker import Worker
from modules.errors import StorageError
from modules.jobs.store.file import DatabaseReplaced

logger = logging.getLogger(__name__)

# Readers that come back later than this many events begin with a snapshot.
EVENTS_KEPT = 10_000
_SECONDS_TO_BE_RESTARTED = 10.0


class Watch:
    """Looks each half second at the database, the settings, the memory.

    It also removes pictures that were to be kept for some hours only, and events that nobody waits for any more, at the
    start and then each hour; and each minute the jobs that a setting no longer keeps.
    """

    _SECONDS_BETWEEN_LOOKS = 0.5
    _LOOKS_BETWEEN_NEWS = 4
    _SECONDS_BETWEEN_SWEEPS = 3600.0
    _SECONDS_BETWEEN_DELETIONS = 60.0
    _SECONDS_UNTIL_MORE_IS_DELETED = 2.0

    def __init__(self, parts: EngineParts, worker: Worker, clock: Callable[[], float] = time.monotonic) -> None:
        self._parts = parts
        self._worker = worker
        self._clock = clock
        self._version: int | None = None
        self._recorded: tuple[str, str, float] | None = None
        self._looks = 0
        self._swept_at = self._deletion_due = float("-inf")
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Start the thread; it ends with the engine."""
        self._thread.start()

    def look(self) -> None:
        """Look once."""
        parts = self._parts
        parts.options.refresh()
        running = self._worker.running
        if running is not None:
            running[1].refresh()
        version = parts.store.database.data_version()
        if version != self._version:
            self._version = version
            self._worker.wake()
            self._apply_requests()
            if running is None:
                parts.snapshots.sweep(parts.needs_snapshot)  # A paused job may have ended without the engine.
        self._looks += 1
        if self._looks % self._LOOKS_BETWEEN_NEWS == 0:
            parts.status.refresh()
            parts.timings.save()
            self._record_progress()
        if self._worker.running is None and self._clock() - self._swept_at >= self._SECONDS_BETWEEN_SWEEPS:
            self._swept_at = self._clock()
            parts.store.images.expire_results(parts.options.values.results_kept_hours)
            parts.store.images.remove_unfinished()
            parts.store.deletion.compact_events(EVENTS_KEPT)
            parts.store.deletion.finish()
        if self._clock() >= self._deletion_due:
            self._deletion_due = self._clock() + self._delete_old_jobs()

    def _delete_old_jobs(self) -> float:
        """Delete what the settings no longer keep, also while a job is drawn, since a queue may never be idle.

        Returns in how many seconds to do so again.
        """
        values = self._parts.options.values
        if not values.jobs_kept_days and not values.jobs_kept_count:
            return self._SECONDS_UNTIL_MORE_IS_DELETED  # a setting that is changed is to act soon
        deleted = self._parts.store.deletion.delete_old(values.jobs_kept_days, values.jobs_kept_count)
        if deleted.jobs:
            logger.info("%d finished jobs were deleted, as the settings say", deleted.jobs)
        return self._SECONDS_UNTIL_MORE_IS_DELETED if deleted.left else self._SECONDS_BETWEEN_DELETIONS

    def _apply_requests(self) -> None:
        """Obey stored requests whose nudge was lost, for example with the server that sent it."""
        running = self._worker.running
        if running is None:
            return
        job = running[0]
        pending = self._parts.store.claims.pending(job.id)
        state = self._parts.state
        if pending.requested == "interrupt" and not state.interrupted:
            state.apply_request("interrupt", job.id)
        if pending.requested == "stop" and not state.stopping_generation:
            state.apply_request("stop", job.id)
        if pending.requested == "pause" and not state.pausing:
            state.apply_request("pause", job.id)
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
            self._parts.store.claims.record_progress(*now)

    def _run(self) -> None:
        while not self._parts.cancel.exit.wait(self._SECONDS_BETWEEN_LOOKS):
            try:
                self.look()
            except DatabaseReplaced as error:
                self._start_anew(error)
                return
            except StorageError as error:
                logger.warning("%s", error)

    def _start_anew(self, error: DatabaseReplaced) -> None:
        """Have this process replaced, since it works on a database that nobody else sees; by hand it only ends."""
        logger.error("%s", error)
        self._parts.state.server_command = "restart-engine"
        if not self._parts.cancel.exit.wait(_SECONDS_TO_BE_RESTARTED):
            self._parts.cancel.exit.set()
            self._worker.wake()
