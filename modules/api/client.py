"""Who sent a request."""

from __future__ import annotations

import base64
import binascii

from starlette.requests import HTTPConnection

from modules.cmd_args import is_loopback
from modules.jobs.rows import Actor

OWNER_HEADER = "x-steady-owner"
LONGEST_OWNER = 200


def owner_of(connection: HTTPConnection) -> str:
    """Return whose jobs a client's are: the owner that it names (a tab does), its Basic user, else its address.

    Nothing of this is checked: it tells people apart who mean well.
    """
    named = connection.headers.get(OWNER_HEADER) or connection.query_params.get("owner") or ""
    return named.strip()[:LONGEST_OWNER] or _basic_user(connection) or address_of(connection)


def address_of(connection: HTTPConnection) -> str:
    """Return the address that a client asks from."""
    return connection.client.host if connection.client else "unknown"


def is_on_this_machine(connection: HTTPConnection) -> bool:
    """Tell whether a client asks from the machine that this runs on."""
    return is_loopback(address_of(connection))


def actor_of(connection: HTTPConnection) -> Actor:
    """Return who asks, as the audit keeps it."""
    return Actor(owner_of(connection), address_of(connection))


def _basic_user(connection: HTTPConnection) -> str:
    scheme, _, credentials = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""
