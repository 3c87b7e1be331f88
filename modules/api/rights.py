"""What a page tells its user that he may do: buttons that would be refused are not offered."""

from __future__ import annotations

from typing import Any

from modules.api.services import Services
from modules.jobs.visitor import Visitor

NO_LAUNCHER = "No launcher follows commands: start this server with launch.py."
OPEN_TO_ALL = (
    "Everyone in your network can use this page, since it was started with --listen and without a password. They see "
    "their own jobs only. --api-auth-path FILE asks for a password."
)


def rights_of(services: Services, visitor: Visitor) -> dict[str, Any]:
    """Return who the visitor is and, for each thing that not everybody may do, why he may not; None: he may."""
    command = services.arguments.refusal_of_command("restart", visitor.address, trusted=visitor.trusted)
    if command is None and services.link is None:
        command = NO_LAUNCHER
    is_open = services.arguments.listen and visitor.user is None
    return {
        "user": visitor.user,
        "guest": not visitor.trusted,
        "commands": command,
        "settings": visitor.refusal("Changing settings"),
        "audit": visitor.refusal("Who did what"),
        "others": visitor.refusal("The queue of all"),
        "warning": OPEN_TO_ALL if is_open and visitor.near else None,
    }
