"""Of Gradio's routes there are those that the page uses, and no others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import gradio
import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from modules.api.application import assemble
from modules.api.auth.authentication import Authentication
from modules.api.page.assets import Assets
from modules.api.page.gradio_routes import PageRoutes
from modules.api.services import Services
from tests.api.conftest import HOST

USED = {
    ("GET", "/"),
    ("GET", "/config"),
    ("GET", "/theme.css"),
    ("GET", "/favicon.ico"),
    ("GET", "/gradio_api/app_id"),
    ("GET", "/assets/path"),
    ("GET", "/static/path"),
    ("POST", "/gradio_api/run/predict"),
}


def all_routes(routes: Iterable[object]) -> Iterator[APIRoute]:
    """Yield the routes of an application, those of included routers too."""
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        elif included := getattr(route, "original_router", None):
            yield from all_routes(included.routes)


def asked(path: str) -> str:
    """Return a path with something in the place of each of its names."""
    return re.sub(r"\{(\w+)[^}]*\}", r"\1", path.replace("{api_name}", "predict"))


@pytest.fixture
async def gradio_app() -> FastAPI:
    with gradio.Blocks(analytics_enabled=False) as blocks:
        gradio.Textbox("a")
    page = FastAPI()
    gradio.mount_gradio_app(page, blocks, path="/")
    (mounted,) = [route.app for route in page.routes if getattr(route, "path", None) == ""]  # type: ignore[attr-defined]
    assert isinstance(mounted, FastAPI)
    return mounted


async def test_each_route_of_gradio_that_the_page_does_not_use_is_closed(gradio_app: FastAPI) -> None:
    """All that this version of Gradio has, asked one by one: a newer one's routes are closed until they are named."""
    reached: list[tuple[str, str]] = []

    async def gradios(scope: Scope, receive: Receive, send: Send) -> None:
        reached.append((scope["method"], scope["path"]))
        raise ConnectionAbortedError

    routes = list(all_routes(gradio_app.routes))
    assert len(routes) > 60
    transport = httpx.ASGITransport(app=PageRoutes(gradios))
    async with httpx.AsyncClient(transport=transport, base_url=HOST) as http:
        for path, method in {(asked(route.path), method) for route in routes for method in route.methods or ()}:
            if ("GET" if method == "HEAD" else method, path) in USED:
                with pytest.raises(ConnectionAbortedError):
                    await http.request(method, path, json={"fn_index": 0, "data": []})
            else:
                assert (await http.request(method, path)).status_code == 404, (method, path)
    assert ("POST", "/gradio_api/run/predict") in reached
    assert not [path for _, path in reached if "upload" in path or "reload" in path]


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/upload",
        "/gradio_api/upload/",
        "//gradio_api/upload",
        "/gradio_api/%75pload",
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/proxy=http://127.0.0.1:1/",
        "/gradio_api/dev/reload",
        "/gradio_api/queue/join",
        "/gradio_api/run/predict/../../upload",
        "/assets/../gradio_api/upload\n",
    ],
)
async def test_the_application_keeps_them_closed(services: Services, path: str) -> None:
    async def everything(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("reached")(scope, receive, send)

    application = assemble(services, everything, Assets({}, ""), Authentication({}, services.folder.auth))
    transport = httpx.ASGITransport(app=application)
    async with httpx.AsyncClient(transport=transport, base_url=HOST) as http:
        assert (await http.get("/config")).text == "reached"
        for method in ("GET", "POST", "PUT", "HEAD"):
            assert (await http.request(method, httpx.URL(HOST, raw_path=path.strip().encode()))).status_code == 404
