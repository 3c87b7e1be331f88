"""The live stream over a WebSocket (the page) and as server-sent events (REST clients): the same messages."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator

from fastapi import APIRouter, Request, WebSocket, WebSocketDisconnect
from starlette.responses import Response, StreamingResponse
from starlette.types import Message as ASGIMessage
from starlette.types import Send

from modules.api.client import owner_of
from modules.api.numbers import HIGHEST_DIGITS, Number
from modules.api.services import Services
from modules.api.subscription import Message
from modules.errors import InvalidRequest
from modules.jobs.lenient import show

logger = logging.getLogger(__name__)

SERVICE_RESTART = 1012
TRY_AGAIN_LATER = 1013
SECONDS_BETWEEN_SIGNS_OF_LIFE = 15.0
SECONDS_TO_TAKE_A_MESSAGE = 30.0


def routes(services: Services) -> APIRouter:
    """WebSocket /steady/live, GET /sdapi/v1/events."""
    router = APIRouter()

    @router.websocket("/steady/live")
    async def live(websocket: WebSocket, owner: str | None = None, after: Number | None = None) -> None:
        await websocket.accept()
        sending = asyncio.create_task(_send_all(services, websocket, owner or owner_of(websocket), after))
        listening = asyncio.create_task(_until_gone(websocket))
        try:
            await asyncio.wait((sending, listening), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, listening):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
                    await task

    @router.get("/sdapi/v1/events")
    async def events(request: Request, owner: str | None = None) -> Response:
        """A snapshot, then all that happens, as server-sent events; missed ones come after Last-Event-ID."""
        after = last_event_id(request.headers.get("last-event-id"))
        stream = server_sent_events(services, owner or owner_of(request), after)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return EventStream(stream, media_type="text/event-stream", headers=headers)

    return router


class EventStream(StreamingResponse):
    """Server-sent events; a client that takes nothing any more is left, so that its stream does not stay for ever."""

    async def stream_response(self, send: Send) -> None:
        """Send the stream, each part within its time."""

        async def in_time(message: ASGIMessage) -> None:
            async with asyncio.timeout(SECONDS_TO_TAKE_A_MESSAGE):
                await send(message)

        try:
            await super().stream_response(in_time)
        except TimeoutError:
            logger.info("A client of the event stream took nothing for %.0f s", SECONDS_TO_TAKE_A_MESSAGE)
        finally:
            assert isinstance(self.body_iterator, AsyncGenerator)
            await self.body_iterator.aclose()


async def _send_all(services: Services, websocket: WebSocket, owner: str, after: int | None) -> None:
    """Send until this server leaves, or until the reader is too slow; it may connect again in both cases."""
    with contextlib.suppress(TimeoutError):
        async with contextlib.aclosing(services.broadcaster.follow(owner, after)) as stream:
            async for message in stream:
                async with asyncio.timeout(SECONDS_TO_TAKE_A_MESSAGE):
                    await websocket.send_text(message.text)
    leaving = services.retirement.leaving.is_set()
    await websocket.close(SERVICE_RESTART if leaving else TRY_AGAIN_LATER)


async def _until_gone(websocket: WebSocket) -> None:
    """Read, for that is how a disconnection shows; the page has nothing to say here."""
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass


def last_event_id(header: str | None) -> int | None:
    """Return the number of the last event that a reconnecting reader has seen.

    Raises:
        InvalidRequest: it is no number that an event has.
    """
    if header is None or not header.strip():
        return None
    if not header.strip().isdecimal() or len(header.strip()) > HIGHEST_DIGITS:
        raise InvalidRequest(
            f"Last-Event-ID {show(header)} is no number: send the last `id:` of this stream.", "Last-Event-ID"
        )
    return int(header)


async def server_sent_events(services: Services, owner: str, after: int | None) -> AsyncGenerator[str, None]:
    """Yield each message as an event, and a comment when nothing happens, so that a dead connection is found."""
    async with contextlib.aclosing(services.broadcaster.follow(owner, after)) as stream:
        following = asyncio.ensure_future(anext(stream, None))
        try:
            while True:
                done, _ = await asyncio.wait((following,), timeout=SECONDS_BETWEEN_SIGNS_OF_LIFE)
                if not done:
                    yield ": still here\n\n"
                    continue
                message = following.result()
                if message is None:
                    return
                yield as_event(message)
                following = asyncio.ensure_future(anext(stream, None))
        finally:
            following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await following


def as_event(message: Message) -> str:
    """Return a message as text/event-stream has it. Only events carry an id, which comes back as Last-Event-ID."""
    number = "" if message.number is None else f"id: {message.number}\n"
    return f"{number}data: {message.text}\n\n"
