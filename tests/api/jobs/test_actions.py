"""Pause, resume, retry, move, priority, forever, the queue as a whole, and who did what."""

import asyncio
from typing import Any

import httpx
import pytest

from modules.api.services import Services
from modules.jobs.store.jobs import JobFilter
from tests.api.conftest import FakeEngine, until

ME = {"X-Steady-Owner": "tab-1"}
YOU = {"X-Steady-Owner": "tab-2"}
ACTIONS = ("interrupt", "skip", "stop", "pause", "resume", "retry", "redraw", "move", "priority", "forever")
BODY = {"to": "front", "priority": 1, "on": True}  # what the actions need, together


def waiting(services: Services, *names: str, owner: str = "tab-1") -> None:
    for name in names:
        services.store.queue.submit("txt2img", {"prompt": f"a {name}"}, owner, id=name)


async def post(client: httpx.AsyncClient, path: str, body: object = None, **headers: str) -> dict[str, Any]:
    answer = await client.post(f"/sdapi/v1/{path}", json=body, headers=headers or ME)
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = answer.json()
    return content


async def status_of(client: httpx.AsyncClient, job: str) -> str:
    return str((await client.get(f"/sdapi/v1/jobs/{job}")).json()["status"])


async def test_a_waiting_job_is_paused_and_goes_on(client: httpx.AsyncClient, services: Services) -> None:
    waiting(services, "mine")
    assert await post(client, "jobs/mine/pause") == {"accepted": True, "was": "queued"}
    assert await status_of(client, "mine") == "paused"
    assert await post(client, "jobs/mine/pause") == {"accepted": False, "was": "paused"}
    assert await post(client, "jobs/mine/resume") == {"accepted": True, "was": "paused"}
    assert await status_of(client, "mine") == "queued"


async def test_a_running_job_is_asked_to_pause(client: httpx.AsyncClient, services: Services) -> None:
    waiting(services, "mine")
    services.store.claims.claim("fake")
    assert await post(client, "jobs/mine/pause") == {"accepted": True, "was": "running"}
    assert services.store.claims.pending("mine").requested == "pause"


@pytest.mark.parametrize("action", ACTIONS)
async def test_a_job_that_has_ended_takes_nothing_and_says_so(
    client: httpx.AsyncClient, services: Services, action: str
) -> None:
    waiting(services, "mine")
    services.store.claims.claim("fake")
    services.store.claims.finish("mine", "done")
    events = services.store.events.last()
    told = await post(client, f"jobs/mine/{action}", BODY)
    assert (told["accepted"], told["was"]) == (False, "done")
    assert await status_of(client, "mine") == "done"
    assert services.store.events.last() == events


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *[("POST", f"/{action}") for action in ACTIONS],
        ("GET", ""), ("DELETE", ""), ("GET", "/images/0.png"), ("GET", "/images/0/thumbnail"),
    ],
)  # fmt: skip
async def test_an_id_that_is_no_job_is_404(client: httpx.AsyncClient, method: str, path: str) -> None:
    for name in ("nobody", "a%2F..%2Fb", "x" * 500):
        answer = await client.request(method, f"/sdapi/v1/jobs/{name}{path}", json=BODY if method == "POST" else None)
        assert answer.status_code == 404, name
    answer = await client.request(method, f"/sdapi/v1/jobs/nobody{path}", json=BODY if method == "POST" else None)
    assert "nobody" in answer.json()["detail"]


async def ended(services: Services, job: str, status: str) -> None:
    await until(lambda: (found := services.store.jobs.get(job)) is not None and found.status == status, 20)


async def test_a_failed_job_is_tried_again(client: httpx.AsyncClient, engine: FakeEngine, services: Services) -> None:
    engine.fail_with = "out of paint"
    await post(client, "jobs", {"kind": "txt2img", "request": {"prompt": "x"}, "id": "mine"})
    await ended(services, "mine", "failed")
    engine.fail_with = None
    assert await post(client, "jobs/mine/retry") == {"accepted": True, "was": "failed"}
    await ended(services, "mine", "done")
    assert len((await client.get("/sdapi/v1/jobs/mine")).json()["outputs"]) == 1


async def test_pictures_that_a_job_lacks_are_drawn_when_they_are_wanted(
    client: httpx.AsyncClient, services: Services, engine: FakeEngine
) -> None:
    engine.go.clear()
    await post(client, "jobs", {"kind": "txt2img", "request": {"prompt": "x", "n_iter": 3}, "id": "mine"})
    job = services.store.claims.claim("fake")
    assert job is not None
    resolved = engine.resolve(job)
    services.store.claims.set_resolved("mine", resolved.model_dump(mode="json"))
    engine.draw_image(job, resolved, 1)
    assert await post(client, "jobs/mine/redraw") == {"accepted": False, "was": "running"}
    services.store.claims.finish("mine", "done")
    for images, told in (([3], "has no picture 3: use 0 to 2"), ([True], "no list of indices"), ([1], "are there")):
        answer = await client.post("/sdapi/v1/jobs/mine/redraw", json={"images": images}, headers=ME)
        assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", "images"])
        assert told in answer.json()["errors"]
    assert await post(client, "jobs/mine/redraw") == {"accepted": True, "was": "done"}
    again = services.store.jobs.get("mine")
    assert again is not None and again.wanted == (0, 2)


