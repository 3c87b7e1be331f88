"""The ways in for requests: from a client's data to a checked request, and to the model that it draws with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from modules.errors import InvalidRequest
from modules.jobs.kinds.lenient import show
from modules.jobs.kinds.txt2img import Txt2ImgRequest, choose_sampler
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.checkpoint import Checkpoint
from modules.options import Settings

__all__ = [
    "KINDS",
    "Txt2ImgRequest",
    "find_checkpoint",
    "invalid_request",
    "validate_request",
]

KINDS = ("txt2img",)


def validate_request(kind: str, data: Mapping[str, Any]) -> Txt2ImgRequest:
    """Return the checked request of a job.

    Raises:
        InvalidRequest: with the field at fault, and a message that names the value and the remedy.
    """
    if kind not in KINDS:
        raise InvalidRequest(f"Jobs of the kind {show(kind)} are not known: use {' or '.join(KINDS)}.", field="kind")
    if not isinstance(data, Mapping):
        raise InvalidRequest(f"The request {show(data)} is not an object: send the fields of txt2img.", field="request")
    try:
        return Txt2ImgRequest.model_validate(dict(data))
    except ValidationError as error:
        raise invalid_request(error) from error


def invalid_request(error: ValidationError) -> InvalidRequest:
    """Return the first fault that pydantic found, in our form."""
    first = error.errors(include_url=False)[0]
    context = first.get("ctx", {})
    field = context.get("field") or ".".join(str(part) for part in first["loc"]) or None
    return InvalidRequest(context.get("message") or f"{field}: {first['msg']}.", field=field)


def find_checkpoint(request: Txt2ImgRequest, catalogue: CheckpointCatalogue, settings: Settings) -> Checkpoint:
    """Return the model that the request draws with.

    Raises:
        InvalidRequest: there is none of that name, or the request does not go with the model's own sampler.
        ModelError: it lacks a file.
    """
    checkpoint = catalogue.find(request.settings_for(settings).sd_model_checkpoint)
    checkpoint.check_usable()
    choose_sampler(request, checkpoint)
    return checkpoint
