"""Interrupt, skip, progress, ping and the server's commands in A1111's form."""

import base64
import contextlib
from collections.abc import Iterator

import httpx
import pytest

from modules.api.sdapi.control import allow_server_command
from modules.api.sdapi.progress import fraction_done, remaining_seconds
from modules.api.services import Services
from modules.cmd_args import Arguments
from modules.errors import StorageError
from modules.shared_state import State
from tests.api.conftest import FakeEngine, until
from tests.api.jobs.test_stop_requests import Told

JPEG = b"\xff\xd8not really a picture"


def begin(state: State, job: str = "job-1", images: int = 4, steps: int = 20) -> None:
    state.begin(job)
    state.job_count = images
    state.sampling_steps = steps


async def test_interrupt_and_skip_answer_json_also_when_nothing_runs(client: httpx.AsyncClient) -> None:
    assert (await client.post("/sdapi/v1/interrupt")).json() == {}
    assert (await client.post("/sdapi/v1/interrupt", json={})).json() == {}
    answer = await client.post("/sdapi/v1/skip")
    assert answer.content == b"null"
    assert answer.status_code == 200


async def test_interrupt_of_a_named_job_says_what_came_of_it(client: httpx.AsyncClient, services: Services) -> None:
    await client.post("/sdapi/v1/jobs", json={"kind": "txt2img", "request": {}, "id": "mine"})
    answer = await client.post("/sdapi/v1/interrupt", json={"task_id": "mine"})
    assert answer.json() == {"task_id": "mine", "acted": True}
    again = await client.post("/sdapi/v1/interrupt", params={"task_id": "mine"})
    assert again.json() == {"task_id": "mine", "acted": False}


async def test_skip_reaches_the_running_job(client: httpx.AsyncClient, services: Services) -> None:
    services.store.queue.submit("txt2img", {}, "me", id="mine")
    services.store.claims.claim("fake")
    services.store.claims.begin_image("mine", 2)
    assert (await client.post("/sdapi/v1/skip")).content == b"null"
    assert services.store.claims.pending("mine").skip_image == 2


async def test_stop_generating_is_for_what_runs_or_the_job_that_is_named(
    client: httpx.AsyncClient, services: Services
) -> None:
    assert (await client.post("/sdapi/v1/stop-generating")).json() == {}
    for id in ("mine", "next"):
        services.store.queue.submit("txt2img", {}, "me", id=id)
    services.store.claims.claim("fake")
    assert (await client.post("/sdapi/v1/stop-generating")).json() == {}
    assert services.store.claims.pending("mine").requested == "stop"
    answer = await client.post("/sdapi/v1/stop-generating", json={"task_id": "next"})
    assert answer.json() == {"task_id": "next", "acted": True}
    named = services.store.jobs.get("next")
    assert named is not None and named.status == "interrupted"
    for path in ("interrupt", "skip", "stop-generating"):
        assert (await client.post(f"/sdapi/v1/{path}", json={"task_id": "nobody"})).status_code == 404
        assert (await client.post(f"/sdapi/v1/{path}", json={"task_id": 5})).status_code == 422


async def test_progress_is_nothing_when_idle(client: httpx.AsyncClient) -> None:
    content = (await client.get("/sdapi/v1/progress")).json()
    assert content["progress"] == 0
    assert content["eta_relative"] == 0
    assert content["current_image"] is None
    assert content["textinfo"] is None
    assert content["job"] is None
    assert content["queue"] == 0
    assert set(content["state"]) == {
        "skipped", "interrupted", "stopping_generation", "job", "job_count", "job_timestamp", "job_no",
        "sampling_step", "sampling_steps",
    }  # fmt: skip


async def test_progress_follows_the_formula_and_shows_the_picture(
    client: httpx.AsyncClient, services: Services
) -> None:
    begin(services.state)
    services.state.nextjob()
    services.state.sampling_step = 5
    services.state.assign_current_image(None, ("image/jpeg", JPEG))
    content = (await client.get("/sdapi/v1/progress")).json()
    assert content["progress"] == pytest.approx(0.01 + 1 / 4 + 5 / 20 / 4)
    assert content["eta_relative"] >= 0
    assert base64.b64decode(content["current_image"]) == JPEG
    assert content["job"] == "job-1"
    assert content["state"]["job_no"] == 1
    without = (await client.get("/sdapi/v1/progress?skip_current_image=true")).json()
    assert without["current_image"] is None


