"""Nobody gets past here unknown, where passwords are set: page, REST, WebSocket, events, pictures, all of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote

from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from modules.api.answers import error_answer, json_answer
from modules.api.auth.authentication import Authentication, TooManyAttempts
from modules.api.auth.client import basic_credentials
from modules.api.auth.login_page import ASSETS, login_page, path_here
from modules.api.auth.revocation import until_revoked
from modules.api.auth.sessions import SECONDS_KEPT
from modules.api.server.guard import answer_or_close, split_host
from modules.api.server.warm_up import REHEARSAL
from modules.jobs.visitor import SCOPE_KEY, Visitor, stranger

LOGIN, LOGOUT = "/login", "/logout"
MOST_FORM_BYTES = 16 * 1024
WRONG = "Incorrect username or password"


@dataclass(frozen=True)
class Shown:
    """Whose proof a request shows, and whether it still holds."""

    user: str
    holds: Callable[[], bool] = lambda: True


class Gate:
    """ASGI middleware: finds out who asks, and lets nobody else in if passwords are set.

    Programs show a password (Basic) or a token (Bearer), browsers the cookie that they got for a password. `colours`
    returns the setting for the login page.
    """

    def __init__(self, app: ASGIApp, auth: Authentication, colours: Callable[[], str] = lambda: "auto") -> None:
        self.app, self.auth, self.colours = app, auth, colours

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or REHEARSAL in scope:
            await self.app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        if scope["type"] == "http" and scope["path"] in (LOGIN, LOGOUT):
            await (await self._door(Request(scope, receive)))(scope, receive, send)
            return
        unknown = stranger(scope)
        try:
            shown = await self._shown(connection, unknown)
        except TooManyAttempts as refusal:
            seconds = {"Retry-After": str(math.ceil(refusal.seconds))}
            await answer_or_close(error_answer(429, "TooManyAttempts", str(refusal), headers=seconds), scope, send)
            return
        if shown is not None:
            scope[SCOPE_KEY] = Visitor(unknown.address, unknown.near, shown.user)
            await self.app(scope, receive, until_revoked(shown.holds, send))
        elif self.auth.needed and not _is_open(scope):
            await answer_or_close(_ask_for_proof(connection), scope, send)
        else:
            scope[SCOPE_KEY] = unknown
            await self.app(scope, receive, send)

    async def _shown(self, connection: HTTPConnection, unknown: Visitor) -> Shown | None:
        """Return what a request shows of who sends it; None: nothing that holds.

        Raises:
            TooManyAttempts: this password cannot be looked at now.
        """
        if self.auth.needed and (user := self._session_user(connection)):
            return Shown(user, lambda: self._session_user(connection) is not None)
        authorization = connection.headers.get("authorization", "")
        scheme, _, secret = authorization.partition(" ")
        if scheme.lower() == "bearer":
            name = self.auth.tokens.name_of(secret.strip())
            return None if name is None else Shown(name, lambda: self.auth.tokens.name_of(secret.strip()) is not None)
        basic = basic_credentials(authorization)
        if not self.auth.needed or basic is None:
            return None
        right = await self.auth.password(*basic, unknown.address, near=unknown.near)
        return Shown(basic[0]) if right else None

    def _session_user(self, connection: HTTPConnection) -> str | None:
        session = connection.cookies.get(cookie_name(connection))
        return self.auth.sessions.user_of(session) if session else None

    async def _door(self, request: Request) -> Response:
        if request.url.path == LOGOUT:
            return self._log_out(request)
        wanted = path_here(request.query_params.get("next", "/"))
        if not self.auth.needed:
            return RedirectResponse("/", 303)
        if request.method == "POST":
            return await self._log_in(request)
        if request.method not in ("GET", "HEAD"):
            return error_answer(405, "HTTPException", "Method Not Allowed", headers={"Allow": "GET, HEAD, POST"})
        if "application/json" in request.headers.get("accept", ""):
            return json_answer({"user": self._session_user(request)}, headers={"Cache-Control": "no-store"})
        return login_page(colours=self.colours(), next_path=wanted)

    async def _log_in(self, request: Request) -> Response:
        form = await _read_form(request)
        user, wanted = form.get("username", ""), path_here(form.get("next", "/"))
        unknown = stranger(request.scope)
        try:
            right = await self.auth.password(user, form.get("password", ""), unknown.address, near=unknown.near)
        except TooManyAttempts as refusal:
            seconds = math.ceil(refusal.seconds)
            return login_page(
                colours=self.colours(), next_path=wanted, status=429, user=user, problem=str(refusal),
                retry_after=seconds,
            )  # fmt: skip
        if not right:
            problem = f"{WRONG}."
            return login_page(colours=self.colours(), next_path=wanted, status=401, user=user, problem=problem)
        answer = RedirectResponse(wanted, 303, {"Cache-Control": "no-store"})
        _set_cookie(answer, request, self.auth.sessions.begin(user), SECONDS_KEPT)
        return answer

    def _log_out(self, request: Request) -> Response:
        if request.method != "POST":
            return error_answer(405, "HTTPException", "Method Not Allowed", headers={"Allow": "POST"})
        session = request.cookies.get(cookie_name(request))
        if session:
            self.auth.sessions.end(session)
        answer = RedirectResponse(LOGIN, 303, {"Cache-Control": "no-store"})
        _set_cookie(answer, request, "", 0)
        return answer


def cookie_name(connection: HTTPConnection) -> str:
    """Return the name of the session's cookie. Cookies know no ports, and two programs on a machine are two."""
    _, port = split_host(connection.headers.get("host", ""))
    return f"steady_session_{port or 'default'}"


def _set_cookie(answer: Response, request: Request, value: str, seconds: int) -> None:
    answer.set_cookie(
        cookie_name(request), value, max_age=seconds, path="/", httponly=True, samesite="strict",
        secure=request.url.scheme == "https",
    )  # fmt: skip


def _is_open(scope: Scope) -> bool:
    return scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and scope["path"] in ASSETS


def _ask_for_proof(connection: HTTPConnection) -> Response:
    """Send a person to the login page; tell a program how to prove who it is."""
    scope, headers = connection.scope, connection.headers
    navigates = headers.get("sec-fetch-mode", "navigate") == "navigate" and "text/html" in headers.get("accept", "")
    if scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and navigates:
        query = scope.get("query_string", b"").decode("latin-1")
        wanted = path_here(scope["path"] + (f"?{query}" if query else ""))
        address = LOGIN if wanted == "/" else f"{LOGIN}?next={quote(wanted)}"
        return RedirectResponse(address, 303, {"Cache-Control": "no-store"})
    # A browser would ask with a window of its own, for a script's request too.
    is_browser = "sec-fetch-site" in headers
    challenge = {} if is_browser else {"WWW-Authenticate": 'Basic realm="Steady Diffusion", charset="UTF-8"'}
    return error_answer(401, "Unauthorized", WRONG, headers={**challenge, "Cache-Control": "no-store"})


async def _read_form(request: Request) -> dict[str, str]:
    """Return the fields of a form; none of one that is too large, or has more of them than ours."""
    raw = bytearray()
    async for part in request.stream():
        raw += part
        if len(raw) > MOST_FORM_BYTES:
            return {}
    try:
        return dict(parse_qsl(raw.decode(errors="replace"), max_num_fields=10))
    except ValueError:
        return {}
