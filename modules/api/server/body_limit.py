"""How much a client may send, before anything reads it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modules.api.answers import MOST_BODY_BYTES, error_answer, when_body_was_read
from modules.jobs.kinds.registry import KINDS

logger = logging.getLogger(__name__)

KIBIBYTE, MEBIBYTE = 1 << 10, 1 << 20
MOST_BYTES = 64 * KIBIBYTE
MOST_BYTES_OF_A_REQUEST = MEBIBYTE
MOST_BYTES_OF_A_PICTURE = 64 * MEBIBYTE
MOST_BYTES_OF_PICTURES = MOST_BODY_BYTES
REQUESTS = frozenset({"/internal/progress", "/sdapi/v1/options", *(f"/sdapi/v1/{name}" for name in KINDS)})
REQUESTS_OF_THE_PAGE = "/gradio_api/run/"
A_PICTURE = frozenset({"/sdapi/v1/png-info", "/sdapi/v1/inputs"})
# Base64 takes a third more: three pictures of 4096 x 4096 that no PNG makes much smaller.
PICTURES = frozenset(
    f"/sdapi/v1/{name}"
    for name in (
        "jobs", "extra-single-image", "extra-batch-images", "interrogate",
        *(kind.name for kind in KINDS.values() if kind.inputs),
    )
)  # fmt: skip
WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})

MOST_BYTES_AT_ONCE = 256 * MEBIBYTE
# Who is still sending when the answer comes loses it if the connection is closed at once.
MOST_BYTES_DRAINED = 8 * MEBIBYTE
SECONDS_TO_READ_THE_REFUSAL = 1.0


def most_bytes(method: str, path: str) -> int:
    """Return how large the body of a request may be."""
    if method in WITHOUT_BODY:
        return MOST_BYTES
    if path in PICTURES:
        return MOST_BYTES_OF_PICTURES
    if path in A_PICTURE:
        return MOST_BYTES_OF_A_PICTURE
    return MOST_BYTES_OF_A_REQUEST if path in REQUESTS or path.startswith(REQUESTS_OF_THE_PAGE) else MOST_BYTES


@dataclass
class _Reading:
    """One request's body: how much came, whether all of it, and why no more of it is taken."""

    most: int
    bytes: int = 0
    complete: bool = False
    refusal: tuple[int, str] | None = None


class BodyLimit:
    """ASGI middleware: answers 413 to a body larger than its route needs, whether or not it says how long it is.

    What all clients together have sent and is still held is bounded too: past that it is 503, to be tried again.
    """

    def __init__(self, app: ASGIApp, most_at_once: int = MOST_BYTES_AT_ONCE) -> None:
        self.app = app
        self.most_at_once = most_at_once
        self.bytes_at_once = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        reading = _Reading(most_bytes(scope["method"], scope["path"]))
        if declared_length(scope) > reading.most:
            reading.refusal = _too_large(reading.most)
            await _refuse(reading, scope, receive, send)
            return
        started = False

        def release() -> None:
            self.bytes_at_once -= reading.bytes
            reading.bytes = 0

        when_body_was_read(scope, release)

        async def bounded() -> Message:
            if reading.refusal is not None:
                return {"type": "http.disconnect"}
            return self._count(reading, await receive())

        async def unless_refused(message: Message) -> None:
            nonlocal started
            if reading.refusal is None or started:
                started = True
                await send(message)

        try:
            await self.app(scope, bounded, unless_refused)
        except ClientDisconnect:
            logger.debug("A client of %s left before it had sent all", scope["path"])
        finally:
            release()
        if reading.refusal is not None and not started:
            await _refuse(reading, scope, receive, send)

    def _count(self, reading: _Reading, message: Message) -> Message:
        """Let a part through, or say that the client is gone: what reads the body then stops."""
        if message["type"] != "http.request":
            return message
        part = len(message.get("body", b""))
        if reading.bytes + part > reading.most:
            reading.refusal = _too_large(reading.most)
        elif self.bytes_at_once + part > self.most_at_once:
            reading.refusal = 503, "Others send large bodies at this moment: ask again in a second."
        else:
            reading.bytes += part
            self.bytes_at_once += part
            reading.complete = not message.get("more_body", False)
            return message
        return {"type": "http.disconnect"}


def declared_length(scope: Scope) -> int:
    """Return the length that a request says its body has; 0 when it says none."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value[:20])
    return 0


def _too_large(most: int) -> tuple[int, str]:
    shown = f"{most >> 20} MiB" if most >= MEBIBYTE else f"{most >> 10} KiB"
    remedy = "send smaller pictures" if most >= MOST_BYTES_OF_A_PICTURE else "send less"
    return 413, f"The body is larger than {shown}, the most that this route takes: {remedy}."


async def _refuse(reading: _Reading, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer, then let the client read the answer before its connection is closed, which ends what it still sends."""
    assert reading.refusal is not None
    status, words = reading.refusal
    headers = {"Connection": "close"} | ({"Retry-After": "1"} if status == 503 else {})
    answer = error_answer(status, "BodyTooLarge" if status == 413 else "Busy", words, headers=headers)
    await send({"type": "http.response.start", "status": status, "headers": answer.raw_headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": True})
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SECONDS_TO_READ_THE_REFUSAL):
            await _drain(receive)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _drain(receive: Receive) -> None:
    """Throw away what comes until the end of the body; after a fair amount only wait for the client to go."""
    drained = 0
    while drained < MOST_BYTES_DRAINED:
        message = await receive()
        if message["type"] != "http.request" or not message.get("more_body", False):
            return
        drained += len(message.get("body", b""))
    await asyncio.sleep(SECONDS_TO_READ_THE_REFUSAL)
