"""What every HTTP answer of the process gets: its time, and word that the connection ends when the server leaves."""

from __future__ import annotations

import time
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modules.api.server.graceful_shutdown import GracefulShutdown


class Stamp:
    """ASGI middleware: adds `X-Process-Time` (seconds until the answer) and, once leaving, `Connection: close`."""

    def __init__(
        self, app: ASGIApp, shutdown: GracefulShutdown, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self.app = app
        self.shutdown = shutdown
        self.clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = self.clock()

        async def stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", []))
                headers.append((b"x-process-time", b"%.4f" % (self.clock() - began)))
                if self.shutdown.leaving.is_set():
                    headers = [header for header in headers if header[0].lower() != b"connection"]
                    headers.append((b"connection", b"close"))
                message["headers"] = headers
            await send(message)

        await self.app(scope, receive, stamped)


class Front:
    """ASGI application: sends each path to the REST application or to the page's."""

    REST_PREFIXES = ("/sdapi/", "/internal/", "/steady/")
    REST_PATHS = frozenset({"/openapi.json", "/docs", "/manifest.json"})

    def __init__(self, rest: ASGIApp, page: ASGIApp) -> None:
        self.rest = rest
        self.page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if path.startswith(self.REST_PREFIXES) or path in self.REST_PATHS:
            await self.rest(scope, receive, send)
        else:
            await self.page(scope, receive, send)
