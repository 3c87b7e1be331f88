"""Who sent a request."""

from __future__ import annotations

import base64
import binascii
import ipaddress

from starlette.requests import HTTPConnection


def owner_of(connection: HTTPConnection) -> str:
    """Return whose jobs a REST client's are: its Basic user (not checked here), else its address."""
    scheme, _, credentials = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            user = base64.b64decode(credentials, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            user = ""
        if user:
            return user
    return connection.client.host if connection.client else "unknown"


def is_on_this_machine(connection: HTTPConnection) -> bool:
    """Tell whether the client's address is a loopback one."""
    if connection.client is None:
        return False
    try:
        address = ipaddress.ip_address(connection.client.host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)
