"""What every answer tells a browser: nobody may frame it, embed it, guess its type, or keep what is private."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modules.api.answers import error_answer

# The page brings its own policy with it: page_policy.py.
OF_ALL_ELSE = (
    "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
OF_THE_LOGIN = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; manifest-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
POLICIES = {"/login": OF_THE_LOGIN}
FIXED = (
    (b"x-frame-options", b"DENY"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
PAGE = "/"
KEPT_BY_BROWSERS = ("/assets/", "/static/", "/theme.css", "/favicon.ico")
STARTS = ("http.response.start", "websocket.http.response.start")


class SecurityHeaders:
    """ASGI middleware. What an answer says of itself already stays; an error that nobody caught is answered here."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        begun = False

        async def secured(message: Message) -> None:
            nonlocal begun
            if message["type"] in STARTS:
                headers = with_headers(scope["path"], list(message.get("headers", ())))
                message = {**message, "headers": headers}
            elif message["type"] == "websocket.close" and not begun and "websocket.http.response" in extensions(scope):
                await _refuse_websocket(message.get("reason") or "refused", secured)
                return
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, secured)
        except Exception as error:
            if not begun and scope["type"] == "http":
                await error_answer(500, type(error).__name__, "", "The server made a mistake, which its log tells.")(
                    scope, receive, secured
                )
            raise


def extensions(scope: Scope) -> dict[str, object]:
    """Return what the server can do beyond the least."""
    found: dict[str, object] = scope.get("extensions") or {}
    return found


def with_headers(path: str, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return an answer's headers with all that it does not say of itself."""
    said = {name.lower() for name, _ in headers}
    wanted = [*FIXED, (b"content-security-policy", POLICIES.get(path, OF_ALL_ELSE).encode())]
    if not path.startswith(KEPT_BY_BROWSERS):
        wanted.append((b"cache-control", b"private, no-cache" if path == PAGE else b"no-store"))
    return headers + [(name, value) for name, value in wanted if name not in said]


async def _refuse_websocket(reason: str, send: Send) -> None:
    """Say 403 in an answer of ours: the server's own would carry none of the headers."""
    answer = error_answer(403, "Forbidden", reason)
    await send({"type": "websocket.http.response.start", "status": 403, "headers": answer.raw_headers})
    await send({"type": "websocket.http.response.body", "body": bytes(answer.body)})
