"""More than a route needs is refused before it is read, with or without a length; nothing of it stays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from modules.api.answers import body_was_read
from modules.api.server.body_limit import MEBIBYTE, BodyLimit, most_bytes
from tests.api.conftest import HOST


class Reader:
    """An application that reads all that it gets and says how much that was."""

    def __init__(self) -> None:
        self.read = 0
        self.hold = asyncio.Event()
        self.hold.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async for part in Request(scope, receive).stream():
            self.read += len(part)
        await self.hold.wait()
        await PlainTextResponse(str(self.read))(scope, receive, send)


def asking(limit: BodyLimit) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=limit), base_url=HOST, timeout=20)


async def parts(count: int, size: int = MEBIBYTE // 4) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b"x" * size


@pytest.mark.parametrize(
    ("method", "path", "most"),
    [
        ("POST", "/internal/progress", MEBIBYTE),
        ("POST", "/gradio_api/run/predict", MEBIBYTE),
        ("POST", "/sdapi/v1/options", MEBIBYTE),
        ("POST", "/sdapi/v1/txt2img", 128 * MEBIBYTE),
        ("POST", "/sdapi/v1/png-info", 64 * MEBIBYTE),
        ("POST", "/sdapi/v1/inputs", 64 * MEBIBYTE),
        ("POST", "/sdapi/v1/jobs", 128 * MEBIBYTE),
        ("GET", "/sdapi/v1/inputs", MEBIBYTE // 16),
        ("POST", "/sdapi/v1/interrupt", MEBIBYTE // 16),
        ("GET", "/internal/progress", MEBIBYTE // 16),
        ("DELETE", "/sdapi/v1/png-info", MEBIBYTE // 16),
        ("POST", "/gradio_api/upload", MEBIBYTE // 16),
    ],
)
async def test_a_route_takes_what_it_needs_and_no_byte_more(method: str, path: str, most: int) -> None:
    assert most_bytes(method, path) == most
    reader = Reader()
    async with asking(BodyLimit(reader)) as http:
        assert (await http.request(method, path, content=b"x" * most)).text == str(most)
        refusal = await http.request(method, path, content=b"x" * (most + 1))
    assert refusal.status_code == 413
    assert "send" in refusal.json()["errors"]
    assert refusal.headers["connection"] == "close"
    assert reader.read == most, "nothing of what is too large is read"


async def test_a_body_that_names_no_length_is_stopped_on_the_way() -> None:
    reader = Reader()
    limit = BodyLimit(reader)
    async with asking(limit) as http:
        assert (await http.post("/internal/progress", content=parts(4))).text == str(MEBIBYTE)
        refusal = await http.post("/internal/progress", content=parts(1500))
    assert refusal.status_code == 413
    assert "1 MiB" in refusal.json()["errors"]
    assert reader.read <= 2 * MEBIBYTE
    assert limit.bytes_at_once == 0


async def test_all_clients_together_are_bounded_too_and_told_to_come_again() -> None:
    reader = Reader()
    reader.hold.clear()
    limit = BodyLimit(reader, most_at_once=3 * MEBIBYTE)
    async with asking(limit) as http:
        held = [asyncio.create_task(http.post("/sdapi/v1/png-info", content=parts(4))) for _ in range(3)]
        while limit.bytes_at_once < 3 * MEBIBYTE:  # noqa: ASYNC110
            await asyncio.sleep(0)
        refusal = await http.post("/sdapi/v1/png-info", content=parts(1))
        assert (refusal.status_code, refusal.headers["retry-after"]) == (503, "1")
        reader.hold.set()
        assert {answer.status_code for answer in await asyncio.gather(*held)} == {200}
        assert (await http.post("/sdapi/v1/png-info", content=parts(1))).status_code == 200


async def test_what_was_read_and_let_go_makes_room_for_others_before_its_answer() -> None:
    read, hold = asyncio.Event(), asyncio.Event()

    async def keeps_nothing(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        await request.body()
        body_was_read(request)
        read.set()
        await hold.wait()
        await PlainTextResponse("done")(scope, receive, send)

    limit = BodyLimit(keeps_nothing, most_at_once=MEBIBYTE)
    async with asking(limit) as http:
        first = asyncio.create_task(http.post("/sdapi/v1/png-info", content=parts(4)))
        await read.wait()
        assert limit.bytes_at_once == 0
        hold.set()
        assert (await http.post("/sdapi/v1/png-info", content=parts(4))).text == "done"
        assert (await first).text == "done"
    assert limit.bytes_at_once == 0


async def test_the_whole_application_has_it_in_front(client: httpx.AsyncClient) -> None:
    for path in ("/internal/progress", "/sdapi/v1/interrupt", "/sdapi/v1/options"):
        assert (await client.post(path, content=parts(8))).status_code == 413
        assert (await client.post(path, content=b"[" * (2 * MEBIBYTE))).status_code == 413
