"""Stop buttons in the server: a request is stored in the job's row first, then the engine is nudged.

So no click is lost when the engine dies between the click and the deed, and none hits the next job.
"""

from __future__ import annotations

import logging

from modules.api.auth.permission import Permission
from modules.errors import StorageError
from modules.jobs.rows import Actor, RequestAnswer
from modules.jobs.store.control import Control
from modules.link import Link
from modules.link.noticeboards import Noticeboards
from modules.shared_state import RequestKind

logger = logging.getLogger(__name__)

STOPS = ("interrupt", "skip", "stop")  # a pause needs the disk: it keeps what is done so far


class StopRequests:
    """The port that `State.skip`, `interrupt` and `stop_generating` go through in the server. Any thread.

    The launcher counts the interrupts that an engine does not obey: see `modules/launcher/disobedience.py`.
    """

    def __init__(self, control: Control, link: Link | None, noticeboards: Noticeboards, permission: Permission) -> None:
        self._control, self._link = control, link
        self.noticeboards, self.permission = noticeboards, permission

    def request(self, kind: RequestKind, job: str | None) -> bool:
        """Ask `job`, or the job that runs, to stop in the way of `kind`; False when there is nothing to stop.

        It is the program itself that asks.
        """
        return self.ask(kind, job).accepted

    def ask(self, kind: RequestKind, job: str | None, by: Actor | None = None) -> RequestAnswer:
        """Like `request`, with all that is known of the answer. `by` says who asks.

        Raises:
            UnknownJob: there is no such job.
            Refused: 403, it is another owner's, and that matters.
        """
        try:
            answer = self._control.ask(kind, job, by=by, permit=self.permission.rule(by, named=job is not None))
        except StorageError as error:
            answer = self._act_unstored(kind, job, by, error)
        if answer.accepted and answer.was == "running" and self._link is not None:
            self._link.signal("nudge", kind=kind, job=answer.job, image=answer.image, times=answer.times)
        return answer

    def _act_unstored(self, kind: RequestKind, job: str | None, by: Actor | None, error: StorageError) -> RequestAnswer:
        """Stop the running job though the disk takes nothing: that may be the very thing that frees it.

        Raises:
            StorageError: nothing is stopped by a word to the engine alone.
            Refused: 403, it is another owner's, and that matters.
        """
        board = self.noticeboards.of_job(job).snapshot()
        running = board["begun_job"] if board["running"] else None
        if running is None or job not in (None, running) or kind not in STOPS or self._link is None:
            raise error
        self.permission.check(running, by)
        logger.error("%s of job %s could not be written down: %s", kind, running, error)
        return RequestAnswer(True, "running", running, board["image_index"], notice=unwritten(error))


def unwritten(error: StorageError) -> str:
    """Say that something was done and is not in the audit."""
    return f"It is done, but not written down, and neither is who did it: {error}"
