"""Who asks: the client's own address, also where a proxy stands between."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence

from starlette.types import ASGIApp, Receive, Scope, Send

from modules.cmd_args import is_loopback

# What proxies add. The host that one was asked for is not believed at all: it would stand in the page.
FORWARDING = frozenset(
    {b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-forwarded-port", b"x-forwarded-server"}
    | {b"x-forwarded-prefix", b"x-real-ip", b"forwarded", b"via"}
)
SCHEMES = {"http": {"http": "http", "websocket": "ws"}, "https": {"http": "https", "websocket": "wss"}}


class Proxies:
    """Those that are believed, by address or network."""

    def __init__(self, named: Sequence[str] = ()) -> None:
        self._networks = [ipaddress.ip_network(one, strict=False) for one in named]

    def __contains__(self, address: str) -> bool:
        if not self._networks or not _is_address(address):
            return False
        parsed = ipaddress.ip_address(address)
        parsed = getattr(parsed, "ipv4_mapped", None) or parsed
        return any(parsed in network for network in self._networks)


class TrueClient:
    """ASGI middleware that puts the client's own address into the scope and takes out what proxies have added.

    Behind a proxy that --trusted-proxies names it is the proxy's client. Behind another one, which a header gives away,
    nobody knows who it is: the address then says so, and is none of this machine.
    """

    def __init__(self, app: ASGIApp, proxies: Proxies) -> None:
        self.app, self.proxies = app, proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and any(name in FORWARDING for name, _ in scope["headers"]):
            scope = self._unwrapped(scope)
        await self.app(scope, receive, send)

    def _unwrapped(self, scope: Scope) -> Scope:
        added = [(name, value.decode("latin-1")) for name, value in scope["headers"] if name in FORWARDING]
        scope = dict(scope) | {"headers": [one for one in scope["headers"] if one[0] not in FORWARDING]}
        host, port = scope["client"] or ("unknown", 0)
        if host not in self.proxies:
            scope["client"] = (f"proxy {host}", port)
            return scope
        chain = [one.strip() for name, value in added if name == b"x-forwarded-for" for one in value.split(",")]
        address = self._first_behind(chain)
        # What a proxy elsewhere calls 127.0.0.1 is its own machine, not this one.
        believed = address is not None and (is_loopback(host) or not is_loopback(address))
        scope["client"] = (address if believed else f"proxy {host}", 0)
        schemes = [value.strip().lower() for name, value in added if name == b"x-forwarded-proto"]
        if schemes and schemes[-1] in SCHEMES:
            scope["scheme"] = SCHEMES[schemes[-1]][scope["type"]]
        return scope

    def _first_behind(self, chain: Iterable[str]) -> str | None:
        """Return the last address that is no proxy of ours: each believed one vouches for the one before it."""
        address = None
        for address in reversed(list(chain)):
            if address not in self.proxies:
                break
        return address if address is not None and _is_address(address) else None


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
