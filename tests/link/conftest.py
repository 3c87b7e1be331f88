import socket
import time
from collections.abc import Callable, Iterator

import pytest

from modules.launcher.switchboard import Line, Switchboard
from modules.link import Link, Role
from modules.link.transport import Transport
from modules.shared_state import State


def eventually(what: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait until `what()` is true; fail with what it is then."""
    ends_at = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < ends_at, f"not within {seconds} s"
        time.sleep(0.002)


class Wiring:
    """A switchboard and children in one process, joined by real sockets."""

    def __init__(self) -> None:
        self.board = Switchboard(State())
        self.links: list[Link] = []
        self.lines: list[Line] = []
        self.heard: list[tuple[str, str]] = []

    def child(self, role: Role, stuck_after: float = 5.0, engine: str = "1") -> tuple[State, Link]:
        """Return a child's state and its link, not yet started."""
        mine, theirs = socket.socketpair()
        line = self.board.attach(
            role, Transport(mine, stuck_after), lambda name: self.heard.append((role, name)), engine
        )
        state = State(engine)
        link = Link(Transport(theirs, stuck_after), state, role)
        self.lines.append(line)
        self.links.append(link)
        return state, link

    def started(self, role: Role, engine: str = "1") -> tuple[State, Link]:
        """Return a child's state and its started link."""
        state, link = self.child(role, engine=engine)
        link.start()
        return state, link

    def close(self) -> None:
        """End every connection."""
        for line in self.lines:
            line.channel.close()
        for link in self.links:
            link.close()


@pytest.fixture
def wiring() -> Iterator[Wiring]:
    made = Wiring()
    yield made
    made.close()