def test_progress_formula() -> None:
    state = State()
    assert fraction_done(state.dict(), begun=0.01) == 0
    state.begin("job")
    assert fraction_done(state.dict(), begun=0.01) == 0.01
    state.job_count, state.sampling_steps, state.sampling_step, state.job_no = 1, 10, 10, 1
    assert fraction_done(state.dict(), begun=0.01) == 1


def test_time_left_is_unknown_before_anything_is_done() -> None:
    assert remaining_seconds(None, 0.5) is None
    assert remaining_seconds(1.0, 0) is None


async def test_internal_progress_of_running_waiting_finished_and_unknown(
    client: httpx.AsyncClient, services: Services
) -> None:
    async def ask(**question: object) -> dict[str, object]:
        answer = await client.post("/internal/progress", json=question)
        assert answer.status_code == 200
        content: dict[str, object] = answer.json()
        return content

    begin(services.state)
    services.state.sampling_step = 5
    services.state.assign_current_image(None, ("image/jpeg", JPEG))
    content = await ask(id_task="job-1", id_live_preview=-1)
    assert content["active"] is True
    assert content["progress"] == pytest.approx(5 / 20 / 4)
    assert content["live_preview"] == "data:image/jpeg;base64," + base64.b64encode(JPEG).decode()
    seen = await ask(id_task="job-1", id_live_preview=content["id_live_preview"])
    assert seen["live_preview"] is None
    assert (await ask(id_task="job-1", live_preview=False))["live_preview"] is None
    assert (await ask())["active"] is True
    services.state.end()
    idle = await ask()
    assert (idle["active"], idle["progress"], idle["id_live_preview"]) == (False, None, -1)
    for name in ("a", "b"):
        services.store.queue.submit("txt2img", {}, "me", id=name)
    assert (await ask(id_task="b"))["textinfo"] == "In queue: 2/2"
    services.store.control.ask("interrupt", "a")
    assert (await ask(id_task="a"))["completed"] is True
    services.store.control.ask("pause", "b")
    paused = await ask(id_task="b")
    assert (paused["completed"], paused["queued"], paused["textinfo"]) == (False, True, "Paused")
    unknown = await ask(id_task="never seen")
    assert (unknown["active"], unknown["queued"], unknown["completed"]) == (False, False, False)


async def test_pending_tasks_are_those_that_wait(client: httpx.AsyncClient, services: Services) -> None:
    for name in ("runs", "first", "second"):
        services.store.queue.submit("txt2img", {}, "me", id=name)
    services.store.claims.claim("fake")
    assert (await client.get("/internal/pending-tasks")).json() == {"size": 2, "tasks": ["first", "second"]}


async def test_ping_is_constant_and_names_the_instance(client: httpx.AsyncClient) -> None:
    first, second = [(await client.get("/internal/ping")).content for _ in range(2)]
    assert first == second == b'{"instance":"instance-1","page":"page-1"}'


async def test_server_commands_without_a_launcher_are_501(client: httpx.AsyncClient) -> None:
    for command in ("server-restart", "server-stop"):
        answer = await client.post(f"/sdapi/v1/{command}")
        assert answer.status_code == 501
        assert "launch.py" in answer.json()["detail"]


class FromAddress:
    """As much of a request as the check looks at."""

    def __init__(self, host: str) -> None:
        self.scope = {"client": (host, 1), "headers": []}


def test_server_commands_of_other_machines_need_the_flag(services: Services) -> None:
    with pytest.raises(Exception, match="--api-server-stop") as refusal:
        allow_server_command(services, FromAddress("192.168.1.9"), "stop")  # type: ignore[arg-type]
    assert refusal.value.status == 403  # type: ignore[attr-defined]
    allowed = Arguments(api_server_stop=True)
    object.__setattr__(services, "arguments", allowed)
    with pytest.raises(Exception, match=r"launch\.py") as refusal:
        allow_server_command(services, FromAddress("192.168.1.9"), "stop")  # type: ignore[arg-type]
    assert refusal.value.status == 501  # type: ignore[attr-defined]


