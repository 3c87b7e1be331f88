"""Quick routes leave out what FastAPI does for arguments, and nothing of what guests are refused."""

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from modules.api.answers import install_error_answers, json_answer
from modules.api.auth.quick_route import quick_route
from modules.api.services import Services
from modules.jobs.visitor import SCOPE_KEY, Visitor


@pytest.mark.parametrize(("address", "near", "status"), [("127.0.0.1", True, 200), ("10.0.0.3", False, 403)])
async def test_a_guest_is_refused_what_is_not_named(services: Services, address: str, near: bool, status: int) -> None:
    router = APIRouter(route_class=quick_route(services))

    @router.get("/secret")
    async def secret(request: Request) -> Response:
        """Tell."""
        return json_answer({"secret": "told"})

    app = FastAPI()
    install_error_answers(app)
    app.include_router(router)

    async def visited(scope: Scope, receive: Receive, send: Send) -> None:
        scope[SCOPE_KEY] = Visitor(address, near)
        await app(scope, receive, send)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(visited), base_url="http://test") as http:
        answer = await http.get("/secret")
    assert answer.status_code == status
    assert ("told" in answer.text) is (status == 200)
