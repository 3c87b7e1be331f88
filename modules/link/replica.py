"""A child's end of the link: keeps its noticeboards and the topics in step with the launcher's."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal, Self

from modules.errors import LinkClosed
from modules.link.channel import Channel
from modules.link.frames import FrameError
from modules.link.noticeboards import Noticeboards
from modules.link.outbox import Message, Signal, Update
from modules.link.topics import merge_topic, name_and_engine, topic_of
from modules.link.transport import Transport, connect
from modules.shared_state import Preview, State

logger = logging.getLogger(__name__)

Role = Literal["server", "engine"]
SECONDS_TO_WAIT_FOR_THE_SNAPSHOT = 30.0


class Link:
    """Connect a child's `state` with the launcher.

    An engine's state goes out; the server's follow those of all engines. Register handlers before `start`; they are
    called on the reader thread and must be quick.
    """

    def __init__(self, transport: Transport, state: State, role: Role) -> None:
        self.noticeboards = Noticeboards(state)
        self._state = state
        self._role = role
        self._lock = threading.Lock()
        self._topics: dict[str, Any] = {}
        self._topic_handlers: dict[str, list[Callable[[Any], None]]] = {}
        self._engine_topic_handlers: dict[str, list[Callable[[str, Any], None]]] = {}
        self._signal_handlers: dict[str, list[Callable[[dict[str, Any]], None]]] = {}
        self._preview_handlers: list[Callable[[Preview], None]] = []
        self._closed_handlers: list[Callable[[], None]] = []
        self._channel = Channel("the launcher", transport, self._receive, self._tell_closed)

    @classmethod
    def from_environment(cls, state: State, role: Role, environment: Mapping[str, str] = os.environ) -> Self | None:
        """Return this child's link, not yet started; None in a process that no launcher started."""
        transport = connect(environment)
        return None if transport is None else cls(transport, state, role)

    @property
    def topics(self) -> Mapping[str, Any]:
        """The newest value of every topic."""
        with self._lock:
            return dict(self._topics)

    def on_topic(self, topic: str, handler: Callable[[Any], None]) -> None:
        """Call `handler(value)` for each new value, the snapshot's included."""
        self._topic_handlers.setdefault(topic, []).append(handler)

    def on_topic_of_engines(self, name: str, handler: Callable[[str, Any], None]) -> None:
        """Call `handler(engine, value)` for each new value of a topic that each engine has, as `on_topic` does."""
        self._engine_topic_handlers.setdefault(name, []).append(handler)

    def on_preview(self, handler: Callable[[Preview], None]) -> None:
        """Call `handler(preview)` for each preview of another process, the snapshot's included."""
        self._preview_handlers.append(handler)

    def on_signal(self, name: str, handler: Callable[[dict[str, Any]], None]) -> None:
        """Call `handler(payload)` for each signal of that name."""
        self._signal_handlers.setdefault(name, []).append(handler)

    def on_closed(self, handler: Callable[[], None]) -> None:
        """Call `handler()` when the launcher is gone: a child without its launcher ends."""
        self._closed_handlers.append(handler)

    def start(self) -> None:
        """Take the launcher's snapshot, then send and receive in the background.

        When this returns, `state` and `topics` are what the launcher knew.

        Raises:
            LinkClosed: the launcher is gone.
        """
        outbox = self._channel.outbox
        outbox.put_signal(Signal("hello", {}))
        self._channel.start_writing()
        try:
            snapshot = self._channel.receive(SECONDS_TO_WAIT_FOR_THE_SNAPSHOT)
        except (EOFError, OSError, FrameError) as error:
            self._channel.close()
            raise LinkClosed(f"The launcher did not answer ({error}): start again with python3 launch.py.") from error
        assert isinstance(snapshot, Update)
        if self._role == "engine":
            self._state.apply(snapshot.states.get(self._state.engine, {}))
            self._state.observer = partial(outbox.put_state, self._state.engine)
            self._state.preview_observer = outbox.put_preview
        else:
            self._take_states(snapshot.states)
        self._take_topics(snapshot.topics)
        self._state.command_port = lambda command: self.signal("command", command=command)
        self._channel.start_reading()

    def publish(self, topic: str, value: Any) -> None:
        """Tell everyone the newest value of a topic. It must not be changed afterwards. Never waits."""
        with self._lock:
            changed, self._topics[topic] = merge_topic(topic, self._topics.get(topic), value)
            if changed:
                self._channel.outbox.put_topic(topic, value)

    def publish_own(self, name: str, value: Any) -> None:
        """Tell everyone the newest value of a topic that each engine has, for this one. Never waits."""
        self.publish(topic_of(name, self._state.engine), value)

    def signal(self, name: str, **payload: Any) -> None:
        """Tell the launcher that something happened. Never waits."""
        self._channel.outbox.put_signal(Signal(name, payload))

    def close(self) -> None:
        """Send what waits, for a second at most, and leave. Handlers of `on_closed` are not called."""
        self._channel.close(flush_seconds=1.0)

    def _receive(self, message: Message) -> None:
        if isinstance(message, Preview):
            if self.noticeboards.of_engine(message.engine).apply_preview(message):
                for tell in self._preview_handlers:
                    tell(message)
        elif isinstance(message, Signal):
            self._take_signal(message)
        else:
            if self._role == "server":
                self._take_states(message.states)
            self._take_topics(message.topics)

    def _take_signal(self, signal: Signal) -> None:
        payload = dict(signal.payload)
        if signal.name == "nudge" and self._role == "engine":
            self._state.apply_request(payload["kind"], payload["job"], payload.get("image"))
        for handle in self._signal_handlers.get(signal.name, ()):
            handle(payload)

    def _take_states(self, states: Mapping[str, Mapping[str, Any]]) -> None:
        for engine, fields in states.items():
            self.noticeboards.of_engine(engine).apply(fields)

    def _take_topics(self, topics: Mapping[str, Any]) -> None:
        for topic, value in topics.items():
            with self._lock:
                changed, self._topics[topic] = merge_topic(topic, self._topics.get(topic), value)
            if changed:
                for handle in self._topic_handlers.get(topic, ()):
                    handle(value)
                name, engine = name_and_engine(topic)
                for handle_engines in self._engine_topic_handlers.get(name, ()):
                    handle_engines(engine, value)

    def _tell_closed(self) -> None:
        for handle in self._closed_handlers:
            handle()