async def test_progress_names_job_and_phase_while_the_engine_draws(
    client: httpx.AsyncClient, engine: FakeEngine, services: Services
) -> None:
    seen: list[str | None] = []
    engine.between_images = lambda job, index: seen.append(services.state.begun_job)
    await client.post("/sdapi/v1/jobs", json={"kind": "txt2img", "request": {}, "id": "mine"})
    await until(lambda: seen)
    assert seen == ["mine"]


class Wire:
    """As much of a link as the commands need: most go to the state's port, some are topics."""

    def __init__(self) -> None:
        self.topics: list[tuple[str, object]] = []

    def publish(self, topic: str, value: object) -> None:
        self.topics.append((topic, value))


async def test_unload_and_reload_answer_as_a1111_does_and_tell_the_engines(
    client: httpx.AsyncClient, services: Services
) -> None:
    for name in ("unload-checkpoint", "reload-checkpoint"):
        assert (await client.post(f"/sdapi/v1/{name}")).json() == {}  # no launcher, so no model in memory
    wire = Wire()
    object.__setattr__(services, "link", wire)
    for name in ("unload-checkpoint", "unload-checkpoint", "reload-checkpoint"):
        answer = await client.post(f"/sdapi/v1/{name}", headers={"X-Steady-Owner": "tab-1"})
        assert (answer.status_code, answer.json()) == (200, {})
    assert [topic for topic, _ in wire.topics] == ["unload"] * 3
    first, second, third = (value for _, value in wire.topics)
    assert first is not None and second not in (None, first)  # each is news
    assert third is None
    deeds = [(row.action, row.owner) for row in services.store.audit.rows(limit=3)]
    assert deeds == [("reload-checkpoint", "tab-1"), *[("unload-checkpoint", "tab-1")] * 2]


async def test_restarts_are_ordered_with_their_moment_and_kept_in_the_audit(
    client: httpx.AsyncClient, services: Services
) -> None:
    object.__setattr__(services, "link", Wire())
    sent: list[str] = []
    services.state.command_port = sent.append
    assert (await client.post("/sdapi/v1/server-restart")).json() == {}
    assert (await client.post("/sdapi/v1/server-restart", json={"when": "now"})).json()["waiting"] is None
    waiting = (await client.post("/sdapi/v1/server-restart", json={"when": "after-image"})).json()
    assert (waiting["accepted"], waiting["waiting"]["command"]) == (True, "restart-after-image")
    for when in ("now", "after-image", "idle"):
        await client.post("/sdapi/v1/engine-restart", json={"when": when}, headers={"X-Steady-Owner": "tab-1"})
    await client.post("/sdapi/v1/restart-cancel")
    assert sent == [
        "restart", "restart", "restart-after-image",
        "restart-engine", "restart-engine-after-image", "restart-engine-when-idle", "cancel-restart",
    ]  # fmt: skip
    rows = (await client.get("/sdapi/v1/audit")).json()["audit"]
    assert [row["action"] for row in reversed(rows)] == sent
    assert [row["owner"] for row in rows][:4] == ["127.0.0.1", "tab-1", "tab-1", "tab-1"]


@pytest.mark.parametrize("when", ["soon", 1, None])
async def test_a_moment_that_is_none_is_422(client: httpx.AsyncClient, when: object) -> None:
    answer = await client.post("/sdapi/v1/engine-restart", json={"when": when})
    assert answer.status_code == 422
    assert "after-image" in answer.json()["errors"]


async def test_a_full_disk_stops_no_command(
    client: httpx.AsyncClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextlib.contextmanager
    def no_space(urgent: bool = False, lasting: bool = True) -> Iterator[None]:
        raise StorageError("No space left to write jobs.sqlite: free some disk space.")
        yield

    object.__setattr__(services, "link", object())  # a launcher listens
    services.state.begin("mine")
    monkeypatch.setattr(services.stops, "_link", Told())
    monkeypatch.setattr(services.store.database, "write", no_space)
    for path, body in (("server-restart", {}), ("engine-restart", {"when": "now"}), ("interrupt", {}), ("skip", {})):
        answer = await client.post(f"/sdapi/v1/{path}", json=body)
        assert answer.status_code == 200, path
        assert "No space left" in answer.json()["notice"]
    assert [services.state.wait_for_server_command(0) for _ in range(2)] == ["restart", "restart-engine"]
