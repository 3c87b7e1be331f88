"""Ask an ASGI application for a page without a network: what is slow the first time has then happened already."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from starlette.types import ASGIApp, Message, Scope

# Marks a scope as one of these: no client can put a key into its own.
REHEARSAL = "steady.rehearsal"
FIRST_PAGE = ("/", "/config", "/theme.css")
HERE = ("127.0.0.1", "localhost")


async def warm_up(app: ASGIApp, port: int) -> None:
    """Fetch what the first page is made of, under each address that it has on this machine.

    Raises:
        RuntimeError: a path does not answer 200, so this server had better not replace one that works.
    """
    for host in HERE:
        for path in FIRST_PAGE:
            status = await fetch(app, path, f"{host}:{port}")
            if status != 200:
                raise RuntimeError(f"The first page does not work: GET {path} answers {status}.")


async def fetch(app: ASGIApp, path: str, host: str) -> int:
    """Return the status of GET `path`; the body is thrown away."""
    statuses: list[int] = []
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "root_path": "",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", host.encode())],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 1),
        "state": {},
        REHEARSAL: True,
    }
    asked = False

    async def receive() -> Message:
        nonlocal asked
        if asked:
            return {"type": "http.disconnect"}
        asked = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await app(scope, receive, send)
    return statuses[0] if statuses else 0


def port_of(sockets: Sequence[socket.socket] | None) -> int:
    """Return the port on which the server will be asked; 0 where it binds none itself."""
    for listening in sockets or ():
        name = listening.getsockname()
        if isinstance(name, tuple):
            return int(name[1])
    return 0
