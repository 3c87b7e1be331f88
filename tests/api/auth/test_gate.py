"""Attacks on the gate: nobody gets past it unknown, and those who are known do."""

import asyncio
import base64
import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from modules.api.application import assemble
from modules.api.auth.attempts import MOST_PER_ADDRESS
from modules.api.auth.authentication import Authentication
from modules.api.auth.gate import Gate
from modules.api.auth.login_page import ASSETS, path_here
from modules.api.auth.revocation import until_revoked
from modules.api.page.assets import MANIFEST, read_assets
from modules.api.rest import build_rest
from modules.api.server.warm_up import FIRST_PAGE, fetch, warm_up
from modules.api.services import Services
from modules.cmd_args import Arguments
from modules.credentials.accounts import hash_accounts
from modules.paths import ROOT
from tests.api.conftest import HOST

PASSWORDS = {"anna": "gull:egg:ö", "ben": "puffin"}
FOREIGN = "10.0.0.3"
COOKIE, BEARER = {"cookie": "steady_session_7860=x"}, {"authorization": "Bearer x"}
HTML = {"accept": "text/html,*/*"}


def basic(user: str, password: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return hash_accounts(PASSWORDS, tmp_path_factory.mktemp("salt"))


@pytest.fixture
def auth(accounts: dict[str, str], tmp_path: Path) -> Authentication:
    return Authentication(accounts, tmp_path / "auth")


@pytest.fixture
def rest(services: Services) -> FastAPI:
    return build_rest(services, read_assets(ROOT / "webui" / "assets"))


@pytest.fixture
def closed(services: Services, auth: Authentication) -> ASGIApp:
    return with_passwords(services, auth)


def with_passwords(services: Services, auth: Authentication) -> ASGIApp:
    object.__setattr__(services, "arguments", Arguments(listen=True))
    page = FastAPI()
    for path in ("/", "/config", "/theme.css"):
        page.add_api_route(path, lambda: "a page")
    page.add_api_route("/gradio_api/run/predict", lambda: "done", methods=["POST"])
    return assemble(services, page, read_assets(ROOT / "webui" / "assets"), auth)


def client_of(app: ASGIApp, address: str = FOREIGN) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app, client=(address, 5000))
    return httpx.AsyncClient(transport=transport, base_url=HOST, timeout=20)


