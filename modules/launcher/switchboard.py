"""The hub of the link: holds the authoritative noticeboards and the topics, and passes everything on to every child."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

from modules.link import Role
from modules.link.channel import Channel
from modules.link.noticeboards import Noticeboards
from modules.link.outbox import Message, Signal, Update
from modules.link.topics import HEARTBEAT, PROGRESS, merge_topic, topic_of
from modules.link.transport import Transport
from modules.shared_state import FIRST_ENGINE, Preview, State

logger = logging.getLogger(__name__)

RESTART_ENGINE = "restart-engine"


class Line:
    """The connection to one child. It is silent until the child says hello, so nothing piles up while it imports.

    `engine` is the id of the engine that the child is, None for a server.
    """

    def __init__(
        self, role: Role, engine: str, board: Switchboard, transport: Transport, on_signal: Callable[[str], None]
    ) -> None:
        self.role = role
        self.engine = engine if role == "engine" else None
        self.joined = False
        self.lost = threading.Event()
        self.on_signal = on_signal
        self.channel = Channel(f"the {role}", transport, lambda message: board.receive(self, message), self.lost.set)

    def signal(self, name: str) -> None:
        """Tell the child something. Never waits."""
        self.channel.outbox.put_signal(Signal(name, {}))


class Switchboard:
    """Pass on what children say. Nothing here waits for a child: each has its own outbox and threads.

    Locks are taken in the order switchboard, State, outbox.
    """

    def __init__(self, state: State) -> None:
        self.state = state
        self.noticeboards = Noticeboards(state)
        self._lock = threading.Lock()
        self._lines: list[Line] = []
        self._topics: dict[str, Any] = {"progress": None, "events": 0}
        # (job, how many-th) of each interrupt that goes to the engine; called on a reader thread
        self.on_interrupt: Callable[[str, int], None] = lambda job, times: None

    @property
    def topics(self) -> Mapping[str, Any]:
        """The newest value of every topic."""
        with self._lock:
            return dict(self._topics)

    def attach(
        self, role: Role, transport: Transport, on_signal: Callable[[str], None], engine: str = FIRST_ENGINE
    ) -> Line:
        """Talk with a new child. `on_signal` is called on the reader thread for what the launcher has to know."""
        line = Line(role, engine, self, transport, on_signal)
        with self._lock:
            self._lines.append(line)
        line.channel.start_writing()
        line.channel.start_reading()
        return line

    def detach(self, line: Line) -> None:
        """Forget a child whose process has ended, after its last words. The job that an engine ran is over with it."""
        line.channel.join(seconds=1.0)
        line.channel.close()
        with self._lock:
            if line in self._lines:
                self._lines.remove(line)
            if line.engine is None or any(other.engine == line.engine for other in self._lines):
                return
            state = self.noticeboards.of_engine(line.engine)
            state.end()
            self._pass_on_state(line, line.engine, state.snapshot())
            for name in (PROGRESS, HEARTBEAT):
                self._take_topic(line, topic_of(name, line.engine), None)

    def publish(self, topic: str, value: Any) -> None:
        """Tell every child the launcher's newest value of a topic."""
        with self._lock:
            self._take_topic(None, topic, value)

    def replace(self, topic: str, known: object, value: Any) -> None:
        """Publish unless someone else did since `known`, which was read from `topics`."""
        with self._lock:
            if self._topics.get(topic) is known:
                self._take_topic(None, topic, value)

    def receive(self, line: Line, message: Message) -> None:
        """Take what a child sent and pass it on. Called on the line's reader thread."""
        if isinstance(message, Signal):
            self._take_signal(line, message)
            return
        with self._lock:
            if line not in self._lines:
                return
            if isinstance(message, Preview):
                if line.engine == message.engine and self.noticeboards.of_engine(line.engine).apply_preview(message):
                    for other in self._others(line, "server"):
                        other.channel.outbox.put_preview(message)
            else:
                self._take_update(line, message)

    def _take_update(self, line: Line, update: Update) -> None:
        fields = {} if line.engine is None else update.states.get(line.engine, {})
        if line.engine is not None and fields:
            self.noticeboards.of_engine(line.engine).apply(fields)
            self._pass_on_state(line, line.engine, fields)
        for topic, value in update.topics.items():
            self._take_topic(line, topic, value)

    def _take_topic(self, line: Line | None, topic: str, value: Any) -> None:
        changed, self._topics[topic] = merge_topic(topic, self._topics.get(topic), value)
        if changed:
            for other in self._others(line):
                other.channel.outbox.put_topic(topic, value)

    def _pass_on_state(self, line: Line, engine: str, fields: Mapping[str, Any]) -> None:
        for other in self._others(line, "server"):
            other.channel.outbox.put_state(engine, fields)

    def _take_signal(self, line: Line, signal: Signal) -> None:
        if signal.name == "command":
            command = str(signal.payload["command"])
            # An engine that asks for a new one means itself.
            its_own = command == RESTART_ENGINE and line.engine is not None
            self.state.server_command = f"{command} {line.engine}" if its_own else command
        elif signal.name == "nudge":
            if signal.payload.get("kind") == "interrupt":
                self.on_interrupt(str(signal.payload["job"]), int(signal.payload.get("times") or 0))
            with self._lock:
                for other in self._others(line, "engine"):
                    other.channel.outbox.put_signal(signal)
        else:
            if signal.name == "hello":
                self._welcome(line)
            line.on_signal(signal.name)

    def _welcome(self, line: Line) -> None:
        """Send everything there is, then let the line hear what changes: nothing is missed or told twice."""
        with self._lock:
            line.joined = True
            states = self.noticeboards.all()
            line.channel.outbox.put_snapshot({state.engine: state.snapshot() for state in states}, self._topics)
            for state in states:
                if state.preview is not None:
                    line.channel.outbox.put_preview(state.preview)

    def _others(self, line: Line | None, role: Role | None = None) -> list[Line]:
        return [
            other
            for other in self._lines
            if other.joined and other is not line and (role is None or other.role == role)
        ]
