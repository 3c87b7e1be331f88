"""A server that retires or is stopped: who is on the way still arrives, nothing hangs."""

import asyncio
import contextlib
import json
import signal
import socket
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from modules.api.server.serving import SwappableServer
from modules.api.services import Services
from tests.api.conftest import FakeEngine, application_of, serving, until


@pytest.fixture
def server(services: Services, application: Any) -> SwappableServer:
    return SwappableServer(application, services, linger_seconds=1.0)


async def read_answer(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Return head and body of one answer with a Content-Length."""
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    return head, await reader.readexactly(length)


async def test_it_serves_until_told_to_end(server: SwappableServer) -> None:
    async with serving(server) as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        answer = await http.get("/internal/ping")
        assert answer.json() == {"instance": "instance-1", "page": "page-1"}
        assert "server" not in answer.headers


async def test_what_the_page_would_begin_by_itself_never_begins(services: Services) -> None:
    """Gradio's queue looks a thousand times a second whether somebody waits in it: 4 % of a core for nothing."""
    begun: list[str] = []

    @contextlib.asynccontextmanager
    async def lifespan(_page: FastAPI) -> AsyncIterator[None]:
        begun.append("the queue")
        yield

    server = SwappableServer(application_of(services, FastAPI(lifespan=lifespan)), services)
    async with serving(server) as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        assert (await http.get("/")).status_code == 200
    assert not begun


async def test_a_retiring_server_answers_kept_connections_once_more_and_closes_them(server: SwappableServer) -> None:
    ping = b"GET /internal/ping HTTP/1.1\r\nHost: localhost\r\n\r\n"
    async with serving(server) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        silent_reader, silent_writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(ping)
        head, _ = await read_answer(reader)
        assert b"connection: close" not in head
        retirement = asyncio.create_task(server.retire())
        await asyncio.sleep(0.2)
        with pytest.raises(OSError):
            await asyncio.open_connection("127.0.0.1", port)
        for some_reader, some_writer in ((reader, writer), (silent_reader, silent_writer)):
            some_writer.write(ping)
            head, body = await read_answer(some_reader)
            assert b"connection: close" in head
            assert b"instance-1" in body
            assert await some_reader.read() == b""
            some_writer.close()
        await asyncio.wait_for(retirement, 3)


async def test_a_client_that_is_slow_to_send_its_first_request_is_still_answered(server: SwappableServer) -> None:
    async with serving(server) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        retirement = asyncio.create_task(server.retire())
        await asyncio.sleep(1.5)
        writer.write(b"GET /internal/ping HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"instance-1" in (await read_answer(reader))[1]
        writer.close()
        await asyncio.wait_for(retirement, 3)


async def test_a_retiring_server_tells_viewers_and_waits_for_its_pictures(
    server: SwappableServer, services: Services
) -> None:
    engine = FakeEngine(services)
    engine.go.clear()
    async with (
        serving(server) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as http,
        connect(f"ws://127.0.0.1:{port}/steady/live") as socket,
    ):
        await socket.recv()
        engine.start()
        waiting = asyncio.create_task(http.post("/sdapi/v1/txt2img", json={"force_task_id": "mine"}))
        stream = asyncio.create_task(http.get("/sdapi/v1/events"))
        await until(lambda: services.shutdown.waiters and len(services.broadcaster._subscriptions) == 2)
        retirement = asyncio.create_task(server.retire())
        with pytest.raises(ConnectionClosed) as closed:
            for _ in range(20):
                last = json.loads(await asyncio.wait_for(socket.recv(), 20))
        assert last == {"type": "leaving"}
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
        assert (await stream).text.rstrip().endswith('data: {"type":"leaving"}')
        await asyncio.sleep(1.3)
        assert not retirement.done()
        engine.go.set()
        answer = await waiting
        assert answer.status_code == 200
        assert len(answer.json()["images"]) == 1
        await asyncio.wait_for(retirement, 3)
    engine.end.set()
    await asyncio.to_thread(engine.join, 5)


async def test_sigterm_ends_within_three_seconds_whoever_is_there(server: SwappableServer, services: Services) -> None:
    async with (
        serving(server) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as http,
        connect(f"ws://127.0.0.1:{port}/steady/live") as socket,
    ):
        await socket.recv()
        waiting = asyncio.create_task(http.post("/sdapi/v1/txt2img", json={}))
        stream = asyncio.create_task(http.get("/sdapi/v1/events"))
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /internal/ping HT")
        await until(lambda: services.shutdown.waiters)
        server.handle_exit(signal.SIGTERM, None)
        answer = await waiting
        assert answer.status_code == 503
        assert "stays in the queue" in answer.json()["errors"]
        assert (await stream).status_code == 200
        assert await asyncio.wait_for(reader.read(), 20) == b""
        writer.close()


async def test_a_page_that_does_not_work_keeps_the_server_from_starting(services: Services) -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 500, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    with pytest.raises(RuntimeError, match="first page"):
        await SwappableServer(broken, services).serve()
    await services.broadcaster.stop()


@pytest.mark.parametrize("turns", range(5))
async def test_a_connection_taken_at_the_moment_of_retirement_is_answered(server: SwappableServer, turns: int) -> None:
    """By this server or, where it was still in the backlog, by the next one on the same socket; never by a reset."""
    async with serving(server) as port:
        backlog = server.servers[0].sockets[0].dup()
        with socket.socket() as client:
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port))  # the kernel completes it, whoever accepts later
            for _turn in range(turns):
                await asyncio.sleep(0)
            retirement = asyncio.create_task(server.retire())
            await asyncio.sleep(0.1)
            successor = await asyncio.start_server(answer_as_successor, sock=backlog)
            loop = asyncio.get_running_loop()
            await loop.sock_sendall(client, b"GET /internal/ping HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert (await asyncio.wait_for(loop.sock_recv(client, 100), 20)).startswith(b"HTTP/1.1 200")
        successor.close()
        await asyncio.wait_for(retirement, 20)


async def answer_as_successor(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    writer.close()
