"""Nobody passes for another by a header; a proxy that is named is believed, and only about its own client."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from modules.api.server.true_client import Proxies, TrueClient
from modules.api.services import Services
from modules.cmd_args import parse
from modules.jobs.visitor import stranger


async def seen(peer: str, headers: dict[str, str], *proxies: str, kind: str = "http") -> Scope:
    """Return the scope that reaches the application."""
    reached: list[Scope] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        reached.append(scope)

    async def nothing(*message: Any) -> Any:
        raise AssertionError

    scope: Scope = {
        "type": kind,
        "scheme": "http" if kind == "http" else "ws",
        "client": (peer, 5000),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    await TrueClient(application, Proxies(proxies))(scope, nothing, nothing)
    return reached[0]


async def test_who_asks_directly_is_who_he_is() -> None:
    assert stranger(await seen("127.0.0.1", {})).near
    assert stranger(await seen("::1", {})).near
    assert not stranger(await seen("192.168.1.5", {})).near
    assert not stranger({"type": "http", "client": None}).near


@pytest.mark.parametrize("peer", ["127.0.0.1", "192.168.1.5"])
@pytest.mark.parametrize(
    "header", ["x-forwarded-for", "x-real-ip", "forwarded", "via", "x-forwarded-host", "x-forwarded-proto"]
)
async def test_without_a_named_proxy_no_header_is_believed_and_none_is_taken_for_this_machine(
    peer: str, header: str
) -> None:
    scope = await seen(peer, {header: "127.0.0.1", "x-other": "kept"})
    client = stranger(scope)
    assert (client.address, client.near) == (f"proxy {peer}", False)
    assert scope["headers"] == [(b"x-other", b"kept")]
    assert scope["scheme"] == "http"


@pytest.mark.parametrize(
    ("forwarded", "address", "local"),
    [
        ("192.168.1.5", "192.168.1.5", False),
        ("127.0.0.1", "proxy 10.0.0.9", False),
        ("::1", "proxy 10.0.0.9", False),
        ("::1%25evil", "proxy 10.0.0.9", False),
        ("::ffff:127.0.0.1", "proxy 10.0.0.9", False),
        ("127.0.0.1, 192.168.1.5", "192.168.1.5", False),
        ("6.6.6.6, 192.168.1.5, 10.0.0.7", "192.168.1.5", False),
        ("<script>", "proxy 10.0.0.9", False),
        ("6.6.6.6, anything", "proxy 10.0.0.9", False),
        ("", "proxy 10.0.0.9", False),
        ("2001:db8::7", "2001:db8::7", False),
    ],
)
async def test_a_named_proxy_is_believed_about_the_one_before_it(forwarded: str, address: str, local: bool) -> None:
    scope = await seen("10.0.0.9", {"x-forwarded-for": forwarded}, "10.0.0.0/24")
    client = stranger(scope)
    assert (client.address, client.near) == (address, local)


async def test_a_proxy_on_this_machine_may_say_that_this_machine_asks() -> None:
    for here in ("127.0.0.1", "::1"):
        assert stranger(await seen("127.0.0.1", {"x-forwarded-for": here}, "127.0.0.1")).near
    assert not stranger(await seen("127.0.0.1", {"x-forwarded-for": "127.0.0.1, 6.6.6.6"}, "127.0.0.1")).near


async def test_a_named_proxy_says_the_scheme_and_never_the_host() -> None:
    headers = {"x-forwarded-for": "1.2.3.4", "x-forwarded-proto": "https", "x-forwarded-host": "evil.example"}
    scope = await seen("127.0.0.1", {**headers, "host": "localhost"}, "127.0.0.1")
    assert (scope["scheme"], scope["headers"]) == ("https", [(b"host", b"localhost")])
    assert (await seen("127.0.0.1", headers, "127.0.0.1", kind="websocket"))["scheme"] == "wss"
    assert (await seen("127.0.0.1", headers | {"x-forwarded-proto": "gopher"}, "127.0.0.1"))["scheme"] == "http"


def test_the_flag_takes_addresses_and_networks_and_no_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert parse([]).trusted_proxies == ()
    assert parse(["--trusted-proxies", "127.0.0.1, 10.1.2.3/24"]).trusted_proxies == ("127.0.0.1/32", "10.1.2.0/24")
    with pytest.raises(SystemExit):
        parse(["--trusted-proxies", "proxy.example"])
    assert "addresses or networks" in capsys.readouterr().err


async def test_the_server_believes_no_process_of_this_machine_about_who_asks(port: int, services: Services) -> None:
    """uvicorn would: it takes the header from 127.0.0.1 unless it is told not to."""
    headers = {"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Host": "evil.example", "X-Steady-Owner": "a" * 24}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as http:
        answer = await http.post("/sdapi/v1/jobs", json={"kind": "txt2img", "request": {}}, headers=headers)
        assert answer.status_code == 200
        await http.post(f"/sdapi/v1/jobs/{answer.json()['id']}/interrupt", headers=headers)
    entries = services.store.audit.rows(limit=10)
    assert entries
    assert {entry.address for entry in entries} == {"proxy 127.0.0.1"}
