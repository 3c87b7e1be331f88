"""What bodies say of a job beside its request: its id, its owner's wishes, its priority."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from modules.errors import InvalidRequest
from modules.jobs.store.queue import JOB_ID, PRIORITY_HIGHEST
from modules.jobs.submission import Wishes


def new_job_id() -> str:
    """Return an id that no other job has."""
    return uuid.uuid4().hex


def check_job_id(value: object, field: str) -> str | None:
    """Return a job's id as the client chose it; None when it left the choice to us.

    Raises:
        InvalidRequest: it would not fit into a path.
    """
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not JOB_ID.fullmatch(value):
        raise InvalidRequest(
            f"{field} {str(value)[:40]!r} is not possible: use up to 100 of A-Z a-z 0-9 _ . ( ) -", field
        )
    return value


def wishes_in(body: Mapping[str, Any], owner: str) -> Wishes:
    """Return what a body of POST jobs says beside the request.

    Raises:
        InvalidRequest: a value is not possible.
    """
    forever = body.get("forever", False)
    if not isinstance(forever, bool):
        raise InvalidRequest(f"forever {forever!r} is not possible: send true or false.", "forever")
    priority = priority_in(body) if body.get("priority") is not None else 0
    return Wishes(owner, priority, forever, check_job_id(body.get("retry_of"), "retry_of"))


def priority_in(body: Mapping[str, Any]) -> int:
    """Return the priority that a body names.

    Raises:
        InvalidRequest: it is none.
    """
    priority = body.get("priority")
    if isinstance(priority, int) and not isinstance(priority, bool) and abs(priority) <= PRIORITY_HIGHEST:
        return priority
    raise InvalidRequest(
        f"priority {priority!r} is not possible: send a whole number, -{PRIORITY_HIGHEST} to {PRIORITY_HIGHEST}.",
        "priority",
    )
