"""What a browser may send to the page's listeners: plain values, and nothing that Gradio would make something of.

Whatever looks like a file of Gradio's in a value, Gradio fetches or copies before it calls a listener, whatever the
component: addresses of other machines, any file of this one, `/dev/zero` for ever. The page sends no such thing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeGuard

import orjson
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modules.api.answers import error_answer, read_object
from modules.errors import InvalidRequest

PASSED_ON = ("fn_index", "trigger_id", "session_hash")
MOST_VALUES = 500
LONGEST_SESSION = 100
PLAIN = (str, int, float, type(None))


class PageValues:
    """ASGI middleware in front of Gradio's `run/predict`: reads what is sent, and hands on what it has understood.

    `listeners` says how many values each listener of this server takes; None: nobody knows.
    """

    def __init__(self, app: ASGIApp, listeners: Mapping[int, int] | None = None) -> None:
        self.app = app
        self.listeners = listeners

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            call = call_in(await read_object(Request(scope, receive)))
            self._check_listener(call)
        except InvalidRequest as error:
            await error_answer(422, "InvalidRequest", str(error))(scope, receive, send)
            return
        body = orjson.dumps(dataclasses.asdict(call))
        kept = [one for one in scope["headers"] if one[0] not in (b"content-length", b"content-type")]
        headers = [*kept, (b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        handed_on = False

        async def understood() -> Message:
            nonlocal handed_on
            if handed_on:
                return await receive()
            handed_on = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app({**scope, "headers": headers}, understood, send)

    def _check_listener(self, call: Call) -> None:
        if self.listeners is not None and self.listeners.get(call.fn_index) != len(call.data):
            raise InvalidRequest(
                f"There is no listener {call.fn_index} that takes {len(call.data)} values: load the page again, "
                "and send what it sends."
            )


@dataclasses.dataclass(frozen=True)
class Call:
    """A listener that is to be called, by its number, and with which values."""

    fn_index: int
    data: list[Any]
    trigger_id: int | None = None
    session_hash: str | None = None


def call_in(sent: dict[str, Any]) -> Call:
    """Return what is asked for.

    Raises:
        InvalidRequest: the page would not ask for it so.
    """
    listener, trigger, session = (sent.get(name) for name in PASSED_ON)
    values = sent.get("data")
    if not _is_number(listener) or not (trigger is None or _is_number(trigger)):
        raise InvalidRequest("fn_index is the number of a listener, and trigger_id one or null: send whole numbers.")
    if not (session is None or (isinstance(session, str) and len(session) <= LONGEST_SESSION)):
        raise InvalidRequest(f"session_hash is none: send a text of at most {LONGEST_SESSION} characters, or null.")
    if not isinstance(values, list) or len(values) > MOST_VALUES or not all(_is_plain(one) for one in values):
        raise InvalidRequest(
            f"data is a list of at most {MOST_VALUES} texts, numbers, true, false or null, or lists of these: send no "
            "objects, and no files."
        )
    return Call(listener, values, trigger, session)


def _is_number(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 31


def _is_plain(value: object) -> bool:
    """Gradio looks for files at any depth, so a list holds no list either."""
    return isinstance(value, PLAIN) or (isinstance(value, list) and all(isinstance(one, PLAIN) for one in value))
