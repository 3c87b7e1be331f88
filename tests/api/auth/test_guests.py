"""Attacks of a guest: somebody of another machine, where no password is set. He sees and touches his own jobs only."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from modules.api.application import assemble
from modules.api.auth.authentication import Authentication
from modules.api.auth.guests import FOR_ALL, OF_OWN_JOBS
from modules.api.live.routes import follow
from modules.api.page.assets import Assets
from modules.api.rest import build_rest
from modules.api.services import Services
from modules.cmd_args import Arguments
from modules.jobs.store.jobs import JobFilter
from modules.jobs.visitor import SCOPE_KEY, Visitor
from modules.shared_state import Preview
from tests.api.conftest import HOST, FakeEngine, until

PROMPT, OWNER, JOB = "a secret gull", "owner-of-the-desk", "job-of-the-desk"
ME = "0123456789abcdef01234567"
SECRETS = (PROMPT, OWNER)


@pytest.fixture
def guarded(services: Services, tmp_path: Path) -> ASGIApp:
    object.__setattr__(services, "arguments", Arguments(listen=True))
    page = FastAPI()
    page.add_api_route("/", lambda: "a page")
    return assemble(services, page, Assets({}, ""), Authentication({}, tmp_path / "auth"))


def client_of(app: ASGIApp, address: str, owner: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app, client=(address, 5000))
    return httpx.AsyncClient(transport=transport, base_url=HOST, timeout=20, headers={"x-steady-owner": owner})


@pytest.fixture
async def desk(running: Services, guarded: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(guarded, "127.0.0.1", OWNER) as http:
        yield http


@pytest.fixture
async def guest(running: Services, guarded: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(guarded, "10.0.0.3", ME) as http:
        yield http


async def submit(http: httpx.AsyncClient, identity: str, **more: Any) -> int:
    body = {"id": identity, "request": {"prompt": PROMPT, "width": 64, "height": 64}, **more}
    return (await http.post("/sdapi/v1/jobs", json=body)).status_code


def routes(app: FastAPI) -> list[tuple[str, str]]:
    return [(method.upper(), path) for path, some in app.openapi()["paths"].items() for method in some]


async def test_no_route_tells_a_guest_of_others_or_lets_him_touch_their_jobs(
    desk: httpx.AsyncClient, guest: httpx.AsyncClient, engine: FakeEngine, services: Services
) -> None:
    await submit(desk, "done-before")
    await until(lambda: services.store.jobs.get("done-before").status == "done")  # type: ignore[union-attr]
    engine.go.clear()
    await submit(desk, JOB)
    await submit(desk, "second-of-the-desk")
    assert services.store.claims.claim("fake") is not None
    services.state.begin(JOB)
    services.state.apply_preview(Preview(9, JOB, 0, 3, "image/png", b"a secret preview"))
    settings = services.options.values
    for method, path in routes(build_rest(services, Assets({}, ""))):
        if path in ("/sdapi/v1/events", "/sdapi/v1/txt2img"):
            continue
        for identity in (JOB, "done-before"):
            address = path.replace("{job_id}", identity).replace("{index}", "0").replace("{name}", "x")
            for query in ("", f"?owner={OWNER}", f"?all=true&owner={OWNER}", f"?task_id={identity}"):
                body = {"task_id": identity, "id_task": identity, "owner": OWNER, "to": "front", "priority": 5,
                        "on": True, "id": identity, "request": {}, "show_progress_in_title": False}  # fmt: skip
                answer = await guest.request(method, address + query, json=None if method == "GET" else body)
                told = answer.text
                assert answer.status_code < 500, (method, address)
                assert not any(secret in told for secret in SECRETS), (method, address, query)
                assert not answer.headers["content-type"].startswith("image/"), (method, address)
                assert "c2VjcmV0IHByZXZpZXc" not in told and "YSBzZWNyZXQg" not in told, (method, address)
    jobs, total = services.store.jobs.page(JobFilter(owner=OWNER), limit=10, offset=0)
    assert total == 3
    assert [job.status for job in jobs] == ["queued", "running", "done"]
    assert all(job.requested is None and job.priority == 0 and not job.forever for job in jobs)
    assert services.options.values == settings and not services.store.jobs.queue_paused()
    assert services.state.server_command is None
    assert not services.store.jobs.page(JobFilter(owner=OWNER), limit=10, offset=0)[0][0].stop_requests


async def test_what_is_not_named_is_not_for_guests(services: Services) -> None:
    told = routes(build_rest(services, Assets({}, "")))
    closed = {path for method, path in told if (method, path) not in FOR_ALL | OF_OWN_JOBS}
    for path in (
        "audit", "cmd-flags", "queue/pause", "queue/resume", "jobs/{job_id}/move", "jobs/{job_id}/priority",
        "unload-checkpoint", "reload-checkpoint",
    ):  # fmt: skip
        assert f"/sdapi/v1/{path}" in closed


async def test_a_guest_does_not_unload_what_others_draw_with(guest: httpx.AsyncClient, services: Services) -> None:
    for name in ("unload-checkpoint", "reload-checkpoint"):
        assert (await guest.post(f"/sdapi/v1/{name}")).status_code == 403
    assert services.store.audit.rows() == []


async def test_a_guest_has_his_own_jobs(
    desk: httpx.AsyncClient, guest: httpx.AsyncClient, engine: FakeEngine, services: Services
) -> None:
    engine.go.clear()
    await submit(desk, JOB)
    await submit(guest, "mine")
    listed = (await guest.get("/sdapi/v1/jobs")).json()
    assert [job["id"] for job in listed["jobs"]] == ["mine"] and listed["total"] == 1
    assert (await guest.get("/sdapi/v1/queue")).json()["jobs"] == ["", "mine"], "its place, and nothing of the other"
    assert (await guest.get("/internal/pending-tasks")).json() == {"size": 2, "tasks": ["", "mine"]}
    engine.go.set()
    await until(lambda: services.store.jobs.get("mine").status == "done")  # type: ignore[union-attr]
    assert (await guest.get("/sdapi/v1/jobs/mine/images/0.png")).status_code == 200
    assert (await guest.delete("/sdapi/v1/jobs/mine")).json()["accepted"] is True
    answer = await guest.post("/sdapi/v1/txt2img", json={"prompt": "x", "width": 64, "height": 64})
    assert answer.status_code == 200 and len(answer.json()["images"]) == 1
    assert await submit(guest, "first", priority=5) == 403
    assert await submit(guest, JOB) == 409, "an id of another is not told of"


async def test_a_guests_browser_asks_for_his_pictures_by_cookie_and_does_nothing_by_it(
    guarded: ASGIApp, guest: httpx.AsyncClient, engine: FakeEngine, services: Services
) -> None:
    await submit(guest, "mine")
    await until(lambda: services.store.jobs.get("mine").status == "done")  # type: ignore[union-attr]
    async with client_of(guarded, "10.0.0.3", "") as browser:
        picture = "/sdapi/v1/jobs/mine/images/0.png"
        assert (await browser.get(picture)).status_code == 404
        assert (await browser.get(picture, headers={"cookie": "steady-owner=" + "f" * 24})).status_code == 404
        own = {"cookie": f"steady-owner={ME}"}
        for path in ("0.png", "0/thumbnail", "all.zip"):
            assert (await browser.get(f"/sdapi/v1/jobs/mine/images/{path}", headers=own)).status_code == 200
        assert (await browser.delete("/sdapi/v1/jobs/mine", headers=own)).status_code == 404
        assert services.store.jobs.get("mine") is not None


async def test_a_guest_cancels_what_waits_of_his_own_only(
    desk: httpx.AsyncClient, guest: httpx.AsyncClient, services: Services
) -> None:
    await submit(desk, JOB)
    await submit(guest, "mine")
    assert (await guest.post("/sdapi/v1/queue/interrupt-waiting")).json() == {"interrupted": 1}
    assert services.store.jobs.get(JOB).status == "queued"  # type: ignore[union-attr]
    answer = await guest.post("/sdapi/v1/queue/interrupt-waiting", json={"owner": OWNER})
    assert answer.status_code == 403


async def test_a_name_that_others_know_makes_nobody_its_owner(
    desk: httpx.AsyncClient, guarded: ASGIApp, services: Services
) -> None:
    await submit(desk, JOB)
    async with client_of(guarded, "10.0.0.3", OWNER) as thief:
        assert (await thief.get("/sdapi/v1/jobs")).json()["total"] == 0
        assert (await thief.get(f"/sdapi/v1/jobs/{JOB}")).status_code == 404
        await submit(thief, "his")
    assert services.store.jobs.get("his").owner == f"{OWNER} at 10.0.0.3"  # type: ignore[union-attr]
    async with client_of(guarded, "10.0.0.4", "") as quiet:
        await submit(quiet, "hers")
    async with client_of(guarded, "10.0.0.3", "10.0.0.4") as thief:
        assert (await thief.get("/sdapi/v1/jobs/hers")).status_code == 404


class Listener:
    """A guest's or owner's stream, collected."""

    def __init__(self, services: Services, visitor: Visitor, owner: str) -> None:
        from starlette.requests import HTTPConnection

        scope = {"type": "http", "headers": [], "query_string": b"", SCOPE_KEY: visitor}
        self.stream = follow(services, HTTPConnection(scope), None, owner)
        self.heard: list[dict[str, Any]] = []
        self.task = asyncio.create_task(self.listen())

    async def listen(self) -> None:
        async for message in self.stream:
            self.heard.append(json.loads(message.text))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [one for one in self.heard if one.get("kind", one["type"]) == kind]


async def test_the_live_stream_tells_a_guest_of_his_own_and_that_something_is_busy(
    desk: httpx.AsyncClient, guest: httpx.AsyncClient, engine: FakeEngine, services: Services
) -> None:
    engine.go.clear()
    await submit(desk, JOB)
    listener = Listener(services, Visitor("10.0.0.3", near=False), ME)
    await until(lambda: listener.of("snapshot"))
    snapshot = listener.heard[0]
    assert (snapshot["job"], snapshot["running"], snapshot["queue"], snapshot["queued"]) == (None, None, [""], 1)
    assert snapshot["rights"]["guest"] and "10.0.0.3" in snapshot["rights"]["settings"]
    tell = services.broadcaster
    tell._on_topic("progress", {"job": JOB, "progress": 0.5})
    tell._on_topic("heartbeat", {"job": JOB, "at": 1.0})
    tell._on_topic("supervisor", {"engine": {"status": "up", "log": [PROMPT]}, "swap": {"status": "idle"}})
    tell._on_preview(Preview(9, JOB, 0, 3, "image/png", b"x"))
    await until(lambda: listener.of("preview"))
    await submit(guest, "mine")
    await until(lambda: [one for one in listener.of("job") if one["job_id"] == "mine"])
    tell._on_topic("progress", {"job": "mine", "progress": 0.5})
    tell._on_preview(Preview(10, "mine", 0, 3, "image/png", b"x"))
    await until(lambda: len(listener.of("preview")) == 2)
    assert [one["preview"] and one["preview"]["job"] for one in listener.of("preview")] == [None, "mine"]
    assert [one["progress"] and one["progress"]["job"] for one in listener.of("progress")] == [None, "mine"]
    assert listener.of("heartbeat")[0]["heartbeat"] is None
    engine.go.set()
    await until(lambda: [one for one in listener.of("image") if one["job_id"] == "mine"])
    told = json.dumps(listener.heard)
    assert OWNER not in told and JOB not in told
    assert told.count(PROMPT) == sum(
        json.dumps(one).count(PROMPT) for one in listener.heard if one.get("job_id") == "mine"
    )
    numbers = [one["number"] for one in listener.heard if one["type"] == "event"]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), (
        "no number is missing: he may come back with it"
    )
    listener.task.cancel()


async def test_a_guest_begins_with_his_last_job_and_not_with_the_one_that_runs(
    desk: httpx.AsyncClient, guest: httpx.AsyncClient, engine: FakeEngine, services: Services
) -> None:
    await submit(guest, "mine")
    await until(lambda: services.store.jobs.get("mine").status == "done")  # type: ignore[union-attr]
    engine.go.clear()
    await submit(desk, JOB)
    services.store.claims.claim("fake")
    listener = Listener(services, Visitor("10.0.0.3", near=False), ME)
    await until(lambda: listener.heard)
    assert listener.heard[0]["job"]["id"] == "mine" and listener.heard[0]["running"] is None
    listener.task.cancel()
    trusted = Listener(services, Visitor("10.0.0.3", near=False, user="anna"), ME)
    await until(lambda: trusted.heard)
    assert trusted.heard[0]["running"]["id"] == JOB
    assert trusted.heard[0]["rights"] == {
        "user": "anna", "guest": False, "commands": trusted.heard[0]["rights"]["commands"], "settings": None,
        "audit": None, "others": None, "warning": None, "addresses": trusted.heard[0]["rights"]["addresses"],
    }  # fmt: skip
    trusted.task.cancel()


def test_a_websocket_of_a_guest_is_his_own(guarded: ASGIApp, services: Services) -> None:
    services.store.queue.submit("txt2img", {"prompt": PROMPT}, OWNER, id=JOB)
    client = TestClient(guarded, base_url=HOST, client=("10.0.0.3", 5000))
    with client.websocket_connect(f"/steady/live?owner={OWNER}", headers={"host": "127.0.0.1:7860"}) as socket:
        snapshot = socket.receive_json()
    assert snapshot["job"] is None and snapshot["queue"] == [""] and PROMPT not in json.dumps(snapshot)


async def test_who_comes_through_a_proxy_that_nobody_trusts_is_a_guest(
    desk: httpx.AsyncClient, services: Services
) -> None:
    await submit(desk, JOB)
    for header in ("x-forwarded-for", "x-real-ip", "forwarded"):
        answer = await desk.get(f"/sdapi/v1/jobs/{JOB}", headers={header: "127.0.0.1"})
        assert answer.status_code == 404, header
    assert (await desk.get(f"/sdapi/v1/jobs/{JOB}")).status_code == 200


async def test_a_token_makes_a_guest_one_who_may(guest: httpx.AsyncClient, tmp_path: Path) -> None:
    assert (await guest.get("/sdapi/v1/audit")).status_code == 403
    secret = Authentication({}, tmp_path / "auth").tokens.create("phone")
    answer = await guest.get("/sdapi/v1/audit", headers={"authorization": f"Bearer {secret}"})
    assert answer.status_code == 200


async def test_the_page_knows_what_it_may_before_anyone_presses(desk: httpx.AsyncClient, services: Services) -> None:
    listener = Listener(services, Visitor("127.0.0.1", near=True), OWNER)
    await until(lambda: listener.heard)
    rights = listener.heard[0]["rights"]
    assert "No launcher follows" in rights["commands"], "as 501 says it over REST"
    assert rights["settings"] is None and not rights["guest"]
    assert "without a password" in rights["warning"]
    listener.task.cancel()


async def test_a_guest_is_not_told_where_files_are(
    desk: httpx.AsyncClient, guest: httpx.AsyncClient, engine: FakeEngine, services: Services
) -> None:
    await submit(guest, "mine")
    await until(lambda: services.store.jobs.get("mine").status == "done")  # type: ignore[union-attr]
    (image,) = services.store.jobs.images("mine")
    (services.folder.root / image.name).unlink()
    place = str(services.folder.root.parent)
    assert place in (await desk.get("/sdapi/v1/sd-models")).text
    for path in ("sd-models", "jobs", "jobs/mine", "jobs/mine/images/0.png", "jobs/mine/images/0/thumbnail", "memory"):
        answer = await guest.get(f"/sdapi/v1/{path}")
        assert answer.status_code == (404 if "images" in path else 200), path
        assert place not in answer.text, path
