"""Looks after what nobody may have told the engine: a list of checks, each with its own interval."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from modules.engine.engine_parts import EngineParts
from modules.engine.worker import Worker
from modules.errors import StorageError
from modules.jobs.rows import Pending
from modules.jobs.store.file import DatabaseReplaced

logger = logging.getLogger(__name__)

# Readers that come back later than this many events begin with a snapshot.
EVENTS_KEPT = 10_000
SECONDS_BETWEEN_LOOKS = 0.5
EACH_LOOK = 0.0
_SECONDS_BETWEEN_NEWS = 2.0
_SECONDS_BETWEEN_SWEEPS = 3600.0
_SECONDS_BETWEEN_DELETIONS = 60.0
_SECONDS_INPUTS_ARE_KEPT = 86_400.0
_SECONDS_UNTIL_MORE_IS_DELETED = 2.0
_SECONDS_TO_BE_RESTARTED = 10.0


@dataclass
class Check:
    """Something to be looked at every so many seconds; `look` may return how many it is until the next time instead."""

    look: Callable[[], float | None]
    every_seconds: float
    due: float = float("-inf")


class Housekeeping:
    """Does what is due, each half second, on a thread of its own."""

    def __init__(self, parts: EngineParts, worker: Worker, clock: Callable[[], float] = time.monotonic) -> None:
        self._parts = parts
        self._worker = worker
        self._clock = clock
        self._version: int | None = None
        self._recorded: tuple[str, str, float] | None = None
        self._checks = (
            Check(self._read_settings, EACH_LOOK),
            Check(self._refresh_progress, EACH_LOOK),
            Check(self._see_what_others_wrote, EACH_LOOK),
            Check(parts.status.refresh, _SECONDS_BETWEEN_NEWS),
            Check(parts.timings.save, _SECONDS_BETWEEN_NEWS),
            Check(self._record_progress, _SECONDS_BETWEEN_NEWS),
            Check(self._sweep, _SECONDS_BETWEEN_SWEEPS),
            Check(self._sweep_inputs, _SECONDS_BETWEEN_SWEEPS),
            Check(self._delete_old_jobs, _SECONDS_BETWEEN_DELETIONS),
        )
        self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)

    def start(self) -> None:
        """Start the thread; it ends with the engine."""
        self._thread.start()

    def look(self) -> None:
        """Do what is due. A disk that refuses one thing keeps none of the others back.

        Raises:
            DatabaseReplaced: all of this works on a database that nobody else sees.
        """
        for check in self._checks:
            if self._clock() < check.due:
                continue
            seconds: float | None = None
            try:
                seconds = check.look()
            except DatabaseReplaced:
                raise
            except StorageError as error:
                logger.warning("%s", error)
            check.due = self._clock() + (check.every_seconds if seconds is None else seconds)

    def _read_settings(self) -> None:
        self._parts.options.refresh()

    def _refresh_progress(self) -> None:
        if self._worker.running is not None:
            self._worker.running[1].refresh()

    def _see_what_others_wrote(self) -> None:
        """Act on a change of the database of which no word came, for example since its writer was killed."""
        version = self._parts.store.database.data_version()
        if version == self._version:
            return
        self._version = version
        self._worker.wake()
        running = self._worker.running
        if running is None:
            self._parts.snapshots.sweep(self._parts.needs_snapshot)  # A paused job may have ended without the engine.
        else:
            self._obey(running[0].id, self._parts.store.claims.pending(running[0].id))

    def _obey(self, job: str, pending: Pending) -> None:
        """Obey stored requests whose nudge was lost, for example with the server that sent it."""
        state = self._parts.state
        known = {"interrupt": state.interrupted, "stop": state.stopping_generation, "pause": state.pausing}
        if pending.requested is not None and not known[pending.requested]:
            state.apply_request(pending.requested, job)
        if pending.skip_image is not None and not state.skipped:
            state.apply_request("skip", job, pending.skip_image)

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

    def _sweep(self) -> float | None:
        """Remove pictures that were to be kept for some hours only, and events that nobody waits for any more."""
        if self._worker.running is not None:
            return EACH_LOOK
        store = self._parts.store
        store.images.expire_results(self._parts.options.values.results_kept_hours)
        store.images.remove_unfinished()
        store.deletion.compact_events(EVENTS_KEPT)
        store.deletion.finish()
        return None

    def _sweep_inputs(self) -> None:
        """Remove pictures that no job starts from and that nobody has used for a day."""
        store = self._parts.store
        removed = self._parts.inputs.sweep(store.jobs.inputs_named, store.database.clock() - _SECONDS_INPUTS_ARE_KEPT)
        if removed:
            logger.info("%d pictures that no job starts from were removed", removed)

    def _delete_old_jobs(self) -> float | None:
        """Delete what the settings no longer keep, also while a job is drawn, since a queue may never be idle."""
        values = self._parts.options.values
        if not values.jobs_kept_days and not values.jobs_kept_count:
            return _SECONDS_UNTIL_MORE_IS_DELETED  # a setting that is changed is to act soon
        deleted = self._parts.store.deletion.delete_old(values.jobs_kept_days, values.jobs_kept_count)
        if deleted.jobs:
            logger.info("%d finished jobs were deleted, as the settings say", deleted.jobs)
        return _SECONDS_UNTIL_MORE_IS_DELETED if deleted.left else None

    def _run(self) -> None:
        while not self._parts.cancel.exit.wait(SECONDS_BETWEEN_LOOKS):
            try:
                self.look()
            except DatabaseReplaced as error:
                self._start_anew(error)
                return

    def _start_anew(self, error: DatabaseReplaced) -> None:
        """Have this process replaced, since it works on a database that nobody else sees; by hand it only ends."""
        logger.error("%s", error)
        self._parts.state.server_command = "restart-engine"
        if not self._parts.cancel.exit.wait(_SECONDS_TO_BE_RESTARTED):
            self._parts.cancel.exit.set()
            self._worker.wake()
