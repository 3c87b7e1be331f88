"""From a request's body to a job in the queue."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modules.api.answers import Refused, retry_later
from modules.errors import InvalidRequest, ModelError
from modules.jobs.kinds.requests import Txt2ImgRequest, find_checkpoint, validate_request
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.rows import Actor, Job
from modules.jobs.store.job_store import JobStore
from modules.jobs.store.queue import JOB_ID, PRIORITY_HIGHEST
from modules.jobs.visitor import refusal_of_guest
from modules.options import Settings

_submitting = threading.Lock()


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


def check_request(kind: object, data: object, catalogue: CheckpointCatalogue, settings: Settings) -> Txt2ImgRequest:
    """Return a valid request of this kind, with a checkpoint that is there and can draw it.

    Raises:
        InvalidRequest: it cannot be followed.
    """
    if not isinstance(kind, str):
        raise InvalidRequest(f"kind {kind!r} is no text: send 'txt2img'.", "kind")
    if not isinstance(data, Mapping):
        raise InvalidRequest("request is missing: send an object with the fields of POST txt2img.", "request")
    request = validate_request(kind, data)
    try:
        find_checkpoint(request, catalogue, settings)
    except ModelError as error:
        raise InvalidRequest(str(error), "sd_model_checkpoint") from error
    return request


@dataclass(frozen=True)
class Wishes:
    """Whose a job is and how it is to be queued."""

    owner: str
    priority: int = 0
    forever: bool = False
    retry_of: str | None = None


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


def submit_job(
    store: JobStore, request: Txt2ImgRequest, job_id: str, wishes: Wishes, by: Actor, *, only_new: bool = False
) -> Job:
    """Put a request into the queue. The same id twice is one job; with `only_new` the second time is an error.

    Raises:
        Refused: 409, the id is taken; 403, a guest wants to be before others.
        QueueFull: as many jobs wait as may.
    """
    if by.only_own and wishes.priority != 0:
        raise Refused(403, refusal_of_guest("A priority", by.address))
    content: dict[str, Any] = request.model_dump(mode="json")

    def submit() -> Job:
        return store.submit(
            "txt2img",
            content,
            wishes.owner,
            id=job_id,
            priority=wishes.priority,
            forever=wishes.forever,
            retry_of=wishes.retry_of,
            by=by,
        )

    if not only_new:
        job = submit()
        if by.only_own and job.owner != wishes.owner:
            raise _taken(job_id)
        return job
    with _submitting:
        if store.get(job_id) is not None:
            raise _taken(job_id)
        return submit()


def _taken(job_id: str) -> Refused:
    return Refused(409, f"The id {job_id!r} is taken by another job: choose a new one, or send none.")


def refuse_without_engine(supervisor: Any, job_id: str | None = None) -> None:
    """Refuse to wait for an engine that nobody starts any more. A job that is in the queue already stays there.

    Raises:
        Refused: 503, with the reason why the launcher gave it up.
    """
    engine = (supervisor or {}).get("engine") or {}
    if engine.get("status") == "given_up":
        reason = engine.get("reason") or "it died too often"
        remedy = "then send the request again" if job_id is None else f"job {job_id} stays in the queue"
        raise retry_later(f"The engine does not run ({reason}): start it on the page, {remedy}.", 30)
