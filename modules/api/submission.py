"""From a request's body to a job in the queue."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Mapping
from typing import Any

from modules.api.answers import Refused, retry_later
from modules.errors import InvalidRequest, ModelError
from modules.jobs.checkpoints import CheckpointCatalogue
from modules.jobs.requests import Txt2ImgRequest, find_checkpoint, validate_request
from modules.jobs.rows import Job
from modules.jobs.store import JobStore
from modules.options import Settings

JOB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.()-]{0,99}")

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


def submit_job(store: JobStore, request: Txt2ImgRequest, owner: str, job_id: str, *, only_new: bool = False) -> Job:
    """Put a request into the queue. The same id twice is one job; with `only_new` the second time is an error.

    Raises:
        Refused: 409, the id is taken.
    """
    content: dict[str, Any] = request.model_dump(mode="json")
    if not only_new:
        return store.submit("txt2img", content, owner, id=job_id)
    with _submitting:
        if store.get(job_id) is not None:
            raise Refused(409, f"The id {job_id!r} is taken by another job: choose a new one, or send none.")
        return store.submit("txt2img", content, owner, id=job_id)


def refuse_without_engine(supervisor: Any) -> None:
    """Refuse to wait for an engine that nobody starts any more.

    Raises:
        Refused: 503, with the reason why the launcher gave it up.
    """
    engine = (supervisor or {}).get("engine") or {}
    if engine.get("status") == "given_up":
        reason = engine.get("reason") or "it died too often"
        raise retry_later(f"The engine does not run ({reason}): start it on the page, then send the request again.", 30)
