"""What can go wrong, by name. Every message names the value and the remedy."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Literal, Self

InterruptKind = Literal["skip", "interrupt", "pause", "exit"]


class SteadyError(Exception):
    """Something the user can be told as it stands: the message is for people."""


class InvalidRequest(SteadyError):  # noqa: N818  (the word is clear as it is)
    """A request or a setting that cannot be followed. REST: 422.

    `field` is the name of the value at fault, as the client sent it; None when it is the request as a whole.
    """

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class UnknownJob(SteadyError):  # noqa: N818
    """There is no job with this id. REST: 404."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"There is no job {job_id!r}: GET /sdapi/v1/jobs lists the known ones.")
        self.job_id = job_id


class QueueFull(SteadyError):  # noqa: N818
    """As many jobs wait as may wait. REST: 429 with `Retry-After: retry_after_seconds`."""

    def __init__(self, message: str, retry_after_seconds: int = 30) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class IdTaken(SteadyError):  # noqa: N818
    """Another job has the id that a new one was to have. REST: 409."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"The id {job_id!r} is taken by another job: choose a new one, or send none.")
        self.job_id = job_id


class NotPermitted(SteadyError):  # noqa: N818
    """Who asks may not do that. REST: 403."""


class ModelError(SteadyError):
    """A model that is there but cannot be used, such as a folder with a missing file."""


class TooMuchSent(SteadyError):  # noqa: N818
    """A guest has sent as much as guests may for now. REST: 429 with `Retry-After: retry_after_seconds`."""

    def __init__(self, message: str, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class InputGone(SteadyError):  # noqa: N818
    """A picture that a job starts from is not there any more, or not what it was. REST: 404."""


class LinkClosed(SteadyError):  # noqa: N818
    """The launcher at the other end of the link is gone."""


class StorageError(SteadyError):
    """A file that cannot be read or written. The message names the path and the remedy."""

    @classmethod
    def from_os_error(cls, path: Path, cause: OSError) -> Self:
        """Say in words what the system refused at `path`, and what helps."""
        if cause.errno in (errno.ENOSPC, errno.EDQUOT):
            return cls(f"No space left to write {path}: free some disk space, or choose another --data-dir.")
        if cause.errno in (errno.EACCES, errno.EPERM):
            return cls(f"Not allowed to use {path}: give your user write access to it, or choose another --data-dir.")
        if cause.errno == errno.EROFS:
            return cls(f"{path} is on a read-only disk: mount it writable, or choose another --data-dir.")
        if cause.errno in (errno.ENOTDIR, errno.EEXIST):
            return cls(f"A file stands where a folder is needed for {path}: move that file away.")
        reason = cause.strerror or str(cause)
        return cls(f"{path} cannot be used ({reason}): check the disk, or choose another --data-dir.")


class Interrupted(BaseException):
    """The job was stopped at a cancel point: an outcome, not an error, so `except Exception` lets it pass.

    `kind` is "skip" (this image only), "interrupt" (the job), "pause" (the job, to go on later) or "exit" (the engine
    is to end).
    """

    def __init__(self, kind: InterruptKind) -> None:
        super().__init__(kind)
        self.kind: InterruptKind = kind
