"""One reader of the live stream: what waits for it, bounded."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from functools import cached_property

MOST_EVENTS_WAITING = 1000


@dataclass(frozen=True)
class Message:
    """A message as JSON text. `number` is that of an event; None for what is only the newest of its kind.

    `owner` is whose job an event is about, where that is known.
    """

    text: str
    number: int | None = None
    owner: str | None = None

    @cached_property
    def as_event(self) -> bytes:
        """Return it as text/event-stream has it. Only events carry an id, which comes back as Last-Event-ID."""
        number = "" if self.number is None else f"id: {self.number}\n"
        return f"{number}data: {self.text}\n\n".encode()


class Subscription:
    """Events wait in order; of progress, previews and the like only the newest waits: a slow reader gets fewer of them.

    A reader with more than `capacity` events waiting is dropped: it connects again and asks for what it missed. Event
    loop only.
    """

    def __init__(self, capacity: int = MOST_EVENTS_WAITING) -> None:
        self._capacity = capacity
        self._events: deque[Message] = deque()
        self._newest: dict[str, Message] = {}
        self._after: int | None = None  # the reader knows all up to here; None: its beginning is not read yet
        self._last = 0  # number of the last event that was put
        self._lost_until = 0
        self._ended = False
        self._changed = asyncio.Event()

    @property
    def ended(self) -> bool:
        """Whether no more messages come, once those that wait are taken."""
        return self._ended

    def put(self, message: Message) -> None:
        """Append an event."""
        if self._ended or (message.number is not None and message.number <= (self._after or 0)):
            return
        if len(self._events) >= self._capacity:
            if self._after is not None:
                self._drop()
                return
            # The beginning that is being read may tell of it.
            self._lost_until = max(self._lost_until, self._events.popleft().number or 0)
        self._events.append(message)
        self._last = message.number or self._last
        self._changed.set()

    def put_newest(self, slot: str, message: Message) -> None:
        """Replace what waits in `slot`."""
        if not self._ended:
            self._newest[slot] = message
            self._changed.set()

    def skip_to(self, number: int) -> None:
        """Drop events up to `number`: the reader knows them already."""
        self._after = number
        self._events = deque(one for one in self._events if one.number is None or one.number > number)
        if number < self._lost_until:
            self._drop()

    def _drop(self) -> None:
        self._events.clear()
        self._newest.clear()
        self.end()

    def lose(self, until: int) -> None:
        """End, unless the reader knows all events up to `until` already: those it does not can be told no more."""
        self._lost_until = until
        if self._after is not None and max(self._after, self._last) < until:
            self.end()

    def end(self) -> None:
        """Give what waits, then nothing more."""
        self._ended = True
        self._changed.set()

    async def next(self) -> Message | None:
        """Return the next message, events before all else; None at the end."""
        while True:
            if self._events:
                return self._events.popleft()
            if self._newest:
                return self._newest.pop(next(iter(self._newest)))
            if self._ended:
                return None
            self._changed.clear()
            await self._changed.wait()
