"""Who is connected: bounded in all and for each address, so that those who only sit there keep nobody out."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Protocol

MOST_CONNECTIONS = 4000
FEWEST_CONNECTIONS = 64
MOST_CONNECTIONS_OF_AN_ADDRESS = 512
# For the database, the link, logs, pictures that are being sent; and for those who watch by WebSocket.
FILES_FOR_OTHER_THINGS = 200


class Droppable(Protocol):
    """A connection."""

    def drop(self) -> None:
        """Close it at once."""


def most_connections(open_files: int, watchers: int) -> int:
    """Return how many connections there may be when so many files may be open, and so many of them are watchers'."""
    return max(FEWEST_CONNECTIONS, min(MOST_CONNECTIONS, open_files - FILES_FOR_OTHER_THINGS - watchers))


class ConnectionLimit:
    """Lets connections in; when there are too many, the one that has waited longest for its client is dropped for it.

    A connection *waits* while its client has asked for nothing, and *works* while a request is on its way or answered.
    `is_known(address)` are those to whom the limit of an address does not apply: this machine, and proxies, behind
    which many clients are. Event loop only.
    """

    def __init__(
        self,
        most: int = MOST_CONNECTIONS,
        most_of_an_address: int = MOST_CONNECTIONS_OF_AN_ADDRESS,
        is_known: Callable[[str], bool] = lambda address: False,
    ) -> None:
        self._most, self._most_of_an_address, self._is_known = most, most_of_an_address, is_known
        self._addresses: dict[Droppable, str] = {}
        self._counts: Counter[str] = Counter()
        self._waiting: OrderedDict[Droppable, None] = OrderedDict()
        self._waiting_of: dict[str, OrderedDict[Droppable, None]] = {}

    def __len__(self) -> int:
        return len(self._addresses)

    def enter(self, connection: Droppable, address: str) -> bool:
        """Let a connection in, which waits from now on; False when there is no place nor one to be made."""
        if self._counts[address] >= self._most_of_an_address and not self._is_known(address):
            if not self._make_room(self._waiting_of.get(address)):
                return False
        elif len(self._addresses) >= self._most and not self._make_room(self._waiting):
            return False
        self._addresses[connection] = address
        self._counts[address] += 1
        self.waits(connection)
        return True

    def waits(self, connection: Droppable) -> None:
        """Note that from now on a connection waits for its client."""
        address = self._addresses.get(connection)
        if address is None:
            return
        for waiting in (self._waiting, self._waiting_of.setdefault(address, OrderedDict())):
            waiting[connection] = None
            waiting.move_to_end(connection)

    def works(self, connection: Droppable) -> None:
        """Note that a client has asked for something."""
        address = self._addresses.get(connection)
        self._waiting.pop(connection, None)
        if address is not None and (own := self._waiting_of.get(address)) is not None:
            own.pop(connection, None)
            if not own:
                del self._waiting_of[address]

    def leave(self, connection: Droppable) -> None:
        """Forget a connection. One that was never let in, or is forgotten already, is no fault."""
        self.works(connection)
        address = self._addresses.pop(connection, None)
        if address is not None:
            self._counts[address] -= 1
            if not self._counts[address]:
                del self._counts[address]

    def _make_room(self, waiting: OrderedDict[Droppable, None] | None) -> bool:
        if not waiting:
            return False
        longest = next(iter(waiting))
        self.leave(longest)
        longest.drop()
        return True
