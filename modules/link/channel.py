"""Two threads around a transport: one reads, one writes what an outbox holds. Both ends of the link are built on it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from modules.link.frames import FrameError, decode, encode
from modules.link.outbox import Message, Outbox
from modules.link.transport import Transport

logger = logging.getLogger(__name__)


class Channel:
    """Send through `outbox` from any thread without waiting; receive on the reader thread.

    `on_message` gets each message in order. `on_closed` is called once, when the other side is gone, does not read any
    more or sent nonsense; not after `close`.
    """

    def __init__(
        self,
        name: str,
        transport: Transport,
        on_message: Callable[[Message], None],
        on_closed: Callable[[], None],
    ) -> None:
        self.name = name
        self.outbox = Outbox()
        self._transport = transport
        self._on_message = on_message
        self._on_closed = on_closed
        self._received = 0
        self._leaving = False
        self._reader = threading.Thread(target=self._read, name=f"{name} link reader", daemon=True)
        self._writer = threading.Thread(target=self._write, name=f"{name} link writer", daemon=True)

    def receive(self, timeout: float | None = None) -> Message:
        """Wait for one message on the caller's thread, before `start`. Raises EOFError, OSError, FrameError."""
        frame = self._transport.receive(timeout)
        self._received += 1
        return decode(self._received, frame)

    def start_writing(self) -> None:
        """Send what is and will be put into the outbox."""
        self._writer.start()

    def start_reading(self) -> None:
        """Hand over what comes from now on."""
        self._reader.start()

    def join(self, seconds: float) -> None:
        """Wait until all that the other side had sent before its end is taken."""
        self._reader.join(seconds)

    def close(self, flush_seconds: float = 0.0) -> None:
        """End the connection after sending what waits, in `flush_seconds` at most."""
        self._leaving = True
        self.outbox.close()
        if flush_seconds and self._writer.is_alive():
            self._writer.join(flush_seconds)
        self._transport.shut()
        if self._reader.ident is None:
            self._give_back()  # else the reader does, which may be at it

    def _write(self) -> None:
        number = 0
        try:
            while messages := self.outbox.take():
                for message in messages:
                    try:
                        frame = encode(number + 1, message)
                    except (TypeError, ValueError):
                        logger.exception("A message to %s cannot be JSON and is left out", self.name)
                        continue
                    number += 1
                    self._transport.send(frame)
        except OSError as error:
            if isinstance(error, TimeoutError) and not self._leaving:
                logger.warning("%s does not read what it is sent and is treated as dead", self.name)
            self._transport.shut()  # wakes the reader, which tells

    def _read(self) -> None:
        try:
            while True:
                message = self.receive()
                try:
                    self._on_message(message)
                except Exception:
                    logger.exception("A handler failed on a message from %s", self.name)
        except (EOFError, OSError):
            pass
        except FrameError as error:
            logger.error("%s sent something that is no message: %s", self.name, error)
        self._transport.shut()
        if not self._leaving:
            self._on_closed()
        self.outbox.close()
        self._give_back()

    def _give_back(self) -> None:
        if self._writer.ident is not None:
            self._writer.join()
        self._transport.close()
