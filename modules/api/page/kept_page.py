"""The page is made once for each address that it is asked for under, and kept."""

from __future__ import annotations

import gzip
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PAGE = "/"
MOST_ADDRESSES = 8
COMPRESSION = 6
# By which Gradio, too, learns its address.
NAMES_ANOTHER_ADDRESS = "x-gradio-server"


@dataclass(frozen=True)
class Answer:
    """A whole answer, as it is and compressed; `headers` are without the length."""

    status: int
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes
    compressed: bytes

    async def send_to(self, scope: Scope, send: Send) -> None:
        """Send the form that the client takes."""
        takes_gzip = "gzip" in Headers(scope=scope).get("accept-encoding", "")
        body = self.compressed if takes_gzip else self.body
        headers = [*self.headers, (b"vary", b"Accept-Encoding"), (b"content-length", b"%d" % len(body))]
        if takes_gzip:
            headers.append((b"content-encoding", b"gzip"))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


class KeptPage:
    """ASGI middleware in front of what makes the page.

    Gradio makes it anew for everybody who asks, from all its components: ten milliseconds of a core. It says the same
    to all who ask under the same address, as long as the process lives.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._kept: OrderedDict[tuple[str, str], Answer] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PAGE:
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        usual = scope["method"] == "GET" and not scope["query_string"] and NAMES_ANOTHER_ADDRESS not in headers
        address = (scope["scheme"], headers.get("host", ""))
        answer = self._kept.get(address) if usual else None
        if answer is None:
            answer = await self._make(scope, receive)
            if usual and answer.status == 200:
                self._keep(address, answer)
        await answer.send_to(scope, send)

    async def _make(self, scope: Scope, receive: Receive) -> Answer:
        plain = [one for one in scope["headers"] if one[0] != b"accept-encoding"]
        start: Message = {}
        body = bytearray()

        async def gather(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                body.extend(message.get("body", b""))

        await self.app({**scope, "headers": plain}, receive, gather)
        headers = [one for one in start["headers"] if one[0] != b"content-length"]
        return Answer(start["status"], headers, bytes(body), gzip.compress(body, COMPRESSION, mtime=0))

    def _keep(self, address: tuple[str, str], answer: Answer) -> None:
        self._kept[address] = answer
        if len(self._kept) > MOST_ADDRESSES:
            self._kept.popitem(last=False)
