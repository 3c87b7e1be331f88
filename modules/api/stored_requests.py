"""Stop buttons in the server: a request is stored in the job's row first, then the engine is nudged.

So no click is lost when the engine dies between the click and the deed, and none hits the next job.
"""

from __future__ import annotations

from modules.jobs.rows import RequestAnswer
from modules.jobs.store import JobStore
from modules.link import Link
from modules.shared_state import RequestKind


class StoredRequests:
    """The port that `State.skip`, `interrupt` and `stop_generating` go through in the server. Any thread."""

    def __init__(self, store: JobStore, link: Link | None) -> None:
        self._store = store
        self._link = link

    def request(self, kind: RequestKind, job: str | None) -> bool:
        """Ask `job`, or the job that runs, to stop in the way of `kind`; False when there is nothing to stop."""
        return self.ask(kind, job).accepted

    def ask(self, kind: RequestKind, job: str | None) -> RequestAnswer:
        """Like `request`, with all that is known of the answer.

        Raises:
            UnknownJob: there is no such job.
        """
        answer = self._store.request(kind, job)
        if answer.accepted and answer.was == "running" and self._link is not None:
            self._link.signal("nudge", kind=kind, job=answer.job, image=answer.image)
        return answer
