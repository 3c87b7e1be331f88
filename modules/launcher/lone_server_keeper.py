"""Keep a server where the listening socket cannot be handed on (Windows): it binds the port itself.

So there is one server at a time, and a restart is the base class's: stop, then start.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from modules.launcher.child import Child, Recipe
from modules.launcher.keeper import Keeper, StartChild
from modules.launcher.switchboard import Switchboard


class LoneServerKeeper(Keeper):
    """`first_accepted` is called once, on a reader thread, when there is a page for the first time."""

    def __init__(
        self,
        recipe: Recipe,
        board: Switchboard,
        clock: Callable[[], float] = time.monotonic,
        start_child: StartChild = Child,
        first_accepted: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(recipe, board, clock, start_child)
        self._first_accepted: Callable[[], None] | None = first_accepted

    def heard(self, child: Child, name: str) -> None:
        """Let a server accept as soon as it is ready: there is no other."""
        if name == "ready":
            child.line.signal("accept")
        elif name == "accepting" and self._first_accepted is not None:
            self._first_accepted()
            self._first_accepted = None
