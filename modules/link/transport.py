"""The connection between the launcher and one child: whole frames over a socket.

A child inherits its end as a descriptor. Where that cannot be (Windows) it connects over loopback and shows a key.
"""

from __future__ import annotations

import hmac
import os
import secrets
import socket
import struct
import sys
import time
from collections.abc import Mapping

DESCRIPTORS_ARE_INHERITED = sys.platform != "win32"
SECONDS_UNTIL_STUCK_READER_IS_DEAD = 5.0

_FD = "STEADY_LINK_FD"
_PORT = "STEADY_LINK_PORT"
_KEY = "STEADY_LINK_KEY"
_LENGTH = struct.Struct("!I")
_LONGEST_FRAME = 256 * 1024 * 1024


class Transport:
    """One end of a connection. `send` and `receive` are for one thread each; `shut` may be called from any."""

    def __init__(self, end: socket.socket, stuck_after: float = SECONDS_UNTIL_STUCK_READER_IS_DEAD) -> None:
        end.settimeout(stuck_after)
        self._socket = end

    def send(self, frame: bytes) -> None:
        """Send a frame.

        Raises:
            OSError: the other side is gone, or took nothing for 5 s (`TimeoutError`).
        """
        left = memoryview(_LENGTH.pack(len(frame)) + frame)
        while left:
            left = left[self._socket.send(left) :]

    def receive(self, timeout: float | None = None) -> bytes:
        """Wait for a frame.

        Raises:
            EOFError: the other side is gone.
            OSError: the connection broke, or nothing came for `timeout` seconds (`TimeoutError`).
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        (length,) = _LENGTH.unpack(self._exactly(_LENGTH.size, deadline))
        if length > _LONGEST_FRAME:
            raise OSError(f"a frame of {length} bytes is not one of ours")
        return self._exactly(length, deadline)

    def shut(self) -> None:
        """End the connection: both sides see end-of-file, whatever they wait for."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # The other side was first.

    def close(self) -> None:
        """Give the descriptor back, once no other thread uses it."""
        self._socket.close()

    def _exactly(self, size: int, deadline: float | None) -> bytes:
        data = bytearray()
        while len(data) < size:
            try:
                part = self._socket.recv(size - len(data))
            except TimeoutError:
                if deadline is not None and time.monotonic() >= deadline:
                    raise
                continue  # The socket's timeout is meant for sending.
            if not part:
                raise EOFError("the other side is gone")
            data += part
        return bytes(data)


class Offer:
    """The launcher's half of a connection that a child is about to take: give `environment` and `descriptors` to it."""

    def __init__(self, inherit: bool = DESCRIPTORS_ARE_INHERITED) -> None:
        self.environment: dict[str, str]
        self.descriptors: tuple[int, ...] = ()
        self._key = b""
        if inherit:
            self._mine, self._theirs = socket.socketpair()
            self.descriptors = (self._theirs.fileno(),)
            self.environment = {_FD: str(self._theirs.fileno())}
        else:
            self._theirs = socket.create_server(("127.0.0.1", 0))
            self._key = secrets.token_bytes(32)
            self.environment = {_PORT: str(self._theirs.getsockname()[1]), _KEY: self._key.hex()}

    def taken(self) -> Transport:
        """Return the launcher's end, once the child is started.

        Raises:
            OSError: the child ended before it connected, or a stranger came (only where nothing is inherited).
        """
        with self._theirs:
            if not self._key:
                return Transport(self._mine)
            self._theirs.settimeout(60)
            connection, _ = self._theirs.accept()
        transport = Transport(connection)
        if not hmac.compare_digest(transport.receive(timeout=10), self._key):
            transport.close()
            raise OSError("a stranger connected to the launcher")
        return transport

    def withdraw(self) -> None:
        """Close both ends: the child could not be started."""
        self._theirs.close()
        if not self._key:
            self._mine.close()


def connect(environment: Mapping[str, str] = os.environ) -> Transport | None:
    """Return the child's end of the connection; None in a process that no launcher started."""
    if _FD in environment:
        return Transport(socket.socket(fileno=int(environment[_FD])))
    if _PORT in environment:
        connection = socket.create_connection(("127.0.0.1", int(environment[_PORT])), timeout=10)
        transport = Transport(connection)
        transport.send(bytes.fromhex(environment[_KEY]))
        return transport
    return None
