"""What a page tells its user that he may do: buttons that would be refused are not offered."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

import psutil

from modules.api.services import Services
from modules.cmd_args import Arguments, refusal_without_launcher
from modules.jobs.visitor import Visitor

INNER_NETWORKS = ("docker", "br-", "veth", "virbr")  # of containers and virtual machines on this one
OPEN_TO_ALL = (
    "Everyone in your network can use this page, since it was started with --listen and without a password. They see "
    "their own jobs only. --api-auth-path FILE asks for a password."
)


def own_addresses(arguments: Arguments) -> list[str]:
    """Return at which addresses other devices find this page, the likeliest first; nothing without --listen."""
    if not arguments.listen:
        return []
    found = [
        ipaddress.ip_address(one.address)
        for name, some in psutil.net_if_addrs().items()
        if not name.startswith(INNER_NETWORKS)
        for one in some
        if one.family == socket.AF_INET
    ]
    usable = [one for one in found if not (one.is_loopback or one.is_link_local)]
    return [str(one) for one in sorted(usable, key=lambda one: not one.is_private)]


def rights_of(services: Services, visitor: Visitor) -> dict[str, Any]:
    """Return who the visitor is and, for each thing that not everybody may do, why he may not; None: he may."""
    command = services.arguments.refusal_of_command("restart", visitor.address, trusted=visitor.trusted)
    if command is None and services.link is None:
        command = refusal_without_launcher("restart")
    is_open = services.arguments.listen and visitor.user is None
    return {
        "user": visitor.user,
        "guest": not visitor.trusted,
        "commands": command,
        "settings": visitor.refusal("Changing settings"),
        "audit": visitor.refusal("Who did what"),
        "others": visitor.refusal("The queue of all"),
        "warning": OPEN_TO_ALL if is_open and visitor.near else None,
        "addresses": own_addresses(services.arguments) if visitor.trusted else [],
    }
