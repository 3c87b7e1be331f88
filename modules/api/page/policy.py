"""The page's Content-Security-Policy: scripts that the server sends in its HTML run, none that get in later."""

from __future__ import annotations

import base64
import hashlib
import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modules.api.page.kept_page import PAGE

INLINE_SCRIPT = re.compile(rb"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL)
# Gradio makes functions of the text of its listeners ('unsafe-eval') and writes styles. Nothing comes from elsewhere
# nor goes there, and there are no frames nor plug-ins.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' 'unsafe-eval' {hashes}",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "media-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'self'",
        "frame-ancestors 'none'",
    )
)


class PagePolicy:
    """ASGI middleware: names in the policy of the page the hash of each script that stands in it.

    So it has to be read, uncompressed, before it is sent. `head` is what Gradio puts into the page's head from its
    configuration.
    """

    def __init__(self, app: ASGIApp, head: str = "") -> None:
        self.app = app
        self.head = head.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PAGE:
            await self.app(scope, receive, send)
            return
        start: Message = {}
        body = bytearray()

        async def gathered(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            body.extend(message.get("body", b""))
            if not message.get("more_body", False):
                headers = [*start["headers"], (b"content-security-policy", policy_of(self.head + body).encode())]
                await send({**start, "headers": headers})
                await send({"type": "http.response.body", "body": bytes(body)})

        await self.app(scope, receive, gathered)


def policy_of(page: bytes) -> str:
    """Return the policy for this HTML."""
    found = (hashlib.sha256(script).digest() for script in INLINE_SCRIPT.findall(page))
    hashes = (f"'sha256-{base64.b64encode(digest).decode()}'" for digest in found)
    return POLICY.format(hashes=" ".join(hashes)).replace("  ", " ")
