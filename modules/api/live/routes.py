"""The live stream over a WebSocket (the page) and as server-sent events (REST clients): the same messages."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager
from typing import Any

from fastapi import APIRouter, Request, WebSocket, WebSocketDisconnect
from starlette.requests import HTTPConnection
from starlette.responses import Response, StreamingResponse
from starlette.types import Message as ASGIMessage
from starlette.types import Receive, Scope, Send

from modules.api.answers import Refused, error_answer
from modules.api.auth.client import actor_of, address_of
from modules.api.auth.rights import rights_of
from modules.api.live.guest_view import GuestView
from modules.api.live.subscription import Message
from modules.api.numbers import HIGHEST_DIGITS, Number
from modules.api.services import Services
from modules.errors import InvalidRequest
from modules.jobs.lenient import show
from modules.jobs.rows import UNFINISHED
from modules.jobs.store.jobs import JobFilter
from modules.jobs.visitor import visitor_of

logger = logging.getLogger(__name__)

SERVICE_RESTART = 1012
TRY_AGAIN_LATER = 1013
SECONDS_BETWEEN_SIGNS_OF_LIFE = 15.0
SECONDS_TO_TAKE_A_MESSAGE = 30.0
MOST_OWN_JOBS = 1000


def routes(services: Services) -> APIRouter:
    """WebSocket /steady/live, GET /sdapi/v1/events."""
    router = APIRouter()

    @router.websocket("/steady/live")
    async def live(websocket: WebSocket, owner: str | None = None, after: Number | None = None) -> None:
        with contextlib.ExitStack() as held:
            try:
                held.enter_context(services.watchers.place(address_of(websocket)))
            except Refused as refusal:
                answer = error_answer(refusal.status, "Refused", str(refusal), headers=refusal.headers)
                await websocket.send_denial_response(answer)
                return
            await websocket.accept()
            await _talk(services, websocket, after, owner)

    @router.get("/sdapi/v1/events")
    async def events(request: Request, owner: str | None = None) -> Response:
        """A snapshot, then all that happens, as server-sent events; missed ones come after Last-Event-ID."""
        after = last_event_id(request.headers.get("last-event-id"))
        stream = server_sent_events(services, request, after, owner)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        place = services.watchers.place(address_of(request))
        return EventStream(stream, place, media_type="text/event-stream", headers=headers)

    return router


class EventStream(StreamingResponse):
    """Server-sent events; a client that takes nothing any more is left, so that its stream does not stay for ever.

    `place` is held meanwhile.
    """

    def __init__(self, stream: AsyncGenerator[bytes, None], place: AbstractContextManager[None], **more: Any) -> None:
        super().__init__(stream, **more)
        self._place = place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._place:
            await super().__call__(scope, receive, send)

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


async def follow(
    services: Services, connection: HTTPConnection, after: int | None, owner: str | None = None
) -> AsyncGenerator[Message, None]:
    """Yield what this client may know of what happens. `owner` says whose jobs are its own."""
    visitor = visitor_of(connection.scope)
    by = visitor.actor(owner) if owner else actor_of(connection)
    rights = rights_of(services, visitor)
    stream = services.broadcaster.follow(by.owner, after, rights, only_own=by.only_own)
    if by.only_own:
        own, _ = await services.workers.run(
            services.store.jobs.page, JobFilter(tuple(UNFINISHED), by.owner), MOST_OWN_JOBS
        )
        stream = GuestView(by.owner, [job.id for job in own]).follow(stream)
    async with contextlib.aclosing(stream):
        async for message in stream:
            yield message


async def _talk(services: Services, websocket: WebSocket, after: int | None, owner: str | None) -> None:
    """Send and listen until one of both has an end."""
    sending = asyncio.create_task(_send_all(services, websocket, after, owner))
    listening = asyncio.create_task(_until_gone(websocket))
    try:
        await asyncio.wait((sending, listening), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (sending, listening):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
                await task


async def _send_all(services: Services, websocket: WebSocket, after: int | None, owner: str | None = None) -> None:
    """Send until this server leaves, or until the reader is too slow; it may connect again in both cases."""
    with contextlib.suppress(TimeoutError):
        async with contextlib.aclosing(follow(services, websocket, after, owner)) as stream:
            async for message in stream:
                async with asyncio.timeout(SECONDS_TO_TAKE_A_MESSAGE):
                    await websocket.send_text(message.text)
    leaving = services.shutdown.leaving.is_set()
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


async def server_sent_events(
    services: Services, connection: HTTPConnection, after: int | None, owner: str | None = None
) -> AsyncGenerator[bytes, None]:
    """Yield each message as an event, and a comment when nothing happens, so that a dead connection is found."""
    async with contextlib.aclosing(follow(services, connection, after, owner)) as stream:
        following = asyncio.ensure_future(anext(stream, None))
        try:
            while True:
                done, _ = await asyncio.wait((following,), timeout=SECONDS_BETWEEN_SIGNS_OF_LIFE)
                if not done:
                    yield b": still here\n\n"
                    continue
                message = following.result()
                if message is None:
                    return
                yield message.as_event
                following = asyncio.ensure_future(anext(stream, None))
        finally:
            following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await following
