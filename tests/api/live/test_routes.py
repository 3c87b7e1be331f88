"""The live stream: a snapshot, then all that happens; over a real socket."""

import asyncio
import base64
import json
import os
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from modules.api.live.messages import read_news, read_queue
from modules.api.live.routes import last_event_id
from modules.api.services import Services
from modules.errors import InvalidRequest
from modules.jobs.store.jobs import Jobs
from tests.api.conftest import FakeEngine, until

JPEG = b"\xff\xd8not really a picture"


def live(port: int, query: str = "") -> connect:
    return connect(f"ws://127.0.0.1:{port}/steady/live{query}", compression=None)


async def message(socket: ClientConnection) -> dict[str, Any]:
    """Return the next message, but for the news that models were read, which comes when it likes."""
    while True:
        content: dict[str, Any] = json.loads(await asyncio.wait_for(socket.recv(), 20))
        if content["type"] != "models":
            return content


async def test_the_snapshot_says_how_things_are(port: int, services: Services) -> None:
    services.store.queue.submit("txt2img", {"prompt": "x"}, "tab-1", id="mine")
    services.store.queue.submit("txt2img", {}, "tab-2", id="other")
    async with live(port, "?owner=tab-1") as socket:
        snapshot = await message(socket)
    assert snapshot["type"] == "snapshot"
    assert snapshot["events"] == services.store.events.last()
    assert (snapshot["instance"], snapshot["page"]) == ("instance-1", "page-1")
    assert snapshot["server"] == {"pid": os.getpid(), "started_at": services.state.server_start}
    assert snapshot["job"]["id"] == "mine"
    assert snapshot["running"] is None
    assert (snapshot["queued"], snapshot["queue"]) == (2, ["mine", "other"])
    assert {"progress", "preview", "engine", "supervisor", "notices"} <= set(snapshot)


async def test_an_owner_sees_its_unfinished_job_else_its_last_else_the_running_one(
    port: int, services: Services
) -> None:
    async def job_of(owner: str) -> str | None:
        async with live(port, f"?owner={owner}") as socket:
            job = (await message(socket))["job"]
            return job["id"] if job else None

    assert await job_of("me") is None
    services.store.queue.submit("txt2img", {}, "you", id="running")
    services.store.claims.claim("fake")
    assert await job_of("me") == "running"
    services.store.queue.submit("txt2img", {}, "me", id="last")
    services.store.control.ask("interrupt", "last")
    assert await job_of("me") == "last"
    services.store.queue.submit("txt2img", {}, "me", id="waiting")
    assert await job_of("me") == "waiting"


async def test_a_job_is_followed_from_the_queue_to_its_pictures(port: int, drawing: FakeEngine) -> None:
    async with live(port, "?owner=me") as socket, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        number = (await message(socket))["events"]
        await http.post("/sdapi/v1/jobs", json={"kind": "txt2img", "request": {"n_iter": 2}, "id": "mine"})
        statuses, outputs, numbers = [], [], [number]
        while "done" not in statuses:
            event = await message(socket)
            assert event["type"] == "event"
            numbers.append(event["number"])
            if event["kind"] == "job":
                statuses.append(event["payload"]["status"])
            elif event["kind"] == "image":
                outputs.append(event["output"])
                assert event["job_id"] == "mine"
                assert {"job", "queue", "payload"}.isdisjoint(event), "a picture's event does not grow with its job"
    assert numbers == sorted(set(numbers))
    assert statuses[0] == "queued"
    assert [output["index"] for output in outputs] == [0, 1]
    assert outputs[0]["url"] == "/sdapi/v1/jobs/mine/images/0.png"


