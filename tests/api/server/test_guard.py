"""Other web sites are kept out, and nobody else is."""

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.types import Receive, Scope, Send

from modules.api.server.guard import Guard, own_names, same_site, split_host


async def welcoming(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": 1000})
    else:
        await PlainTextResponse("welcome")(scope, receive, send)


def status(method: str, headers: dict[str, str], *, listen: bool = False) -> int:
    client = TestClient(Guard(welcoming, listen=listen), base_url="http://127.0.0.1:7860")
    return client.request(method, "/", headers=headers).status_code


@pytest.mark.parametrize(
    "host", ["localhost:7860", "127.0.0.1:7860", "127.8.9.1", "[::1]:7860", "LOCALHOST", "localhost.:80"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_names_of_this_machine_for_itself_are_ours(host: str, method: str) -> None:
    assert status(method, {"host": host}) == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:7860",
        "192.168.1.5:7860",
        "localhost.evil.example",
        "127.0.0.1.nip.io",
        "a@localhost",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_another_host_is_refused_also_for_reading(host: str, method: str) -> None:
    assert status(method, {"host": host}) == 403


@pytest.mark.parametrize("host", ["192.168.1.5:7860", "[fe80::1]:7860", "10.0.0.2", f"{sorted(own_names())[0]}:7860"])
def test_with_listen_addresses_and_own_names_are_ours(host: str) -> None:
    assert status("POST", {"host": host}, listen=True) == 200


def test_with_listen_a_foreign_name_is_still_refused() -> None:
    assert status("GET", {"host": "evil.example"}, listen=True) == 403


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:3000", "http://localhost:7860", ""]
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_foreign_origin_may_not_write(origin: str, method: str) -> None:
    assert status(method, {"host": "127.0.0.1:7860", "origin": origin}) == 403


def test_a_foreign_origin_may_ask_and_gets_no_leave_to_read() -> None:
    client = TestClient(Guard(welcoming), base_url="http://127.0.0.1:7860")
    answer = client.get("/", headers={"origin": "http://evil.example"})
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_the_own_page_and_programs_may_write() -> None:
    assert status("POST", {"host": "127.0.0.1:7860", "origin": "http://127.0.0.1:7860"}) == 200
    assert status("POST", {"host": "127.0.0.1:7860"}) == 200


def test_a_browser_that_hides_the_origin_still_says_that_the_page_is_another_site() -> None:
    assert status("POST", {"host": "127.0.0.1:7860", "sec-fetch-site": "cross-site"}) == 403
    assert status("POST", {"host": "127.0.0.1:7860", "sec-fetch-site": "none"}) == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize(
    ("mode", "destination", "expected"),
    [
        ("no-cors", "image", 403),
        ("no-cors", "script", 403),
        ("no-cors", "empty", 403),
        ("cors", "empty", 403),
        ("navigate", "iframe", 403),
        ("navigate", "embed", 403),
        ("navigate", "document", 200),
    ],
)
def test_a_foreign_page_may_link_here_and_embed_nothing(site: str, mode: str, destination: str, expected: int) -> None:
    headers = {"sec-fetch-site": site, "sec-fetch-mode": mode, "sec-fetch-dest": destination}
    for method in ("GET", "HEAD"):
        assert status(method, {"host": "127.0.0.1:7860", **headers}) == expected
    assert status("GET", {"host": "127.0.0.1:7860", **headers, "sec-fetch-site": "same-origin"}) == 200


def test_a_refusal_says_what_to_do() -> None:
    client = TestClient(Guard(welcoming), base_url="http://evil.example")
    answer = client.post("/").json()
    assert answer["error"] == "Forbidden"
    assert "evil.example" in answer["detail"]
    assert "--listen" in answer["detail"]


def test_a_websocket_of_a_foreign_page_is_refused_before_its_handshake() -> None:
    client = TestClient(Guard(welcoming), base_url="http://127.0.0.1:7860")
    ours = {"host": "127.0.0.1:7860"}
    with client.websocket_connect("/", headers={**ours, "origin": "http://127.0.0.1:7860"}):
        pass
    with (
        pytest.raises(WebSocketDenialResponse) as refusal,
        client.websocket_connect("/", headers={**ours, "origin": "http://evil.example"}),
    ):
        pass
    assert refusal.value.status_code == 403


@pytest.mark.parametrize(
    ("origin", "host", "same"),
    [
        ("http://localhost:7860", "localhost:7860", True),
        ("https://draw.example", "draw.example", True),
        ("https://draw.example", "draw.example:443", True),
        ("http://draw.example", "draw.example:81", False),
        ("http://localhost:7860", "127.0.0.1:7860", False),
        ("http://[::1]:7860", "[::1]:7860", True),
        ("null", "localhost", False),
        ("http://localhost:99999", "localhost:99999", False),
    ],
)
def test_same_site(origin: str, host: str, same: bool) -> None:
    assert same_site(origin, host) is same


def test_a_host_is_split_into_name_and_port() -> None:
    assert split_host("Localhost:80") == ("localhost", 80)
    assert split_host("[::1]:7860") == ("::1", 7860)
    assert split_host("a/b") == (None, None)
    assert split_host("") == (None, None)
