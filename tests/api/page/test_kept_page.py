"""The page is made once for each address, not once for everybody who asks."""

from __future__ import annotations

import socket

import httpx
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.types import Receive, Scope, Send

from modules.api.page.kept_page import MOST_ADDRESSES, KeptPage
from modules.api.server.warm_up import port_of, warm_up


class Page:
    """Makes a page that says under which address it was asked for, and counts how often it did."""

    def __init__(self, status: int = 200) -> None:
        self.made = 0
        self.status = status

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.made += 1
        request = Request(scope)
        server = request.headers.get("x-gradio-server", "")
        await HTMLResponse(f"{request.url}{server}{'é' * 500}", self.status)(scope, receive, send)


def client(page: Page, address: str = "http://localhost:7860") -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=KeptPage(page)), base_url=address)


async def test_everybody_gets_the_page_that_was_made_for_the_first_compressed_if_he_takes_it() -> None:
    page = Page()
    async with client(page) as http:
        first, again = await http.get("/"), await http.get("/")
        plain = await http.get("/", headers={"accept-encoding": "identity"})
    assert page.made == 1
    assert first.text == again.text == plain.text
    assert first.headers == again.headers
    assert (first.headers["content-encoding"], plain.headers.get("content-encoding")) == ("gzip", None)
    assert int(first.headers["content-length"]) < int(plain.headers["content-length"]) == len(plain.content)
    assert "Accept-Encoding" in plain.headers["vary"]


async def test_each_address_has_its_own_page_and_only_so_many_are_kept() -> None:
    page = Page()
    async with client(page) as http:
        for number in range(MOST_ADDRESSES + 1):
            answer = await http.get("/", headers={"host": f"host{number}"})
            assert answer.text.startswith(f"http://host{number}/")
        await http.get("/", headers={"host": f"host{MOST_ADDRESSES}"})
        assert page.made == MOST_ADDRESSES + 1
        await http.get("/", headers={"host": "host0"})
    assert page.made == MOST_ADDRESSES + 2, "the oldest has made room"


async def test_what_is_asked_for_in_another_way_is_made_anew_and_given_to_nobody_else() -> None:
    page = Page()
    async with client(page) as http:
        assert "?deep_link=1" in (await http.get("/", params={"deep_link": "1"})).text
        assert "elsewhere" in (await http.get("/", headers={"x-gradio-server": "http://elsewhere"})).text
        await http.head("/")
        assert (await http.get("/")).text.startswith("http://localhost:7860/é")
        await http.get("/config")
    assert page.made == 5


async def test_an_error_is_not_kept() -> None:
    page = Page(status=500)
    async with client(page) as http:
        await http.get("/")
        page.status = 200
        assert (await http.get("/")).status_code == 200


async def test_a_server_that_begins_has_made_the_page_of_this_machine_already() -> None:
    page = Page()
    kept = KeptPage(page)
    await warm_up(kept, 7860)
    made = page.made
    for address in ("http://127.0.0.1:7860", "http://localhost:7860"):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=kept), base_url=address) as http:
            assert (await http.get("/")).text.startswith(address)
    assert page.made == made


def test_the_port_is_that_of_the_socket_that_the_launcher_bound() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        assert port_of([bound]) == bound.getsockname()[1] > 0
    assert port_of(None) == 0