async def test_events_missed_are_told_after_the_snapshot(port: int, services: Services) -> None:
    services.store.queue.submit("txt2img", {}, "me", id="seen")
    seen = services.store.events.last()
    services.store.queue.submit("txt2img", {}, "me", id="missed")
    async with live(port, f"?owner=me&after={seen}") as socket:
        assert (await message(socket))["type"] == "snapshot"
        missed = await message(socket)
        assert (missed["number"], missed["job_id"]) == (seen + 1, "missed")
        services.store.queue.submit("txt2img", {}, "me", id="next")
        assert (await message(socket))["job_id"] == "next"


def test_of_many_missed_events_only_the_last_of_a_job_carries_it(services: Services) -> None:
    services.store.queue.submit("txt2img", {}, "me", id="mine")
    for _ in range(30):
        services.store.audit.note_settings(["samples_save"])
    services.store.control.ask("interrupt", "mine")
    batch = read_news(services.store, 0)
    contents = [json.loads(delivery.message.text) for delivery in batch.deliveries]
    carried = [content["job"] and content["job"]["status"] for content in contents if content["job_id"] == "mine"]
    assert carried == [None, "interrupted"]
    assert [delivery.ended for delivery in batch.deliveries if delivery.ended] == ["interrupted"]
    services.store.close()


async def test_a_commit_of_another_process_is_seen_without_being_told(port: int, services: Services) -> None:
    services.store.database.announce = None
    async with live(port) as socket:
        await message(socket)
        services.store.queue.submit("txt2img", {}, "me", id="silent")
        assert (await message(socket))["job_id"] == "silent"


@pytest.mark.parametrize("turns", range(6))
async def test_watching_ends_also_when_an_event_comes_at_that_moment(services: Services, turns: int) -> None:
    await services.broadcaster.start()
    await asyncio.sleep(0.01)
    services.broadcaster._announced.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    watching = services.broadcaster._task
    async with asyncio.timeout(5):
        await services.broadcaster.stop()
    assert watching is not None and watching.done()
    services.store.close()


async def test_previews_and_topics_reach_every_viewer(port: int, services: Services) -> None:
    async with live(port) as first, live(port) as second:
        for socket in (first, second):
            await message(socket)
        services.state.begin("mine")
        services.state.assign_current_image(None, ("image/jpeg", JPEG), image_index=1, step=7)
        preview = services.state.preview
        assert preview is not None
        services.broadcaster._on_preview(preview)
        services.broadcaster._on_topic("progress", {"job": "mine", "progress": 0.5})
        for socket in (first, second):
            shown = (await message(socket))["preview"]
            assert (shown["job"], shown["image"], shown["step"]) == ("mine", 1, 7)
            assert shown["data"] == "data:image/jpeg;base64," + base64.b64encode(JPEG).decode()
            assert (await message(socket))["progress"]["progress"] == 0.5
    async with live(port) as late:
        snapshot = await message(late)
        assert snapshot["preview"]["id"] == preview.id
        assert snapshot["progress"]["job"] == "mine"


async def test_what_is_of_another_engine_says_so_and_who_comes_sees_that_of_his_job(
    port: int, services: Services
) -> None:
    tell = services.broadcaster
    services.store.queue.submit("txt2img", {}, "anna", id="hers")
    async with live(port) as socket:
        await message(socket)
        services.state.begin("somebody's")
        second = services.noticeboards.of_engine("2")
        second.begin("hers")
        second.assign_current_image(None, ("image/jpeg", JPEG))
        assert second.preview is not None
        tell._on_topic("progress", {"job": "somebody's", "progress": 0.5})
        tell._on_topic("progress", {"job": "hers", "progress": 0.1}, "2")
        tell._on_preview(second.preview)
        seen = [await message(socket) for _ in range(3)]
    told = {(one["type"], one.get("engine_id")): one[one["type"]]["job"] for one in seen}
    assert told == {("progress", None): "somebody's", ("progress", "2"): "hers", ("preview", "2"): "hers"}
    async with live(port, "?owner=anna") as hers, live(port) as another:
        snapshot = await message(hers)
        assert (snapshot["progress"]["job"], snapshot["preview"]["job"]) == ("hers", "hers")
        snapshot = await message(another)
        assert (snapshot["progress"]["job"], snapshot["preview"]) == ("somebody's", None)