@pytest.fixture
async def stranger(running: Services, closed: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(closed) as http:
        yield http


def every_route(rest: FastAPI) -> list[tuple[str, str]]:
    told = [
        (method.upper(), re.sub(r"\{[^}]+\}", "0", path))
        for path, operations in rest.openapi()["paths"].items()
        for method in operations
    ]
    assert len(told) > 50
    folder = ROOT / "webui" / "assets"
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*.*") if path.is_file()]
    assets = [("GET", f"/steady/assets/{name}") for name in names]
    return [
        *[one for one in told if one[1] not in ASSETS],
        *[one for one in assets if one[1] not in ASSETS],
        *[("GET", path) for path in ("/", "/config", "/theme.css", "/docs", "/openapi.json", "/no/such/path")],
        *[("GET", path) for path in ("//", "/login/", "/login/../", "/steady/assets/mark.svg/../app.js", "/LOGIN")],
        *[("POST", path) for path in ("/gradio_api/run/predict", "/gradio_api/upload", "/steady/assets/page/page.css")],
        *[(method, "/sdapi/v1/options") for method in ("HEAD", "OPTIONS", "PUT", "PATCH")],
    ]


async def test_every_route_asks(stranger: httpx.AsyncClient, rest: FastAPI) -> None:
    for method, path in every_route(rest):
        for show in ({}, {"x-steady-owner": "anna"}, COOKIE, BEARER):
            answer = await stranger.request(method, path, headers=show)
            assert answer.status_code == 401, (method, path, show)
            assert "basic" in answer.headers["www-authenticate"].lower()
        answer = await stranger.request(method, path, headers=HTML)
        expected = 303 if method in ("GET", "HEAD") else 401
        assert answer.status_code == expected, (method, path)
        assert expected == 401 or answer.headers["location"].startswith("/login")


async def test_what_the_login_page_loads_is_there_and_nothing_else(stranger: httpx.AsyncClient) -> None:
    page = await stranger.get("/login", headers=HTML)
    assert page.status_code == 200
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert set(loaded) == ASSETS
    for path in loaded:
        assert (await stranger.get(path)).status_code == 200
        assert (await stranger.post(path)).status_code == 401
    manifest = await stranger.get(MANIFEST)  # browsers fetch it without a session
    assert manifest.headers["content-type"] == "application/manifest+json"
    assert {icon["src"] for icon in manifest.json()["icons"]} <= ASSETS


@pytest.mark.parametrize("headers", [{}, COOKIE, BEARER])
def test_a_websocket_is_refused_before_its_handshake(closed: ASGIApp, headers: dict[str, str]) -> None:
    client = TestClient(closed, base_url=HOST)
    with (
        pytest.raises(WebSocketDenialResponse) as refusal,
        client.websocket_connect("/steady/live?owner=anna", headers=headers | {"host": "127.0.0.1:7860"}),
    ):
        pass
    assert refusal.value.status_code == 401


async def test_a_program_gets_in_by_password_with_colons_in_it(stranger: httpx.AsyncClient) -> None:
    for _ in range(2):  # the second time without the slow hash
        assert (await stranger.get("/sdapi/v1/options", headers=basic("anna", "gull:egg:ö"))).status_code == 200
    for user, password in (("anna", "gull"), ("anna", "gull:egg:"), ("ben", "gull:egg:ö"), ("", ""), ("nobody", "x")):
        assert (await stranger.get("/sdapi/v1/options", headers=basic(user, password))).status_code == 401
    for junk in ("Basic", "Basic !!!", "Basic /w==", "Basic YW5uYQ==", "Negotiate x", "\x00"):
        assert (await stranger.get("/sdapi/v1/options", headers={"authorization": junk})).status_code == 401


async def test_an_unknown_user_costs_the_same_hash(auth: Authentication, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []
    monkeypatch.setattr(
        "modules.api.auth.authentication.is_password", lambda password, known: bool(hashed.append(known))
    )
    for user in ("anna", "nobody", "x" * 500):
        assert not await auth.password(user, "x", FOREIGN)
    assert len(hashed) == 3 and all(re.fullmatch(r"[0-9a-f]{32}\$[0-9a-f]{64}", known) for known in hashed)


async def test_the_hash_of_the_unknown_users_lets_nobody_in(
    auth: Authentication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modules.api.auth.authentication.is_password", lambda password, known: True)
    assert not await auth.password("nobody", "x", FOREIGN)


async def test_a_program_gets_in_by_token_until_it_is_revoked(
    stranger: httpx.AsyncClient, auth: Authentication
) -> None:
    show = {"authorization": f"Bearer {auth.tokens.create('phone')}"}
    assert (await stranger.get("/sdapi/v1/options", headers=show)).status_code == 200
    auth.tokens.revoke("phone")
    assert (await stranger.get("/sdapi/v1/options", headers=show)).status_code == 401


async def test_a_browser_logs_in_and_out(stranger: httpx.AsyncClient, auth: Authentication) -> None:
    answer = await stranger.post("/login", data={"username": "anna", "password": "gull:egg:ö", "next": "/docs?a=b"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/docs?a=b")
    cookie = answer.headers["set-cookie"]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=strict", "Path=/", "steady_session_7860="))
    assert (await stranger.get("/docs")).status_code == 200
    assert (await stranger.get("/login", headers={"accept": "application/json"})).json() == {"user": "anna"}
    secret = stranger.cookies["steady_session_7860"]
    assert secret not in (auth.sessions._list._path).read_text()
    assert (await stranger.post("/logout")).headers["location"] == "/login"
    assert "steady_session_7860" not in stranger.cookies
    again = {"cookie": f"steady_session_7860={secret}"}
    assert (await stranger.get("/docs", headers=again)).status_code == 401, "a stolen cookie ends with the logout"


async def test_another_page_can_neither_log_in_nor_out(stranger: httpx.AsyncClient) -> None:
    for path in ("/login", "/logout"):
        answer = await stranger.post(path, headers={"origin": "http://evil.example"})
        assert answer.status_code == 403


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example",
        "/\\evil.example",
        "http://evil.example",
        "/login",
        "/a\r\nset-cookie: x=y",
        "",
        "x",
        "/" * 3000,
    ],
)
async def test_a_login_leads_nowhere_else(stranger: httpx.AsyncClient, wanted: str) -> None:
    assert path_here(wanted) == "/"
    form = {"username": "ben", "password": "puffin", "next": wanted}
    answer = await stranger.post("/login", data=form)
    assert answer.headers["location"] == "/" and "x" not in answer.cookies


async def test_words_on_the_login_page_are_words(stranger: httpx.AsyncClient) -> None:
    form = {"username": '"><script>alert(1)</script>', "password": "x", "next": '/"><script>'}
    answer = await stranger.post("/login", data=form)
    assert answer.status_code == 401
    assert "Incorrect username or password" in answer.text and "<script>" not in answer.text
    big = await stranger.post("/login", content=b"username=anna&password=" + b"x" * 20_000)
    assert big.status_code == 401
    for many in (b"&" * 16_000, b"a=b&" * 4_000):
        assert (await stranger.post("/login", content=many)).status_code == 401


async def test_a_session_is_known_to_the_next_server_until_the_password_changes(
    accounts: dict[str, str], auth: Authentication, tmp_path: Path
) -> None:
    secret = auth.sessions.begin("anna")
    folder = tmp_path / "auth"
    assert Authentication(accounts, folder).sessions.user_of(secret) == "anna"
    changed = accounts | hash_accounts({"anna": "another"}, folder)
    assert Authentication(changed, folder).sessions.user_of(secret) is None
    assert Authentication({"ben": accounts["ben"]}, folder).sessions.user_of(secret) is None


def test_a_session_ends_after_thirty_days(accounts: dict[str, str], tmp_path: Path) -> None:
    from modules.api.auth.sessions import SECONDS_KEPT, Sessions

    now = [1000.0]
    sessions = Sessions(tmp_path, accounts, lambda: now[0])
    secret = sessions.begin("anna")
    now[0] += SECONDS_KEPT - 1
    assert sessions.user_of(secret) == "anna"
    now[0] += 1
    assert sessions.user_of(secret) is None


async def test_guessing_is_slowed_down_and_sessions_and_tokens_go_on(
    stranger: httpx.AsyncClient, closed: ASGIApp, auth: Authentication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modules.api.auth.authentication.is_password", lambda password, known: password == "puffin")
    guesses = [stranger.get("/sdapi/v1/options", headers=basic("ben", str(n))) for n in range(MOST_PER_ADDRESS * 3)]
    statuses = [answer.status_code for answer in await asyncio.gather(*guesses)]
    assert statuses.count(401) == MOST_PER_ADDRESS and statuses.count(429) == MOST_PER_ADDRESS * 2
    right = await stranger.get("/sdapi/v1/options", headers=basic("ben", "puffin"))
    assert right.status_code == 429 and 0 < int(right.headers["retry-after"]) <= 300
    form = {"username": "ben", "password": "puffin"}
    page = await stranger.post("/login", data=form)
    assert page.status_code == 429 and "Too many wrong passwords" in page.text and page.headers["retry-after"]
    token = {"authorization": f"Bearer {auth.tokens.create('phone')}"}
    assert (await stranger.get("/sdapi/v1/options", headers=token)).status_code == 200
    session = {"cookie": f"steady_session_7860={auth.sessions.begin('ben')}"}
    assert (await stranger.get("/sdapi/v1/options", headers=session)).status_code == 200
    async with client_of(closed, "10.0.0.4") as other:
        assert (await other.get("/sdapi/v1/options", headers=basic("ben", "puffin"))).status_code == 200


async def test_nobody_locks_the_owner_out_on_his_own_machine(
    running: Services, closed: ASGIApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modules.api.auth.authentication.is_password", lambda password, known: password == "puffin")
    async with client_of(closed, "127.0.0.1") as near:
        for _ in range(MOST_PER_ADDRESS):
            await near.get("/sdapi/v1/options", headers=basic("ben", "x"))
        assert (await near.get("/sdapi/v1/options", headers=basic("ben", "x"))).status_code == 429
        assert (await near.get("/sdapi/v1/options", headers=basic("ben", "puffin"))).status_code == 200
        through_a_proxy = {"x-forwarded-for": "127.0.0.1"}
        for _ in range(MOST_PER_ADDRESS):
            await near.get("/sdapi/v1/options", headers=basic("anna", "x") | through_a_proxy)
        answer = await near.get("/sdapi/v1/options", headers=basic("ben", "puffin") | through_a_proxy)
        assert answer.status_code == 429, "who hides behind a proxy is not on this machine"


async def test_no_window_of_the_browser_asks_beside_the_page(stranger: httpx.AsyncClient) -> None:
    answer = await stranger.get(
        "/sdapi/v1/options", headers={"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"}
    )
    assert answer.status_code == 401 and "www-authenticate" not in answer.headers


async def test_a_new_server_rehearses_its_page_behind_the_gate(closed: ASGIApp) -> None:
    assert [await fetch(closed, path, "localhost:7860") for path in FIRST_PAGE] == [200, 200, 200]
    await warm_up(closed, 7860)
    async with client_of(closed) as stranger:
        assert [(await stranger.get(path)).status_code for path in FIRST_PAGE] == [401, 401, 401]


async def test_without_passwords_everybody_comes_in(running: Services, tmp_path: Path) -> None:
    async with client_of(with_passwords(running, Authentication({}, tmp_path))) as http:
        assert (await http.get("/sdapi/v1/options", headers=basic("x", "y"))).status_code == 200
        assert (await http.get("/login", headers=HTML)).headers["location"] == "/"


async def test_a_user_owns_his_jobs_unless_his_tab_names_another(
    stranger: httpx.AsyncClient, running: Services
) -> None:
    show = basic("ben", "puffin")
    body: dict[str, Any] = {"request": {"prompt": "a cat"}}
    for more, owner in (({}, "ben"), ({"x-steady-owner": "tab-1"}, "tab-1")):
        identity = (await stranger.post("/sdapi/v1/jobs", json=body, headers=show | more)).json()["id"]
        job = running.store.jobs.get(identity)
        assert job is not None and job.owner == owner
    assert running.store.audit.rows(1)[0].address == f"ben, {FOREIGN}"


async def telling_twice(scope: Scope, receive: Receive, send: Send) -> None:
    """Accept, tell something, and after a word of the client something else."""
    await receive()
    await send({"type": "websocket.accept"})
    with contextlib.suppress(WebSocketDisconnect):
        await send({"type": "websocket.send", "text": "first"})
        await receive()
        await send({"type": "websocket.send", "text": "a secret"})


def test_a_live_stream_ends_with_the_session_that_it_was_begun_with(auth: Authentication) -> None:
    secret = auth.sessions.begin("ben")
    headers = {"cookie": f"steady_session_7860={secret}", "host": "127.0.0.1:7860"}
    client = TestClient(Gate(telling_twice, auth), base_url=HOST)
    with client.websocket_connect("/steady/live", headers=headers) as socket:
        assert socket.receive_text() == "first"
        auth.sessions.end(secret)
        socket.send_text("go on")
        with pytest.raises(WebSocketDisconnect) as end:
            socket.receive_text()
    assert end.value.code == 1008


async def test_an_answer_in_parts_ends_with_its_token() -> None:
    told: list[Any] = []
    valid = [True, True, False]

    async def send(message: Any) -> None:
        told.append(message)

    tell = until_revoked(valid.pop, send)
    valid.reverse()
    for body in (b"1", b"2", b"3", b"4"):
        await tell({"type": "http.response.body", "body": body, "more_body": True})
    assert [(one["body"], one["more_body"]) for one in told] == [(b"1", True), (b"2", True), (b"", False)]
