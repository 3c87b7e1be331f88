"""All kinds of jobs. Whoever takes, stores, draws or tells of a job asks here."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from modules.errors import InvalidRequest
from modules.jobs.kinds.base import ResolvedJob
from modules.jobs.kinds.kind import Kind
from modules.jobs.kinds.request import JobRequest
from modules.jobs.kinds.txt2img import TXT2IMG
from modules.jobs.lenient import show

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (TXT2IMG,)}


def kind_of(resolved: ResolvedJob) -> Kind:
    """Return the kind of a job that is drawn."""
    return KINDS[resolved.kind]


def validate_request(kind: object, data: object) -> JobRequest:
    """Return the checked request of a job.

    Raises:
        InvalidRequest: with the field at fault, and a message that names the value and the remedy.
    """
    if not isinstance(kind, str) or kind not in KINDS:
        raise InvalidRequest(f"Jobs of the kind {show(kind)} are not known: use {' or '.join(KINDS)}.", field="kind")
    if not isinstance(data, Mapping):
        raise InvalidRequest(f"The request {show(data)} is not an object: send the fields of {kind}.", field="request")
    try:
        return KINDS[kind].request.model_validate(dict(data))
    except ValidationError as error:
        raise _in_our_form(error) from error


def _in_our_form(error: ValidationError) -> InvalidRequest:
    """Return the first fault that pydantic found."""
    first = error.errors(include_url=False)[0]
    context = first.get("ctx", {})
    field = context.get("field") or ".".join(str(part) for part in first["loc"]) or None
    return InvalidRequest(context.get("message") or f"{field}: {first['msg']}.", field=field)
