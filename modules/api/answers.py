"""JSON answers, and errors in the form that clients of A1111 know: `{error, detail, body, errors}`."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match

from modules.errors import (
    IdTaken,
    InputGone,
    InvalidRequest,
    NotPermitted,
    QueueFull,
    SteadyError,
    StorageError,
    TooMuchSent,
    UnknownJob,
)

logger = logging.getLogger(__name__)

# What a body may have that holds several pictures as base64; body_limit.py knows what each route takes.
MOST_BODY_BYTES = 128 << 20
_BODY_WAS_READ = "steady.body-was-read"
MOST_LEVELS = 64
METHOD_NOT_ALLOWED = 405
# A large body is one picture or a few; a million small values in it would take a hundred times its size.
LARGE_BODY_BYTES, MOST_VALUES_OF_LARGE = 1 << 20, 50_000


class Refused(SteadyError):  # noqa: N818  (an answer, not a fault)
    """A request that is answered with this status and message."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers


def json_bytes(content: object) -> bytes:
    """Return `content` as JSON. Keys may be any simple type; what JSON lacks becomes text.

    Half a surrogate pair and numbers beyond 64 bits, which a picture's text may hold, are escaped and written out.
    """
    try:
        return orjson.dumps(content, default=str, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:
        return json.dumps(content, default=str).encode()


def json_answer(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return `content` as a JSON response, without a detour through a response model."""
    return Response(json_bytes(content), status, headers, media_type="application/json")


def error_answer(
    status: int, error: str, detail: object, message: str = "", headers: Mapping[str, str] | None = None, body: str = ""
) -> Response:
    """Return an error as A1111 forms it. `errors` is always a sentence."""
    content = {"error": error, "detail": detail, "body": body, "errors": message or str(detail)}
    return json_answer(content, status, headers)


def invalid_detail(error: InvalidRequest) -> list[dict[str, object]]:
    """Return `detail` as FastAPI writes it for a body that does not validate."""
    location = ["body", error.field] if error.field else ["body"]
    return [{"type": "value_error", "loc": location, "msg": str(error)}]


def retry_later(message: str, seconds: int = 1) -> Refused:
    """Return the refusal of a server that goes or cannot serve now; a client that asks again is served."""
    return Refused(503, message, {"Retry-After": str(seconds)})


async def read_object(request: Request, *, empty: bool = False) -> dict[str, Any]:
    """Return the request's body, which must be a JSON object; `empty` lets nothing at all stand for `{}`.

    Raises:
        InvalidRequest: it is something else.
        Refused: 413, it is too large.
    """
    raw = await read_body(request)
    if empty and not raw.strip():
        return {}
    if len(raw) > LARGE_BODY_BYTES and sum(raw.count(mark) for mark in b"[{,") > MOST_VALUES_OF_LARGE:
        raise InvalidRequest(f"The body has more than {MOST_VALUES_OF_LARGE:,} values: send fewer.")
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(f"The body is no JSON ({error}): send a JSON object.") from error
    check_levels(body)
    if isinstance(body, dict):
        return body
    if empty and body is None:
        return {}
    raise InvalidRequest(f"The body is a {type(body).__name__}: send a JSON object, such as {{}}.")


def check_levels(body: object) -> None:
    """Make sure that whatever is done with a value from a client need not go deep.

    Raises:
        InvalidRequest: lists and objects stand in each other more than `MOST_LEVELS` times.
    """
    level = [body]
    for _ in range(MOST_LEVELS):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return
    raise InvalidRequest(f"The body is nested more than {MOST_LEVELS} levels deep: send it flatter.")


async def read_body(request: Request) -> bytes | bytearray:
    """Return the body unless it is one that nobody means to send. It is held once.

    Raises:
        Refused: 413.
    """
    raw = bytearray()
    async for part in request.stream():
        raw += part
        if len(raw) > MOST_BODY_BYTES:
            raise Refused(413, f"The body is larger than {MOST_BODY_BYTES >> 20} MiB: send smaller pictures.")
    return raw


def when_body_was_read(scope: MutableMapping[str, Any], call: Callable[[], None]) -> None:
    """Have `call` told once nothing of a request's body is held any more, which may be long before its answer."""
    scope[_BODY_WAS_READ] = call


def body_was_read(request: Request) -> None:
    """Say that nothing of the body is held any more."""
    call = request.scope.get(_BODY_WAS_READ)
    if call is not None:
        call()


def install_error_answers(app: FastAPI) -> None:
    """Give every error of `app` the one form."""
    app.add_exception_handler(SteadyError, _answer_steady_error)
    app.add_exception_handler(RequestValidationError, _answer_validation_error)
    app.add_exception_handler(HTTPException, _answer_http_exception)
    app.add_exception_handler(Exception, _answer_unexpected)


async def _answer_steady_error(request: Request, error: Exception) -> Response:
    name, message = type(error).__name__, str(error)
    if isinstance(error, Refused):
        return error_answer(error.status, name, message, headers=error.headers)
    if isinstance(error, InvalidRequest):
        return error_answer(422, name, invalid_detail(error), message)
    if isinstance(error, UnknownJob | InputGone):
        return error_answer(404, name, message)
    if isinstance(error, IdTaken | NotPermitted):
        return error_answer(409 if isinstance(error, IdTaken) else 403, Refused.__name__, message)
    if isinstance(error, QueueFull | TooMuchSent):
        return error_answer(429, name, message, headers={"Retry-After": str(error.retry_after_seconds)})
    if isinstance(error, StorageError):
        logger.error("%s %s: %s", request.method, request.url.path, message)
        return error_answer(507, name, message)
    return error_answer(500, name, message)


async def _answer_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    detail = [{key: value for key, value in one.items() if key in ("type", "loc", "msg")} for one in error.errors()]
    message = "; ".join(f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}" for one in detail)
    return error_answer(422, "RequestValidationError", detail, message)


async def _answer_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = f"{error.detail}: {request.method} {request.url.path}"
    headers = error.headers if error.status_code != METHOD_NOT_ALLOWED else {"Allow": _methods_of(request)}
    return error_answer(error.status_code, "HTTPException", error.detail, message, headers)


def _methods_of(request: Request) -> str:
    """Return the methods that a path has. Starlette names those of the first route that fits."""
    fits = [
        method
        for method in ("DELETE", "GET", "POST", "PUT")
        for route in request.app.routes
        if route.matches({**request.scope, "method": method})[0] is Match.FULL
    ]
    return ", ".join(dict.fromkeys(fits))


async def _answer_unexpected(request: Request, error: Exception) -> Response:
    """A fault of ours. The server logs its traceback; the client gets its name and goes on."""
    return error_answer(500, type(error).__name__, "", str(error) or type(error).__name__)
