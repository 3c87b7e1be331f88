"""How a message looks on the wire: a line of JSON, and behind a preview's the encoded image's bytes. Never pickle."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from modules.link.outbox import Message, Signal, Update
from modules.shared_state import Preview


class FrameError(ValueError):
    """Bytes that are no message, or messages that were lost on the way: the connection cannot be trusted."""


def encode(number: int, message: Message) -> bytes:
    """Return the bytes of the `number`th message on a connection."""
    if isinstance(message, Preview):
        header = {name: value for name, value in asdict(message).items() if name != "data"}
        return _json({"number": number, "preview": header}) + b"\n" + message.data
    if isinstance(message, Signal):
        return _json({"number": number, "signal": message.name, "payload": dict(message.payload)})
    return _json({"number": number, "state": message.state, "topics": message.topics})


def decode(expected_number: int, frame: bytes) -> Message:
    """Return the message in `frame`, which has to be the one that follows on those before.

    Raises:
        FrameError: it is not.
    """
    head, _, data = frame.partition(b"\n")
    try:
        fields = json.loads(head)
        number = fields["number"]
        if "preview" in fields:
            message: Message = Preview(**fields["preview"], data=data)
        elif "signal" in fields:
            message = Signal(fields["signal"], fields["payload"])
        else:
            message = Update(fields["state"], fields["topics"])
    except (ValueError, KeyError, TypeError) as error:
        raise FrameError(f"not a message: {head[:200]!r}") from error
    if number != expected_number:
        raise FrameError(f"message {number} came instead of message {expected_number}")
    return message


def _json(value: dict[str, Any]) -> bytes:
    # A value that JSON does not know goes as its text: it must not end the thread that sends for everyone.
    return json.dumps(value, separators=(",", ":"), default=str).encode()
