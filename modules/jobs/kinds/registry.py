"""All kinds of jobs. Whoever takes, stores, draws or tells of a job asks here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from modules.errors import InvalidRequest
from modules.jobs.kinds.base import Resolved
from modules.jobs.kinds.drawing_request import DrawingRequest
from modules.jobs.kinds.extras import EXTRAS
from modules.jobs.kinds.faults import first_fault
from modules.jobs.kinds.grid.grid import GRID
from modules.jobs.kinds.img2img import IMG2IMG
from modules.jobs.kinds.interrogate import INTERROGATE
from modules.jobs.kinds.kind import Kind
from modules.jobs.kinds.request import JobRequest
from modules.jobs.kinds.txt2img import TXT2IMG
from modules.jobs.lenient import show

KINDS: Mapping[str, Kind[Any]] = {kind.name: kind for kind in (TXT2IMG, IMG2IMG, GRID, EXTRAS, INTERROGATE)}


def kind_of(resolved: Resolved) -> Kind[Any]:
    """Return the kind of a job with nothing left open."""
    return KINDS[resolved.kind]


def read_resolved(kind: str, row: Mapping[str, Any]) -> Resolved:
    """Return what a row of this kind holds of a job with nothing left open.

    Raises:
        KeyError: this version knows no such kind.
        ValidationError: only another version can read it.
    """
    resolved: Resolved = KINDS[kind].resolved.model_validate(row)
    return resolved


def find_kind(name: object) -> Kind[Any]:
    """Return the kind of this name.

    Raises:
        InvalidRequest: there is none.
    """
    if not isinstance(name, str) or name not in KINDS:
        raise InvalidRequest(f"Jobs of the kind {show(name)} are not known: use {' or '.join(KINDS)}.", field="kind")
    return KINDS[name]


def validate_request(kind: object, data: object) -> JobRequest:
    """Return the checked request of a job.

    Raises:
        InvalidRequest: with the field at fault, and a message that names the value and the remedy.
    """
    found = find_kind(kind)
    if not isinstance(data, Mapping):
        raise InvalidRequest(f"The request {show(data)} is not an object: send the fields of {kind}.", field="request")
    try:
        return found.request.model_validate(dict(data))
    except ValidationError as error:
        raise first_fault(error) from error


def validate_drawing(kind: object, data: object) -> DrawingRequest:
    """Return the checked request of a job that draws.

    Raises:
        InvalidRequest: as `validate_request`, and for a kind that does not draw.
    """
    request = validate_request(kind, data)
    if isinstance(request, DrawingRequest):
        return request
    drawn = " or ".join(name for name, one in KINDS.items() if one.draws)
    raise InvalidRequest(f"Jobs of the kind {show(kind)} are not drawn: use {drawn}.", field="kind")
