"""Every answer, an error and a refusal too, tells browsers not to frame, embed, sniff or keep it."""

from __future__ import annotations

import httpx
import pytest
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from modules.api.server.security_headers import SecurityHeaders, with_headers
from tests.api.conftest import FakeEngine

EXPECTED = {
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


def check(headers: httpx.Headers) -> None:
    assert {name: headers.get(name) for name in EXPECTED} == EXPECTED
    policy = headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "default-src 'none'" in policy
    assert len(headers.get_list("cache-control")) == 1


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/docs", 200),
        ("GET", "/openapi.json", 200),
        ("GET", "/sdapi/v1/jobs", 200),
        ("GET", "/internal/ping", 200),
        ("GET", "/steady/assets/nothing.js", 404),
        ("GET", "/gradio_api/upload", 404),
        ("GET", "/nowhere", 404),
        ("PUT", "/sdapi/v1/options", 405),
        ("POST", "/sdapi/v1/txt2img", 422),
    ],
)
async def test_answers_and_errors_have_them(client: httpx.AsyncClient, method: str, path: str, status: int) -> None:
    answer = await client.request(method, path)
    assert answer.status_code == status
    check(answer.headers)


async def test_refusals_have_them(client: httpx.AsyncClient) -> None:
    for answer in (
        await client.get("/", headers={"host": "evil.example"}),
        await client.post("/sdapi/v1/interrupt", headers={"origin": "http://evil.example"}),
        await client.post("/internal/progress", content=b"x" * (2 << 20)),
    ):
        assert answer.status_code in (403, 413)
        check(answer.headers)


async def test_json_with_prompts_is_kept_nowhere_and_a_picture_only_by_its_own_browser(
    client: httpx.AsyncClient, engine: FakeEngine
) -> None:
    await client.post("/sdapi/v1/txt2img", json={"prompt": "a secret", "force_task_id": "mine", "width": 64})
    for path in ("/sdapi/v1/jobs", "/sdapi/v1/jobs/mine", "/sdapi/v1/options", "/sdapi/v1/audit"):
        assert (await client.get(path)).headers["cache-control"] == "no-store"
    picture = await client.get("/sdapi/v1/jobs/mine/images/0.png")
    assert picture.headers["cache-control"].startswith("private")
    check(picture.headers)


def test_the_login_page_may_use_what_it_needs() -> None:
    policy = dict(with_headers("/login", []))[b"content-security-policy"].decode()
    for part in (
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors",
    ):
        assert part in policy
    assert "unsafe" not in policy


def test_websockets_that_are_refused_have_them(application: ASGIApp) -> None:
    client = TestClient(application, base_url="http://127.0.0.1:7860")
    for path, headers in (("/steady/live", {"origin": "http://evil.example"}), ("/gradio_api/x", {}), ("/sdapi/x", {})):
        with (
            pytest.raises(WebSocketDenialResponse) as refusal,
            client.websocket_connect(path, headers={"host": "127.0.0.1:7860", **headers}),
        ):
            pass
        assert refusal.value.status_code == 403
        check(httpx.Headers(refusal.value.headers.raw))


def test_a_mistake_of_the_server_has_them() -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("a secret of the server")

    client = TestClient(SecurityHeaders(broken), raise_server_exceptions=False)
    answer = client.get("/sdapi/v1/jobs")
    assert answer.status_code == 500
    check(httpx.Headers(answer.headers.raw))
    assert "secret" not in answer.text