async def test_a_foreign_page_gets_no_stream(port: int) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        await connect(f"ws://127.0.0.1:{port}/steady/live", origin="http://evil.example")  # type: ignore[arg-type]
    assert refusal.value.response.status_code == 403


async def read_events(http: httpx.AsyncClient, count: int, headers: dict[str, str] | None = None) -> list[Any]:
    """Return (id, content) of the first events of the stream."""
    found: list[Any] = []
    async with http.stream("GET", "/sdapi/v1/events", headers=headers, timeout=30) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert "content-encoding" not in answer.headers
        number: int | None = None
        async for line in answer.aiter_lines():
            if line.startswith("id: "):
                number = int(line[4:])
            elif line.startswith("data: "):
                found.append((number, json.loads(line[6:])))
                number = None
                if len(found) == count:
                    break
    return found


async def test_server_sent_events_are_the_same_messages_and_can_be_resumed(port: int, services: Services) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        ((number, snapshot),) = await read_events(http, 1)
        assert (number, snapshot["type"]) == (snapshot["events"], "snapshot")
        for name in "ab":
            services.store.queue.submit("txt2img", {}, "me", id=name)
        resumed = await read_events(http, 3, {"Last-Event-ID": str(number)})
        assert [content["type"] for _, content in resumed] == ["snapshot", "event", "event"]
        assert [number for number, _ in resumed] == [number, number + 1, number + 2]
        assert [content["job_id"] for _, content in resumed[1:]] == ["a", "b"]
        wrong = await http.get("/sdapi/v1/events", headers={"Last-Event-ID": "yesterday"})
        assert wrong.status_code == 422


def test_last_event_id() -> None:
    assert last_event_id(None) is None
    assert last_event_id("") is None
    assert last_event_id("12") == 12
    with pytest.raises(InvalidRequest):
        last_event_id("-1")


async def test_viewers_that_went_away_are_forgotten(port: int, services: Services) -> None:
    async with live(port) as socket:
        await message(socket)
        assert len(services.broadcaster._subscriptions) == 1
    await until(lambda: not services.broadcaster._subscriptions)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        await read_events(http, 1)
    await until(lambda: not services.broadcaster._subscriptions)


def test_a_job_that_is_claimed_meanwhile_waits_or_runs_but_is_not_gone(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The launcher restarts on "idle": the running job, the waiting ones and the pause are of one moment."""
    services.store.queue.submit("txt2img", {}, "me", id="mine")
    count = Jobs.queued_count

    def claimed_in_between(jobs: Jobs) -> int:
        assert services.store.claims.claim("engine") is not None
        return count(jobs)

    monkeypatch.setattr(Jobs, "queued_count", claimed_in_between)
    assert read_queue(services.store).counts == {"queued": 1, "running": 0, "paused": False}
    services.store.close()


async def test_who_waits_for_a_job_of_a_database_that_is_gone_is_answered(
    client: httpx.AsyncClient, services: Services
) -> None:
    """Damage while running, then a restart: the new server set the file aside, and the engine ends."""
    services.broadcaster._link = object()  # type: ignore[assignment]  # a launcher listens
    waiting = asyncio.create_task(client.post("/sdapi/v1/txt2img", json={"steps": 1}))
    await until(lambda: services.store.jobs.queued_count() == 1)
    services.folder.database.rename(services.folder.root / "elsewhere")
    answer = await waiting
    assert answer.status_code == 503
    assert "send the request again" in answer.json()["detail"]
    assert (await client.post("/sdapi/v1/jobs", json={"request": {}})).status_code == 507
    await until(lambda: services.state.server_command == "restart")
    services.broadcaster._link = None
    assert not services.folder.database.exists()  # nobody made a second one