async def test_jobs_are_moved_and_preferred(client: httpx.AsyncClient, services: Services) -> None:
    waiting(services, "a", "b", "c", "d")

    async def order() -> list[str]:
        return list((await client.get("/sdapi/v1/queue")).json()["jobs"])

    assert await post(client, "jobs/d/move", {"to": "front"}) == {"accepted": True, "was": "queued"}
    assert await order() == ["d", "a", "b", "c"]
    await post(client, "jobs/a/move", {"to": 3})
    assert await order() == ["d", "b", "a", "c"]
    await post(client, "jobs/d/move", {"to": "back"})
    assert await order() == ["b", "a", "c", "d"]
    assert (await post(client, "jobs/c/priority", {"priority": 5}))["accepted"] is True
    assert await order() == ["c", "b", "a", "d"]
    assert (await client.get("/sdapi/v1/jobs/c")).json()["priority"] == 5


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("move", {"to": 0}), ("move", {"to": "middle"}), ("move", {"to": True}), ("move", {}),
        ("priority", {"priority": "high"}), ("priority", {"priority": 1.5}), ("priority", {}),
        ("priority", {"priority": 1001}), ("priority", {"priority": True}),
        ("forever", {"on": 1}), ("forever", {}),
    ],
)  # fmt: skip
async def test_what_makes_no_sense_is_422_and_names_the_value(
    client: httpx.AsyncClient, services: Services, path: str, body: dict[str, Any]
) -> None:
    waiting(services, "mine")
    answer = await client.post(f"/sdapi/v1/jobs/mine/{path}", json=body)
    assert answer.status_code == 422
    assert repr(body.get({"move": "to", "priority": "priority", "forever": "on"}[path])) in answer.json()["errors"]


async def test_forever_goes_on_until_it_is_switched_off(
    client: httpx.AsyncClient, engine: FakeEngine, services: Services
) -> None:
    await post(client, "jobs", {"kind": "txt2img", "request": {"prompt": "x"}, "id": "first", "forever": True})
    await until(lambda: services.store.jobs.page(JobFilter(("done",)))[1] >= 3, 20)
    engine.go.clear()
    for job in (await client.get("/sdapi/v1/jobs")).json()["jobs"]:
        assert job["forever"] is True
        await post(client, f"jobs/{job['id']}/forever", {"on": False})
    engine.go.set()
    await until(lambda: services.store.jobs.page(JobFilter(("queued", "running")))[1] == 0, 20)
    assert services.store.claims.claim("another") is None


async def test_the_queue_is_paused_as_a_whole(
    client: httpx.AsyncClient, engine: FakeEngine, services: Services
) -> None:
    assert (await post(client, "queue/pause"))["paused"] is True
    await post(client, "jobs", {"kind": "txt2img", "request": {}, "id": "mine"})
    queue = (await client.get("/sdapi/v1/queue")).json()
    assert (queue["paused"], queue["queued"], queue["running"], queue["jobs"]) == (True, 1, 0, ["mine"])
    assert queue["limits"] == {"total": 1000, "per_owner": 500}
    await asyncio.sleep(0.05)
    assert await status_of(client, "mine") == "queued"
    assert (await post(client, "queue/resume"))["paused"] is False
    await ended(services, "mine", "done")


async def test_all_that_wait_are_interrupted_or_those_of_one_owner(
    client: httpx.AsyncClient, services: Services
) -> None:
    waiting(services, "runs", "a", "b")
    services.store.claims.claim("fake")
    waiting(services, "c", owner="tab-2")
    before_b = (await client.get("/sdapi/v1/jobs/a")).json()["created_at"]
    for wrong in (True, "now"):
        refused = await client.post("/sdapi/v1/queue/interrupt-waiting", json={"created_until": wrong})
        assert refused.status_code == 422 and "created_at of a job" in refused.json()["errors"]
    assert await post(client, "queue/interrupt-waiting", {"created_until": before_b - 1}) == {"interrupted": 0}
    assert await post(client, "queue/interrupt-waiting", {"owner": "tab-2"}) == {"interrupted": 1}
    assert await post(client, "queue/interrupt-waiting") == {"interrupted": 2}
    assert [await status_of(client, name) for name in ("runs", "a", "b", "c")] == ["running"] + 3 * ["interrupted"]


