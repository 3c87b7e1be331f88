"""What waits to be sent on one connection: the newest value of everything, so that a slow reader slows no one."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from modules.shared_state import Preview


@dataclass
class Update:
    """Changed fields of each engine's State and changed topics. The reader takes the fields first."""

    states: dict[str, dict[str, Any]] = field(default_factory=dict)
    topics: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Signal:
    """Something that happened, told exactly once."""

    name: str
    payload: Mapping[str, Any]


Message = Update | Signal | Preview


class Outbox:
    """Collect messages from any thread, for one writer. Putting never waits and costs a dictionary update.

    What was put before a signal is sent before it, what was put after it is sent after it. Between two signals a newer
    value takes the place of an older one. One preview an engine waits at most; they go last.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._messages: list[Update | Signal] = []
        self._previews: dict[str, Preview] = {}
        self._closed = False

    def put_state(self, engine: str, fields: Mapping[str, Any]) -> None:
        """Send changed fields of an engine's State."""
        with self._changed:
            if not self._closed:
                self._open_update().states.setdefault(engine, {}).update(fields)
                self._changed.notify()

    def put_snapshot(self, states: Mapping[str, dict[str, Any]], topics: Mapping[str, Any]) -> None:
        """Send all there is as one message, to someone who was sent nothing before."""
        with self._changed:
            if not self._closed:
                self._messages.append(Update(dict(states), dict(topics)))
                self._changed.notify()

    def put_topic(self, topic: str, value: Any) -> None:
        """Send the newest value of a topic."""
        with self._changed:
            if not self._closed:
                topics = self._open_update().topics
                topics.pop(topic, None)  # so that topics stand in the order of their newest values
                topics[topic] = value
                self._changed.notify()

    def put_signal(self, signal: Signal) -> None:
        """Send a signal after all that was put before it."""
        with self._changed:
            if not self._closed:
                self._messages.append(signal)
                self._changed.notify()

    def put_preview(self, preview: Preview) -> None:
        """Send a preview instead of the one of its engine that waits."""
        with self._changed:
            if not self._closed:
                self._previews[preview.engine] = preview
                self._changed.notify()

    def close(self) -> None:
        """Take nothing more in; `take` ends once nothing waits any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def take(self) -> list[Message]:
        """Wait for messages and return all of them in order; an empty list after `close`."""
        with self._changed:
            self._changed.wait_for(lambda: self._messages or self._previews or self._closed)
            taken: list[Message] = [*self._messages, *self._previews.values()]
            self._messages, self._previews = [], {}
            return taken

    def _open_update(self) -> Update:
        if not self._messages or not isinstance(self._messages[-1], Update):
            self._messages.append(Update())
        last = self._messages[-1]
        assert isinstance(last, Update)
        return last
