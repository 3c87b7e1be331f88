"""Many viewers: all see the same, come back without a gap, and slow ones are dropped without hurting others."""

import asyncio
import json
import socket
import time
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from modules.api.live import routes as live_routes
from modules.api.services import Services
from modules.jobs.store.jobs import JobFilter
from tests.api.conftest import FakeEngine, until
from tests.api.live.test_routes import live, message

TABS, CLIENTS = 10, 5


class Viewer:
    """Follows the stream as a tab or as a REST client. `lose` cuts its connection; it comes back by itself."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.seen: list[dict[str, Any]] = []
        self.snapshots: list[dict[str, Any]] = []
        self.after: int | None = None
        self.cut = asyncio.Event()

    def hear(self, content: dict[str, Any]) -> None:
        if content["type"] == "snapshot":
            self.snapshots.append(content)
            self.after = content["events"] if content["replay"] is None else content["replay"]
        elif content["type"] == "event":
            self.seen.append({name: content[name] for name in ("number", "kind", "job_id")})
            self.after = content["number"]

    async def watch(self) -> None:
        while True:
            self.cut.clear()
            reading = asyncio.create_task(self.read())
            lost = asyncio.create_task(self.cut.wait())
            try:
                await asyncio.wait((reading, lost), return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (reading, lost):
                    task.cancel()
                await asyncio.gather(reading, lost, return_exceptions=True)

    async def read(self) -> None:
        raise NotImplementedError


class Tab(Viewer):
    async def read(self) -> None:
        after = "" if self.after is None else f"&after={self.after}"
        async with live(self.port, f"?owner=tab{after}") as stream:
            async for text in stream:
                self.hear(json.loads(text))


class Client(Viewer):
    async def read(self) -> None:
        headers = {} if self.after is None else {"Last-Event-ID": str(self.after)}
        async with (
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", timeout=30) as http,
            http.stream("GET", "/sdapi/v1/events", headers=headers) as answer,
        ):
            async for line in answer.aiter_lines():
                if line.startswith("data: "):
                    self.hear(json.loads(line[6:]))


async def test_ten_tabs_and_five_rest_clients_see_the_same_also_when_they_come_and_go(
    port: int, drawing: FakeEngine, services: Services
) -> None:
    viewers: list[Viewer] = [*(Tab(port) for _ in range(TABS)), *(Client(port) for _ in range(CLIENTS))]
    watching = [asyncio.create_task(viewer.watch()) for viewer in viewers]
    await until(lambda: all(viewer.snapshots for viewer in viewers), 20)
    begun = viewers[0].snapshots[0]["events"]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as http:
        for number in range(12):
            body = {"kind": "txt2img", "request": {"n_iter": 3}, "id": f"job-{number}"}
            assert (await http.post("/sdapi/v1/jobs", json=body)).status_code == 200
            viewers[number].cut.set()  # a tab, then a client, loses its connection
            if number % 4 == 0:
                await http.post(f"/sdapi/v1/jobs/job-{number}/interrupt")
    await until(lambda: services.store.jobs.page(JobFilter(("queued", "running")))[1] == 0, 30)
    last = services.store.events.last()
    await until(lambda: all(viewer.after == last for viewer in viewers), 20)
    for task in watching:
        task.cancel()
    await asyncio.gather(*watching, return_exceptions=True)
    truth = [
        {"number": event.number, "kind": event.kind, "job_id": event.job_id}
        for event in services.store.events.after(begun, 10_000)
    ]
    assert len(truth) > 12 * 3
    for viewer in viewers:
        assert viewer.seen == truth, "each event once, in order, none missing"


async def test_all_missed_events_are_replayed_however_many(port: int, services: Services) -> None:
    for number in range(1300):
        services.store.audit.note_settings([f"setting-{number}"])
    async with live(port, "?after=10") as stream:
        snapshot = await message(stream)
        assert (snapshot["events"], snapshot["replay"]) == (1300, 10)
        services.store.audit.note_settings(["after"])
        numbers = [(await message(stream))["number"] for _ in range(1291)]
    assert numbers == list(range(11, 1302))


@pytest.mark.parametrize(("after", "words"), [(3, "not kept any more"), (999, "another database")])
async def test_a_number_that_leads_nowhere_is_told_before_the_snapshot(
    port: int, services: Services, after: int, words: str
) -> None:
    for _ in range(20):
        services.store.audit.note_settings(["samples_save"])
    services.store.deletion.compact_events(keep=5)
    async with live(port, f"?after={after}") as stream:
        reset = await message(stream)
        assert (reset["type"], reset["asked"], reset["events"]) == ("reset", after, 20)
        assert words in reset["reason"]
        snapshot = await message(stream)
        assert (snapshot["type"], snapshot["events"], snapshot["replay"]) == ("snapshot", 20, None)
        services.store.audit.note_settings(["samples_save"])
        assert (await message(stream))["number"] == 21
    async with live(port, "?after=16") as stream:
        assert (await message(stream))["replay"] == 16
        assert [(await message(stream))["number"] for _ in range(5)] == [17, 18, 19, 20, 21]


async def test_a_pause_of_the_queue_is_an_event(port: int, services: Services) -> None:
    async with live(port) as stream:
        assert (await message(stream))["queue_paused"] is False
        services.store.queue.submit("txt2img", {}, "me", id="a")
        await message(stream)
        services.store.queue.pause()
        event = await message(stream)
        assert (event["kind"], event["queue_paused"], event["queued"], event["queue"]) == ("queue", True, 1, ["a"])


async def test_the_silence_of_the_engine_is_counted_by_this_machine(port: int, services: Services) -> None:
    async with live(port) as stream:
        assert (await message(stream))["heartbeat"] is None
        beat = {"job": "a", "phase": "sample", "at": time.monotonic() - 40, "expected_seconds": 0.6, "stalled": True}
        services.broadcaster._on_topic("heartbeat", beat)
        told = (await message(stream))["heartbeat"]
        assert 40 <= told["silent_seconds"] < 60
        assert told["stalled"] is True


async def test_a_reader_that_reads_nothing_does_not_hold_up_the_others(port: int, services: Services) -> None:
    picture = b"x" * 400_000
    async with live(port) as stuck, live(port) as reader:
        stuck.transport.pause_reading()
        await message(reader)
        services.state.begin("mine")
        for number in range(60):
            services.state.assign_current_image(None, ("image/jpeg", picture + b"%d" % number))
            preview = services.state.preview
            assert preview is not None
            services.broadcaster._on_preview(preview)
            shown = (await message(reader))["preview"]
            assert shown["id"] == preview.id
        for one in services.broadcaster._subscriptions:
            waits = [*one._events, *one._newest.values()]
            assert sum(len(message.text) for message in waits) < 2 * len(picture), "more than the newest"
        stuck.transport.abort()


async def stuck_event_stream(port: int) -> socket.socket:
    """Ask for the event stream and read no answer."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", port))
    client.sendall(f"GET /sdapi/v1/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
    return client


async def test_readers_that_take_nothing_are_dropped_and_the_others_miss_nothing(
    port: int, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_routes, "SECONDS_TO_TAKE_A_MESSAGE", 0.3)
    stuck = await stuck_event_stream(port)
    async with live(port) as stuck_tab, live(port) as reader:
        stuck_tab.transport.pause_reading()
        await until(lambda: len(services.broadcaster._subscriptions) == 3)
        await message(reader)
        words = ["x" * 20_000]
        number = 0
        while len(services.broadcaster._subscriptions) > 1:
            number += 1
            assert number < 3000, "the stuck readers are never dropped"
            services.store.audit.note_settings(words)
            assert (await message(reader))["number"] == number
        await still_reads(reader, services, number)
        stuck_tab.transport.abort()
    stuck.close()


async def still_reads(reader: ClientConnection, services: Services, number: int) -> None:
    services.store.audit.note_settings(["last"])
    assert (await message(reader))["number"] == number + 1


async def test_a_dropped_reader_comes_back_and_hears_what_it_missed(port: int, services: Services) -> None:
    async with live(port) as stream:
        after = (await message(stream))["events"]
        (one,) = services.broadcaster._subscriptions
        one._capacity = 0
        services.store.audit.note_settings(["samples_save"])
        with pytest.raises(ConnectionClosed) as closed:
            await message(stream)
    assert closed.value.rcvd is not None and closed.value.rcvd.code == live_routes.TRY_AGAIN_LATER
    async with connect(f"ws://127.0.0.1:{port}/steady/live?after={after}") as again:
        assert (await message(again))["replay"] == after
        assert (await message(again))["number"] == after + 1


async def test_a_server_that_slept_through_a_compaction_leaves_nobody_waiting(
    port: int, services: Services, drawing: FakeEngine
) -> None:
    drawing.go.clear()
    async with live(port) as stream, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as http:
        await message(stream)
        asking = asyncio.create_task(http.post("/sdapi/v1/txt2img", json={"force_task_id": "mine", "width": 64}))
        await until(lambda: services.store.jobs.get("mine"))
        await until(lambda: services.broadcaster._number == services.store.events.last())
        asleep = asyncio.Event()
        something_happened = services.broadcaster._something_happened

        async def sleeping() -> bool:
            await asleep.wait()
            return await something_happened()

        services.broadcaster._something_happened = sleeping  # type: ignore[method-assign]
        services.broadcaster.wake()
        drawing.go.set()
        await until(lambda: (job := services.store.jobs.get("mine")) is not None and job.finished)
        for _ in range(5):
            services.store.audit.note_settings(["samples_save"])
        services.store.deletion.compact_events(keep=2)
        asleep.set()
        assert (await asking).status_code == 200
        with pytest.raises(ConnectionClosed):
            while True:
                await message(stream)
