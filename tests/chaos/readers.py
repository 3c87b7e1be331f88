"""Clients that follow the event stream, lose their connection, come back and ask for what they missed."""

import contextlib
import json
import socket
import threading
import time
from typing import Any

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect


class Reader:
    """Follows the events of a program that comes and goes. `numbers` are those of the events, as they came."""

    def __init__(self, port: int, name: str) -> None:
        self.port = port
        self.name = name
        self.numbers: list[int] = []
        self.resets: list[dict[str, Any]] = []
        self.connections = 0
        self.over = threading.Event()
        self._after: int | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.over.set()
        self.drop()
        self._thread.join(20)

    def drop(self) -> None:
        """Lose the connection."""

    def problems(self, last: int) -> list[str]:
        """Name what is wrong with the numbers, when `last` is that of the last event."""
        found = [f"{self.name} was reset: {one['reason']}" for one in self.resets]
        expected = list(range(self.numbers[0], last + 1)) if self.numbers else []
        if not self.numbers:
            return [*found, f"{self.name} saw no event"]
        if self.numbers != expected:
            missing = sorted(set(expected) - set(self.numbers))
            double = sorted({number for number in self.numbers if self.numbers.count(number) > 1})
            falls = [pair for pair in zip(self.numbers, self.numbers[1:], strict=False) if pair[1] <= pair[0]]
            found.append(f"{self.name}: missing {missing[:10]}, double {double[:10]}, falling {falls[:5]}")
        return found

    def follow(self) -> None:
        """Read one connection to its end."""
        raise NotImplementedError

    def take(self, message: dict[str, Any]) -> None:
        if message["type"] == "event":
            self.numbers.append(message["number"])
            self._after = message["number"]
        elif message["type"] == "snapshot" and self._after is None:
            self._after = message["events"]
        elif message["type"] == "reset":
            self.resets.append(message)

    def _run(self) -> None:
        while not self.over.is_set():
            with contextlib.suppress(OSError, WebSocketException, ValueError):
                self.connections += 1
                self.follow()
            time.sleep(0.05)


class SocketReader(Reader):
    """Reads the WebSocket, as a page does."""

    _connection: Any = None

    def follow(self) -> None:
        after = "" if self._after is None else f"&after={self._after}"
        url = f"ws://127.0.0.1:{self.port}/steady/live?owner={self.name}{after}"
        with connect(url, open_timeout=60, max_size=None) as connection:
            self._connection = connection
            while not self.over.is_set():
                with contextlib.suppress(TimeoutError):
                    self.take(json.loads(connection.recv(timeout=0.5)))

    def drop(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(OSError, AttributeError):
                self._connection.socket.shutdown(socket.SHUT_RDWR)


class StreamReader(Reader):
    """Reads the server-sent events, as a REST client does."""

    _socket: socket.socket | None = None

    def follow(self) -> None:
        last = "" if self._after is None else f"Last-Event-ID: {self._after}\r\n"
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            self._socket = connection
            request = f"GET /sdapi/v1/events?owner={self.name} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n{last}\r\n"
            connection.sendall(request.encode())
            connection.settimeout(30)
            for line in connection.makefile("rb"):
                if line.startswith(b"data: "):
                    self.take(json.loads(line[6:]))
                if self.over.is_set():
                    return

    def drop(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
