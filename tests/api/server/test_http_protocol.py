"""Clients that send nothing, or next to nothing, or take nothing, are cut; those that wait for an answer are not."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from modules.api.server import http_protocol
from modules.api.server.connection_limit import ConnectionLimit
from modules.api.server.serving import SwappableServer
from modules.api.services import Services
from tests.api.conftest import FakeEngine, serving, until

PING = b"GET /internal/ping HTTP/1.1\r\nHost: localhost\r\n\r\n"
HEAD = b"POST /sdapi/v1/txt2img HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@pytest.fixture
def server(services: Services, application: Any) -> SwappableServer:
    return SwappableServer(application, services, linger_seconds=0.1)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "SECONDS_BETWEEN_LOOKS", 0.02)
    monkeypatch.setattr(http_protocol, "SECONDS_FOR_A_HEAD", 0.3)
    monkeypatch.setattr(http_protocol, "SECONDS_WITHOUT_A_PART", 0.3)


@pytest.fixture
async def port(server: SwappableServer, impatient: None) -> AsyncIterator[int]:
    async with serving(server) as port:
        yield port


class Collector(asyncio.Protocol):
    """Keeps what comes, until the other side closes or resets."""

    def __init__(self) -> None:
        self.taken = b""
        self.closed = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.taken += data

    def connection_lost(self, error: Exception | None) -> None:
        self.closed.set()


async def drip(port: int, first: bytes, then: bytes) -> bytes:
    """Send `first`, then `then` byte by byte without end; return what came until the connection was closed."""
    loop = asyncio.get_running_loop()
    transport, collector = await loop.create_connection(Collector, "127.0.0.1", port)
    transport.write(first)

    async def go_on() -> None:
        while then:
            for byte in then:
                transport.write(bytes([byte]))
                await asyncio.sleep(0.03)

    dripping = asyncio.create_task(go_on())
    await asyncio.wait_for(collector.closed.wait(), 20)
    dripping.cancel()
    await asyncio.gather(dripping, return_exceptions=True)
    return collector.taken


async def test_a_client_that_says_nothing_is_cut_without_a_word(port: int, server: SwappableServer) -> None:
    assert await drip(port, b"", b"") == b""
    await until(lambda: len(server.connections) == 0)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (b"GET / HT", b""),
        (b"GET /internal/ping HTTP/1.1\r\nHost: localhost\r\nX-Long: ", b"aaaa"),
        (HEAD + b"Content-Length: 1000\r\n\r\n{", b""),
        (HEAD + b"Content-Length: 100000\r\n\r\n{", b"    "),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    ],
)
async def test_slow_heads_and_slow_bodies_are_told_and_cut(port: int, first: bytes, then: bytes) -> None:
    answer = await drip(port, first, then)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"send it" in answer
    assert b"frame-ancestors 'none'" in answer


async def test_a_further_request_on_a_connection_has_the_same_time(port: int) -> None:
    answers = await drip(port, PING + b"GET /internal/pi", b"n")
    assert answers.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 408 " in answers


async def test_what_is_no_http_is_an_error_like_all_others(port: int) -> None:
    answer = await drip(port, b"\x16\x03\x01 nonsense\r\n\r\n", b"")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"x-frame-options: DENY" in answer


async def test_who_waits_for_an_answer_is_not_cut(port: int, services: Services, server: SwappableServer) -> None:
    engine = FakeEngine(services)
    engine.go.clear()
    engine.start()
    async with (
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as http,
        connect(f"ws://127.0.0.1:{port}/steady/live") as watching,
    ):
        waiting = asyncio.create_task(http.post("/sdapi/v1/txt2img", json={"width": 64, "height": 64}))
        await until(lambda: services.shutdown.waiters)
        await asyncio.sleep(1)  # three times as long as anybody else may be silent
        assert not waiting.done()
        engine.go.set()
        assert (await waiting).status_code == 200
        await watching.ping()
        assert len(services.watchers) == 1
    await until(lambda: len(services.watchers) == 0)
    engine.end.set()
    await asyncio.to_thread(engine.join, 5)


async def test_a_client_that_takes_nothing_is_dropped(
    port: int, services: Services, server: SwappableServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "with_headers", lambda path, headers: headers)
    page = "x" * (16 << 20)
    monkeypatch.setattr(services.identity.__class__, "ping", page.encode())
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", port))
    client.sendall(PING)
    await until(lambda: len(server.connections) == 1)
    await until(lambda: len(server.connections) == 0)
    taken = 0
    with client, contextlib.suppress(ConnectionResetError):
        client.settimeout(10)
        while part := client.recv(1 << 16):
            taken += len(part)
    assert taken < len(page), "it was dropped amid the answer"


async def test_idle_sockets_keep_nobody_out(server: SwappableServer) -> None:
    server.connections = ConnectionLimit(most=20)
    async with serving(server) as port, contextlib.AsyncExitStack() as held:
        for _ in range(100):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            held.callback(writer.close)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as http:
            for _ in range(5):
                assert (await http.get("/internal/ping")).status_code == 200
        assert len(server.connections) <= 20
