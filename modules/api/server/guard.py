"""Keep other web sites out.

A page anywhere on the web may send a bodyless POST to 127.0.0.1 without asking, and one whose own name is made to point
at 127.0.0.1 (DNS rebinding) may read the answers as well. Browsers name the page in `Origin` and the host they believe
to talk to in `Host`, so both are looked at; programs that are no browsers send no `Origin` and are not concerned.
"""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from modules.api.answers import error_answer

READING = frozenset({"GET", "HEAD", "OPTIONS"})
FOREIGN = ("cross-site", "same-site")
ELSEWHERE = "A page of another site may not use this server: open the server's own page."
DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


class Guard:
    """ASGI middleware that answers 403 to a `Host` that is not ours and to writing on behalf of a foreign `Origin`.

    Without `listen` only names of this machine for itself are ours. With it also the machine's own names and any IP
    address: rebinding needs a name, and behind a port mapping the address that people use is not one of this machine.
    """

    def __init__(self, app: ASGIApp, *, listen: bool = False) -> None:
        self.app = app
        self.listen = listen
        self.names = own_names() if listen else frozenset({"localhost"})
        self._last_of_ours = ""  # nearly always that of the next request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            reason = self.objection(scope)
            if reason is not None:
                await refuse(reason, scope, receive, send)
                return
        await self.app(scope, receive, send)

    def objection(self, scope: Scope) -> str | None:
        """Return why a request is refused, in words for its sender; None when it is welcome."""
        headers = {name.lower(): value.decode("latin-1").strip() for name, value in scope["headers"]}
        host = headers.get(b"host", "")
        if host and host != self._last_of_ours:
            if not self.is_our_host(host):
                return f"{host!r} is not this server's name: use localhost or 127.0.0.1, or start it with --listen."
            self._last_of_ours = host
        if scope["type"] == "http" and scope["method"] in READING:
            return None if opens_a_page(headers) else ELSEWHERE
        origin = headers.get(b"origin")
        if origin is not None and not same_site(origin, host):
            return f"The page {origin!r} may not use this server: open the server's own page."
        if origin is None and headers.get(b"sec-fetch-site") in FOREIGN:
            return ELSEWHERE
        return None

    def is_our_host(self, host: str) -> bool:
        """Tell whether a `Host` header names this server."""
        name, _ = split_host(host)
        if name is None:
            return False
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return name in self.names
        return self.listen or address.is_loopback


def opens_a_page(headers: dict[bytes, str]) -> bool:
    """Tell whether reading is our own page's, a program's, or a link elsewhere that opens a page of ours as a whole.

    Pictures, frames and scripts in a foreign page are not: by them it learns that there is a server, and what it drew.
    """
    if headers.get(b"sec-fetch-site") not in FOREIGN:
        return True
    return headers.get(b"sec-fetch-mode") == "navigate" and headers.get(b"sec-fetch-dest") == "document"


def own_names() -> frozenset[str]:
    """Return the names under which this machine is known in its own network."""
    name = socket.gethostname().lower()
    short = name.split(".")[0]
    return frozenset({"localhost", name, short, f"{short}.local"})


def split_host(host: str) -> tuple[str | None, int | None]:
    """Return name (lower case, no brackets or final dot) and port of a `Host`; no name when it makes no sense."""
    try:
        parts = urlsplit(f"//{host}")
        name, port = parts.hostname, parts.port
    except ValueError:
        return None, None
    if not name or parts.path or parts.username is not None or parts.query or parts.fragment:
        return None, None
    return name.removesuffix("."), port


def same_site(origin: str, host: str) -> bool:
    """Tell whether `Origin` is the page of this very `Host`. The scheme may differ: a proxy may have added TLS."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    name, port = split_host(parts.netloc)
    own_name, own_port = split_host(host)
    if name is None or own_name is None or name != own_name:
        return False
    default = DEFAULT_PORTS.get(parts.scheme)
    return (port or default) == (own_port or default)


async def refuse(reason: str, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer 403; a WebSocket is refused before its handshake."""
    await answer_or_close(error_answer(403, "Forbidden", reason), scope, send)


async def answer_or_close(answer: Response, scope: Scope, send: Send) -> None:
    """Give an answer that is no page of ours: to a WebSocket before its handshake, where the server can."""
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": answer.status_code, "headers": answer.raw_headers})
        await send({"type": "http.response.body", "body": bytes(answer.body)})
        return
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008, "reason": "refused"})
        return
    status = answer.status_code
    await send({"type": "websocket.http.response.start", "status": status, "headers": answer.raw_headers})
    await send({"type": "websocket.http.response.body", "body": bytes(answer.body)})