async def test_over_the_limit_the_answer_is_429_with_the_time_to_wait(
    client: httpx.AsyncClient, services: Services
) -> None:
    services.options.update({"queue_limit": 3, "queue_limit_per_owner": 2})
    waiting(services, "a", "b")
    body = {"kind": "txt2img", "request": {}, "id": "c"}
    answer = await client.post("/sdapi/v1/jobs", json=body, headers=ME)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.json()["error"] == "QueueFull"
    assert "2" in answer.json()["errors"]
    assert (await client.post("/sdapi/v1/jobs", json=body | {"id": "a"}, headers=ME)).status_code == 200, "it is known"
    assert (await client.post("/sdapi/v1/jobs", json=body, headers=YOU)).status_code == 200
    assert (await client.post("/sdapi/v1/txt2img", json={}, headers={"X-Steady-Owner": "tab-3"})).status_code == 429


async def test_history_is_searched(client: httpx.AsyncClient, services: Services) -> None:
    waiting(services, "heart", "house", "horse")
    await post(client, "jobs/heart/interrupt")

    async def found(query: str) -> list[str]:
        return sorted(job["id"] for job in (await client.get(f"/sdapi/v1/jobs?{query}")).json()["jobs"])

    assert await found("text=a%20ho") == ["horse", "house"]
    assert await found("status=interrupted,failed") == ["heart"]
    assert await found("status=queued,interrupted&text=he") == ["heart"]
    assert (await client.get("/sdapi/v1/jobs?status=queued,nonsense")).status_code == 422


async def test_who_did_what_is_kept(client: httpx.AsyncClient, services: Services) -> None:
    waiting(services, "a", "b", "c")
    await post(client, "jobs/a/interrupt", **YOU)
    await post(client, "queue/pause")
    await post(client, "jobs/c/move", {"to": "front"})
    await client.post("/sdapi/v1/options", json={"samples_save": False}, headers=YOU)
    rows = (await client.get("/sdapi/v1/audit")).json()["audit"]
    told = [(row["owner"], row["action"], row["job_id"]) for row in rows]
    assert [(owner, job) for owner, _, job in told] == [
        ("tab-2", None),
        ("tab-1", "c"),
        ("tab-1", None),
        ("tab-2", "a"),
    ]
    assert told[-1][1] == "interrupt"
    assert {row["address"] for row in rows} == {"127.0.0.1"}
    assert rows[0]["detail"]["changed"] == ["samples_save"]
    older = (await client.get(f"/sdapi/v1/audit?limit=1&before={rows[1]['number']}")).json()["audit"]
    assert [row["number"] for row in older] == [rows[2]["number"]]
    assert (await client.get("/sdapi/v1/audit?limit=0")).status_code == 422


async def test_only_own_jobs_refuses_others(client: httpx.AsyncClient, services: Services) -> None:
    waiting(services, "mine")
    services.options.update({"only_own_jobs": True})
    for method, path, body in (
        *[("POST", f"jobs/mine/{action}", BODY) for action in ACTIONS],
        ("DELETE", "jobs/mine", None),
        ("POST", "queue/interrupt-waiting", {}),
        ("POST", "queue/interrupt-waiting", {"owner": "tab-1"}),
    ):
        answer = await client.request(method, f"/sdapi/v1/{path}", json=body, headers=YOU)
        assert answer.status_code == 403, path
        assert "only_own_jobs" in answer.json()["errors"]
    assert (await status_of(client, "mine"), services.store.events.last()) == ("queued", 1)
    services.store.claims.claim("fake")
    assert (await client.post("/sdapi/v1/interrupt", headers=YOU)).status_code == 403
    assert (await client.post("/sdapi/v1/interrupt", headers=ME)).json() == {}
    assert services.store.claims.pending("mine").requested == "interrupt"


async def test_a_client_that_waits_hears_that_the_engine_is_given_up_and_its_job_stays(
    client: httpx.AsyncClient, services: Services
) -> None:
    asking = asyncio.create_task(client.post("/sdapi/v1/txt2img", json={"force_task_id": "mine"}))
    await until(lambda: services.store.jobs.get("mine") is not None)
    services.broadcaster._on_topic("supervisor", {"engine": {"status": "restarting", "reason": "exit code 7"}})
    await asyncio.sleep(0.05)
    assert not asking.done()
    services.broadcaster._on_topic("supervisor", {"engine": {"status": "given_up", "reason": "exit code 7"}})
    answer = await asking
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "30"
    assert "exit code 7" in answer.json()["errors"]
    assert "mine stays in the queue" in answer.json()["errors"]
    assert await status_of(client, "mine") == "queued"
