"""The link: keeps the copies of `State` in server and engine in step with the launcher's, and carries signals."""

from modules.link.replica import Link, Role

__all__ = ["Link", "Role"]
