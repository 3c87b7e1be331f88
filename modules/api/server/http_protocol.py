"""uvicorn's HTTP connection, with an end to its patience.

uvicorn closes a connection that is idle after an answer and no other: who sends nothing, or a byte now and then, or
takes no more than that, keeps it for ever.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from modules.api.answers import error_answer
from modules.api.server.connection_limit import ConnectionLimit
from modules.api.server.security_headers import with_headers

SECONDS_BETWEEN_LOOKS = 5.0
# From the connection, or the first byte of a further request, to the end of its head.
SECONDS_FOR_A_HEAD = 20.0
# Without any part of a body; and then it may not be slower on the whole than this.
SECONDS_WITHOUT_A_PART = 30.0
FEWEST_BYTES_A_SECOND = 1024
FULL = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class PatientConnection(H11Protocol):
    """An HTTP connection that ends when its client is slower than any that means well. It is one of `connections`."""

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any], connections: ConnectionLimit
    ) -> None:
        super().__init__(config, server_state, app_state)
        self._connections = connections
        self._timer: asyncio.TimerHandle | None = None
        self._head_since: float | None = None  # a head is awaited; None: not, or no byte of a further one is there
        self._body_since: float | None = None
        self._last_part = 0.0
        self._bytes = 0
        self._unsent: tuple[float, int] | None = None  # since when so many bytes wait to be taken

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, if there is a place."""
        super().connection_made(transport)
        if not self._connections.enter(self, self.client[0] if self.client else "unknown"):
            transport.write(FULL)
            transport.close()
            return
        self._head_since = self.loop.time()
        self._timer = self.loop.call_later(SECONDS_BETWEEN_LOOKS, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._let_go()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take a part of a request."""
        if self._head_since is None and self.conn.their_state is h11.IDLE:
            self._head_since = self.loop.time()
        self._last_part = self.loop.time()
        self._bytes += len(data)
        super().data_received(data)
        self._note_where_it_stands()

    def on_response_complete(self) -> None:
        """Go on with the next request, or wait for it."""
        super().on_response_complete()
        self._note_where_it_stands()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hand over to the WebSocket, which has signs of life of its own and is counted among the watchers."""
        self._let_go()
        super().handle_websocket_upgrade(event)

    def resume_writing(self) -> None:
        """Note that the client takes what is sent."""
        self._unsent = None
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Say that this is no HTTP, as every other error is said."""
        self._refuse(400, "Bad Request", msg)

    def drop(self) -> None:
        """Close at once."""
        self.transport.abort()

    def _let_go(self) -> None:
        self._connections.leave(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _note_where_it_stands(self) -> None:
        their_state = self.conn.their_state
        if their_state is not h11.IDLE:
            self._head_since = None
        if their_state is not h11.SEND_BODY:
            self._body_since = None
        elif self._body_since is None:
            self._body_since, self._bytes = self.loop.time(), 0
        if their_state is h11.IDLE and (self.cycle is None or self.cycle.response_complete):
            self._connections.waits(self)
        else:
            self._connections.works(self)

    def _look(self) -> None:
        now = self.loop.time()
        if self._head_since is not None and now - self._head_since > SECONDS_FOR_A_HEAD:
            if not self._bytes:  # browsers connect in advance, and would take an answer for one to their next request
                self.drop()
                return
            self._refuse(408, "Request Timeout", "The head of a request did not come in time: send it at once.")
        elif self._sends_too_slowly(now):
            self._refuse(408, "Request Timeout", "The body of the request came too slowly: send it again.")
        elif self._takes_too_slowly(now):
            self.drop()
        else:
            self._timer = self.loop.call_later(SECONDS_BETWEEN_LOOKS, self._look)

    def _sends_too_slowly(self, now: float) -> bool:
        if self._body_since is None:
            return False
        if self.flow.read_paused:  # it is we who are slow
            self._body_since, self._last_part, self._bytes = now, now, 0
            return False
        seconds = now - self._body_since
        is_slow = seconds > SECONDS_WITHOUT_A_PART and self._bytes < seconds * FEWEST_BYTES_A_SECOND
        return is_slow or now - self._last_part > SECONDS_WITHOUT_A_PART

    def _takes_too_slowly(self, now: float) -> bool:
        waiting = self.transport.get_write_buffer_size()
        if not waiting:
            self._unsent = None
        elif self._unsent is None:
            self._unsent = (now, waiting)
        elif now - self._unsent[0] > SECONDS_WITHOUT_A_PART:
            since, before = self._unsent
            self._unsent = (now, waiting)
            return before - waiting < (now - since) * FEWEST_BYTES_A_SECOND
        return False

    def _refuse(self, status: int, error: str, words: str) -> None:
        """Answer if none has begun, and close. An application that still reads learns that its client is gone."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            answer = error_answer(status, error, words, headers={"Connection": "close"})
            headers = with_headers("", answer.raw_headers)
            for event in (
                h11.Response(status_code=status, headers=headers, reason=error.encode()),
                h11.Data(data=bytes(answer.body)),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
