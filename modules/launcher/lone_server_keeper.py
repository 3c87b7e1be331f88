"""Keep a server where the listening socket cannot be handed on (Windows): it binds the port itself.

So there is one server at a time, and a restart is the base class's: stop, then start.
"""

from __future__ import annotations

from modules.launcher.child import Child
from modules.launcher.keeper import Keeper


class LoneServerKeeper(Keeper):
    """Lets each server accept as soon as it is ready: there is no other."""

    def heard(self, child: Child, name: str) -> None:
        """Answer `ready` with `accept`."""
        if name == "ready":
            child.line.signal("accept")
        elif name == "accepting":
            self._greet()
