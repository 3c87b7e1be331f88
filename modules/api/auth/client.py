"""Who sent a request."""

from __future__ import annotations

import base64
import binascii

from starlette.requests import HTTPConnection

from modules.errors import InvalidRequest
from modules.jobs.lenient import show
from modules.jobs.rows import Actor
from modules.jobs.visitor import LONGEST_OWNER, visitor_of

OWNER_HEADER = "x-steady-owner"
OWNER_COOKIE = "steady-owner"


def owner_of(connection: HTTPConnection) -> str:
    """Return whose jobs a client's are: the owner that it names (a tab does), its Basic user, else its address.

    Nothing of this is checked where no password is needed: it tells people apart who mean well. Only of a guest a name
    that others could know is not believed.
    """
    return visitor_of(connection.scope).owner(_named(connection))


def owners_who_look(connection: HTTPConnection) -> tuple[str, ...]:
    """Return whose pictures a client may look at: those of `owner_of`, and of the owner in its page's cookie.

    A browser asks for pictures and downloads without any header of the page. For looking only: a deed names its owner.
    """
    visitor = visitor_of(connection.scope)
    return owner_of(connection), visitor.owner(connection.cookies.get(OWNER_COOKIE))


def address_of(connection: HTTPConnection) -> str:
    """Return the address that a client asks from."""
    return visitor_of(connection.scope).address


def is_on_this_machine(connection: HTTPConnection) -> bool:
    """Tell whether a client asks from the machine that this runs on, and not through a proxy from elsewhere."""
    return visitor_of(connection.scope).near


def check_owner_name(value: object) -> str:
    """Return an owner that a body names.

    Raises:
        InvalidRequest: it is none; it is kept with each job and sent to every page, so it is short.
    """
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_OWNER or not value.isprintable():
        raise InvalidRequest(
            f"owner {show(value)} is not possible: send a text of 1 to {LONGEST_OWNER} printable characters.", "owner"
        )
    return value.strip()


def actor_of(connection: HTTPConnection) -> Actor:
    """Return who asks, as the audit keeps it."""
    return visitor_of(connection.scope).actor(_named(connection))


def basic_credentials(authorization: str) -> tuple[str, str] | None:
    """Return name and password of an `Authorization` header; None when it is of another kind or makes no sense."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return (name, password) if colon else None


def _named(connection: HTTPConnection) -> str:
    named = connection.headers.get(OWNER_HEADER) or connection.query_params.get("owner") or ""
    basic = basic_credentials(connection.headers.get("authorization", ""))
    return named.strip() or (basic[0] if basic else "")
