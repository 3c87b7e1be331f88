"""What was begun with a session or token ends with it: a live stream is not for ever because it was once allowed."""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import Message, Send
from starlette.websockets import WebSocketDisconnect

POLICY_VIOLATION = 1008


def until_revoked(holds: Callable[[], bool], send: Send) -> Send:
    """Return a `send` that tells no more of a stream once `holds()` is False, and closes it."""
    over = False

    async def tell(message: Message) -> None:
        nonlocal over
        if over:
            return
        kind = message["type"]
        goes_on = kind == "websocket.send" or (kind == "http.response.body" and message.get("more_body", False))
        if not goes_on or holds():
            await send(message)
            return
        over = True
        if kind == "websocket.send":
            await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": "logged out"})
            raise WebSocketDisconnect(POLICY_VIOLATION)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    return tell
