"""How a message looks on the wire: a line of JSON, and behind a preview's the encoded image's bytes. Never pickle.

What is of the first engine is not marked, so that it reads as in versions that knew one engine only: a launcher goes on
while newer code is used for its server and engine.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from modules.link.outbox import Message, Signal, Update
from modules.shared_state import FIRST_ENGINE, Preview


class FrameError(ValueError):
    """Bytes that are no message, or messages that were lost on the way: the connection cannot be trusted."""


def encode(number: int, message: Message) -> bytes:
    """Return the bytes of the `number`th message on a connection."""
    if isinstance(message, Preview):
        unsaid = ("data", "engine") if message.engine == FIRST_ENGINE else ("data",)
        header = {name: value for name, value in asdict(message).items() if name not in unsaid}
        return _json({"number": number, "preview": header}) + b"\n" + message.data
    if isinstance(message, Signal):
        return _json({"number": number, "signal": message.name, "payload": dict(message.payload)})
    others = {engine: fields for engine, fields in message.states.items() if engine != FIRST_ENGINE}
    first = message.states.get(FIRST_ENGINE, {})
    return _json({"number": number, "state": first, "topics": message.topics} | ({"engines": others} if others else {}))


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
            states = {FIRST_ENGINE: fields["state"]} if fields["state"] else {}
            message = Update(states | fields.get("engines", {}), fields["topics"])
    except (ValueError, KeyError, TypeError) as error:
        raise FrameError(f"not a message: {head[:200]!r}") from error
    if number != expected_number:
        raise FrameError(f"message {number} came instead of message {expected_number}")
    return message


def _json(value: dict[str, Any]) -> bytes:
    # A value that JSON does not know goes as its text: it must not end the thread that sends for everyone.
    return json.dumps(value, separators=(",", ":"), default=str).encode()
