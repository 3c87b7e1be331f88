"""Who may act on whose job. Call in a thread: the job may be looked up."""

from __future__ import annotations

from collections.abc import Callable

from modules.api.answers import Refused
from modules.errors import UnknownJob
from modules.jobs.rows import Actor, Job
from modules.jobs.store.jobs import Jobs
from modules.jobs.visitor import refusal_of_guest
from modules.options import Options


class Permission:
    """A guest touches his own jobs only. With the setting `only_own_jobs` a job is for its owner alone.

    Else everybody may, and the audit says who did.
    """

    def __init__(self, jobs: Jobs, options: Options) -> None:
        self._jobs, self._options = jobs, options

    def check(self, job_id: str | None, by: Actor | None) -> None:
        """Let `by` act on a job, or on the one that runs when `job_id` is None. None as `by` is the program itself.

        Raises:
            Refused: 403.
            UnknownJob: it is another owner's, which is not there for a guest.
        """
        rule = self.rule(by, named=job_id is not None)
        job = self._jobs.running() if job_id is None else self._jobs.get(job_id)
        if job is not None:
            rule(job)

    def rule(self, by: Actor | None, *, named: bool) -> Callable[[Job], None]:
        """Return what raises as `check` does for the job that it is given: for the transaction that acts on that job.

        Which job runs may change between a check and the deed. `named`: it was named, not taken as the one that runs.
        """
        if by is None or not (by.only_own or self._matters()):
            return _anyone
        actor = by

        def rule(job: Job) -> None:
            if job.owner == actor.owner:
                return
            if actor.only_own and named:
                raise UnknownJob(job.id)
            self.check_owner(job.owner, actor, "The job that runs" if actor.only_own else f"Job {job.id}")

        return rule

    def check_owner(self, owner: str | None, by: Actor, what: str) -> None:
        """Let `by` act on what belongs to `owner`; None: it belongs to several.

        Raises:
            Refused: 403.
        """
        if owner == by.owner:
            return
        if by.only_own:
            raise Refused(403, refusal_of_guest("What belongs to others", by.address))
        if self._matters():
            raise Refused(403, f"{what} is another owner's: the setting only_own_jobs lets nobody else act on it.")

    def _matters(self) -> bool:
        self._options.refresh()
        return self._options.values.only_own_jobs


def _anyone(_job: Job) -> None:
    """Let everybody act on every job."""
