"""What the schema at /openapi.json says beyond what FastAPI sees for itself: bodies read by hand, and refusals."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from modules.jobs.kinds.request import JobRequest
from modules.options import fields_of_settings
from modules.setting_field import SettingField

TEXT = {"type": "string"}
YES_OR_NO = {"type": "boolean"}
NUMBER = {"type": "integer"}

_ERROR = {
    "type": "object",
    "required": ["error", "detail", "body", "errors"],
    "properties": {
        "error": {"type": "string", "description": "The kind of error."},
        "detail": {"description": "A sentence, or for 422 a list of {type, loc, msg}."},
        "body": TEXT,
        "errors": {"type": "string", "description": "What is wrong and what to do about it, in a sentence."},
    },
}
_REASONS = {
    400: "The body is no JSON.",
    401: "A password or a token is needed.",
    403: "This client may not do that.",
    404: "There is no such job, picture or route, or not any more.",
    405: "The route has no such method; Allow names those that it has.",
    409: "The job is not in a state in which that can be done, or its id is taken.",
    410: "The job was removed while the client waited for it.",
    413: "The body is too large.",
    422: "A value is not possible; the message names it and the remedy.",
    429: "Too many jobs wait, or too many requests or pictures came; Retry-After says when to try again.",
    500: "The job failed, or the program has a fault.",
    501: "This installation cannot do that.",
    503: "The server goes, or the engine does not run; Retry-After says when to try again.",
    507: "The disk is full or the database cannot be written.",
}
# What any route may answer beside its own 200.
REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"description": reason, "content": {"application/json": {"schema": _ERROR}}}
    for status, reason in _REASONS.items()
}


def body(fields: Mapping[str, Mapping[str, Any]], required: Sequence[str] = ()) -> dict[str, Any]:
    """Return `openapi_extra` of a route that reads a JSON object; without `required` it may be left out."""
    schema: dict[str, Any] = {"type": "object", "properties": dict(fields)}
    if required:
        schema["required"] = list(required)
    return whole_body(schema, required=bool(required))


@functools.cache  # it takes milliseconds, and each kind's stands in two places
def schema_of(request: type[JobRequest]) -> Mapping[str, Any]:
    """Return the JSON schema of a kind's request, which is not to be changed."""
    return request.model_json_schema()


def whole_body(schema: Mapping[str, Any], *, required: bool = True) -> dict[str, Any]:
    """Return `openapi_extra` of a route whose body has this schema."""
    return {"requestBody": {"required": required, "content": {"application/json": {"schema": dict(schema)}}}}


def query(fields: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return `openapi_extra` of a route that reads its query by hand; all of it may be left out."""
    return {"parameters": [{"name": name, "in": "query", "schema": dict(schema)} for name, schema in fields.items()]}


def settings_body() -> dict[str, Any]:
    """Return `openapi_extra` of a route that takes settings, all or some of them."""
    return whole_body({"type": "object", "properties": {one.name: _setting(one) for one in fields_of_settings()}})


def _setting(one: SettingField) -> dict[str, Any]:
    types = {bool: "boolean", int: "integer", float: "number", str: "string"}
    schema: dict[str, Any] = {"type": types[one.type], "description": one.label}
    if one.choices:
        schema["enum"] = list(one.choices)
    if one.minimum is not None:
        schema["minimum"] = one.minimum
    if one.maximum is not None:
        schema["maximum"] = one.maximum
    return schema
