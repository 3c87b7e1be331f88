"""Quick routes leave out what FastAPI does, and nothing of what guests are refused or errors look like."""

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from modules.api.answers import install_error_answers, json_answer, read_object
from modules.api.auth.guests import guest_rule
from modules.api.auth.quick_routes import QuickRoute, QuickRoutes
from modules.api.page.assets import Assets
from modules.api.rest import build_rest
from modules.api.server.security_headers import SecurityHeaders
from modules.api.services import Services
from modules.jobs.visitor import SCOPE_KEY, Visitor

NEAR, FAR = Visitor("127.0.0.1", True), Visitor("10.0.0.3", False)


def client(services: Services, visitor: Visitor, quick: bool = True) -> httpx.AsyncClient:
    """Return a client of an application with one quick route; it is called by FastAPI where `quick` is not."""
    rule = guest_rule(services)
    router = APIRouter(route_class=QuickRoute, dependencies=[Depends(rule)])

    @router.post("/secret")
    async def secret(request: Request) -> Response:
        """Tell."""
        sent = await read_object(request)
        if sent.get("fails"):
            raise RuntimeError("unexpected")
        return json_answer({"secret": "told", "by": "FastAPI" if "fastapi_inner_astack" in request.scope else "us"})

    app = FastAPI()
    install_error_answers(app)
    app.include_router(router)
    app.state.quick_routes = router.routes if quick else ()
    served = SecurityHeaders(QuickRoutes(app, rule))

    async def visited(scope: Scope, receive: Receive, send: Send) -> None:
        scope[SCOPE_KEY] = visitor
        await served(scope, receive, send)

    transport = httpx.ASGITransport(visited, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://test")


async def test_they_are_called_before_fastapi(services: Services) -> None:
    async with client(services, NEAR) as http:
        assert (await http.post("/secret", content="{}")).json() == {"secret": "told", "by": "us"}
    async with client(services, NEAR, quick=False) as http:
        assert (await http.post("/secret", content="{}")).json() == {"secret": "told", "by": "FastAPI"}


@pytest.mark.parametrize(
    ("visitor", "method", "sent", "status"),
    [
        (FAR, "POST", "{}", 403),
        (NEAR, "POST", "{", 422),
        (NEAR, "POST", "[]", 422),
        (NEAR, "POST", '{"fails": true}', 500),
        (NEAR, "GET", None, 405),
        (NEAR, "POST", "[" * 100 + "]" * 100, 422),
    ],
)
async def test_what_is_refused_is_refused_as_by_fastapi(
    services: Services, visitor: Visitor, method: str, sent: str | None, status: int
) -> None:
    answers = []
    for quick in (True, False):
        async with client(services, visitor, quick) as http:
            answers.append(await http.request(method, "/secret", content=sent))
    assert [answer.status_code for answer in answers] == [status, status]
    assert answers[0].json() == answers[1].json()
    assert answers[0].headers.get("allow") == answers[1].headers.get("allow")
    assert "told" not in answers[0].text


def test_what_is_asked_several_times_a_second_is_among_them(services: Services) -> None:
    quick = {route.path for route in build_rest(services, Assets({}, "")).state.quick_routes}
    stops = {f"/sdapi/v1/{name}" for name in ("interrupt", "skip", "stop-generating")}
    assert quick == stops | {"/sdapi/v1/progress", "/internal/progress", "/internal/pending-tasks", "/internal/ping"}
