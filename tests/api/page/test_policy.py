"""The page's policy names the scripts that stand in it, and lets nothing in from elsewhere."""

from __future__ import annotations

import base64
import hashlib

import httpx
from starlette.responses import HTMLResponse
from starlette.types import Receive, Scope, Send

from modules.api.page.kept_page import KeptPage
from modules.api.page.policy import PagePolicy, policy_of
from tests.api.conftest import HOST

HEAD = '<link rel="icon" href="/a.svg"><script>\nconst colours = "dark";\n</script><script src="/app.js"></script>'
PAGE = f"<!doctype html><script data-mode>let a = 1;</script><script\n src='/b.js'>ignored</script>{'x' * 5000}<p>ü</p>"


def hash_of(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


async def page(scope: Scope, receive: Receive, send: Send) -> None:
    await HTMLResponse(PAGE)(scope, receive, send)


async def test_the_scripts_of_the_page_and_of_its_head_are_named_and_no_others() -> None:
    transport = httpx.ASGITransport(app=KeptPage(PagePolicy(page, HEAD)))
    async with httpx.AsyncClient(transport=transport, base_url=HOST) as http:
        answer = await http.get("/")
        plain = await http.get("/", headers={"accept-encoding": "identity"})
        other = await http.get("/config")
    assert answer.text == plain.text == PAGE
    assert (answer.headers["content-encoding"], plain.headers.get("content-encoding")) == ("gzip", None)
    policy = answer.headers["content-security-policy"]
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
    named = {hash_of('\nconst colours = "dark";\n'), hash_of("let a = 1;")}
    assert set(scripts.split()) == {"script-src", "'self'", "'unsafe-eval'", *named}
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "content-security-policy" not in other.headers


def test_a_page_without_scripts_lets_none_in() -> None:
    assert "script-src 'self' 'unsafe-eval';" in policy_of(b"<p>nothing</p>").replace(" ;", ";")
