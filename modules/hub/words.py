"""What went wrong with a download, in words that say what to do."""

from __future__ import annotations

import errno
import re
from dataclasses import dataclass

from modules.errors import SteadyError
from modules.hub.address import endpoint

_LIBRARIES_OF_THE_NETWORK = ("httpx", "httpcore", "requests", "urllib3", "ssl", "socket", "h11", "anyio")
_UNAUTHORIZED, _FORBIDDEN, _TOO_MANY, _SERVER = 401, 403, 429, 500
_SECRET = re.compile(r"hf_\w+")
_LONGEST = 300


@dataclass(frozen=True)
class Trouble:
    """`passes`: it may be over in a moment, so that the download itself tries again."""

    message: str
    passes: bool = False


def trouble_of(error: Exception, repo: str) -> Trouble:
    """Say what an error means for who downloads `repo`."""
    if isinstance(error, SteadyError):
        return Trouble(str(error))
    name = type(error).__name__
    page = f"{endpoint()}/{repo}"
    if name == "GatedRepoError":
        return Trouble(
            f"{repo} is gated: accept its terms on {page} with your account, set an access token of that account "
            "below, and resume."
        )
    if name == "RepositoryNotFoundError":
        return Trouble(f"There is no {repo} on the Hub, or it is private: check the name, or set an access token.")
    if name == "RevisionNotFoundError":
        return Trouble(f"{repo} has no such revision: take the address from {page}.")
    if name in ("EntryNotFoundError", "RemoteEntryNotFoundError"):
        return Trouble(f"A file of {repo} is not there any more: cancel this and begin anew.")
    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(status, int):
        return _of_status(status, repo)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Trouble("No space is left on the disk: free some, then resume.")
    if isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return Trouble(f"{error.filename} may not be written: give your user write access to it, then resume.")
    if is_of_the_network(error):
        return Trouble(
            f"{endpoint().split('//')[-1]} cannot be reached ({name}): check the network, then resume.", passes=True
        )
    said = _SECRET.sub("hf_…", str(error))[:_LONGEST]
    return Trouble(f"The download failed ({name}: {said}): resume, or cancel it and begin anew.")


def is_of_the_network(error: BaseException | None) -> bool:
    """Tell whether a connection failed, could not be made or took too long."""
    while error is not None:
        if isinstance(error, ConnectionError | TimeoutError):
            return True
        if type(error).__module__.split(".")[0].rstrip("2") in _LIBRARIES_OF_THE_NETWORK:
            return True
        error = error.__cause__
    return False


def _of_status(status: int, repo: str) -> Trouble:
    if status == _UNAUTHORIZED:
        return Trouble("The Hub does not take the access token: set another one, or none, then resume.")
    if status == _FORBIDDEN:
        return Trouble(f"The access token may not read {repo}: set one that may, then resume.")
    if status == _TOO_MANY:
        return Trouble("The Hub wants fewer requests from this address: resume in some minutes.", passes=True)
    if status >= _SERVER:
        return Trouble(f"The Hub has trouble itself (status {status}): resume later.", passes=True)
    return Trouble(f"The Hub refused {repo} (status {status}): check the address.")
