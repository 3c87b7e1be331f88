"""Who sends a request, as far as that is proven, and what follows from it: the rule that REST and the page share."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modules.cmd_args import is_loopback
from modules.jobs.rows import Actor

SCOPE_KEY = "steady.visitor"
# As the page makes them: nobody guesses one. A guest may be whom he names only if nobody else can know that name.
UNGUESSABLE = re.compile(r"[0-9a-f]{24,64}")
LONGEST_OWNER = 200


@dataclass(frozen=True)
class Visitor:
    """`user` is a name proven by a password or a token; `near`: it is a process of this machine that asks."""

    address: str
    near: bool
    user: str | None = None

    @property
    def trusted(self) -> bool:
        """Whether everything may be seen and done. Others are guests: they see and touch their own jobs only."""
        return self.near or self.user is not None

    def owner(self, named: object) -> str:
        """Return whose jobs these are: of the owner that is named (a tab does), else of the user, else the address."""
        name = named.strip()[:LONGEST_OWNER] if isinstance(named, str) else ""
        if self.trusted or UNGUESSABLE.fullmatch(name):
            return name or self.user or self.address
        return f"{name} at {self.address}" if name else self.address

    def actor(self, named: object) -> Actor:
        """Return who acts, as the audit keeps it."""
        place = self.address if self.user is None else f"{self.user}, {self.address}"
        return Actor(self.owner(named), place, only_own=not self.trusted)

    def refusal(self, what: str) -> str | None:
        """Return why this visitor may not do `what`; None: he may."""
        return None if self.trusted else refusal_of_guest(what, self.address)


def refusal_of_guest(what: str, address: str) -> str:
    """Return why a guest may not do `what`."""
    return (
        f"{what} is for those who log in and for the machine that this runs on, and you come from {address}: "
        "start the program with --api-auth USER:PASSWORD and log in."
    )


def network_of(address: str) -> str:
    """Return what to count a client by: who has one IPv6 address has 2^64 of them, and may come from another each time.

    >>> network_of("2001:db8:1:2:3::4"), network_of("10.0.0.3"), network_of("proxy 10.0.0.9")
    ('2001:db8:1:2::/64', '10.0.0.3', 'proxy 10.0.0.9')
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, ipaddress.IPv6Address) or parsed.is_loopback:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(parsed), 64), strict=False))


def visitor_of(scope: Mapping[str, Any]) -> Visitor:
    """Return who sends a request: whom the gate has found, else the address alone."""
    found = scope.get(SCOPE_KEY)
    return found if isinstance(found, Visitor) else stranger(scope)


def stranger(scope: Mapping[str, Any]) -> Visitor:
    """Return a visitor of whom only the address is known, which is none where a proxy that nobody named hides it."""
    client = scope.get("client")
    address = str(client[0]) if client else "unknown"
    return Visitor(address, is_loopback(address))
