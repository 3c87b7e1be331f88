"""Progress in A1111's form, with what the engine knows of the job in it."""

from typing import Any

import httpx
import pytest

from modules.api.sdapi.progress import where_is
from modules.api.services import Services


def tell(services: Services, job: str, progress: float, eta: float | None) -> None:
    value: dict[str, Any] = {"job": job, "phase": "decode", "progress": progress, "eta_seconds": eta}
    services.broadcaster._on_topic("progress", value)


def begin(services: Services) -> None:
    services.state.begin("job-1")
    services.state.job_count, services.state.sampling_steps = 1, 20


async def test_it_is_the_engines_own_and_so_is_the_time_left(client: httpx.AsyncClient, services: Services) -> None:
    begin(services)
    tell(services, "job-1", 0.625, 12.5)
    content = (await client.get("/sdapi/v1/progress")).json()
    assert (content["progress"], content["eta_relative"], content["phase"]) == (0.625, 12.5, "decode")
    assert content["detail"]["eta_seconds"] == 12.5
    question = {"id_task": "job-1", "live_preview": False}
    internal = (await client.post("/internal/progress", json=question)).json()
    assert (internal["progress"], internal["eta"], internal["active"]) == (0.625, 12.5, True)


async def test_a_running_job_is_never_at_nothing_and_an_idle_engine_always(
    client: httpx.AsyncClient, services: Services
) -> None:
    """Clients take 0 with no job for "ready"; A1111 begins at 0.01."""
    begin(services)
    tell(services, "job-1", 0.0, None)
    content = (await client.get("/sdapi/v1/progress")).json()
    assert content["progress"] == 0.01
    assert content["eta_relative"] >= 0
    assert (await client.post("/internal/progress", json={})).json()["eta"] is None
    services.state.end()
    tell(services, "job-1", 1.0, 0.0)
    content = (await client.get("/sdapi/v1/progress")).json()
    assert (content["progress"], content["eta_relative"], content["detail"]) == (0, 0, None)


async def test_what_was_told_of_another_job_does_not_count(client: httpx.AsyncClient, services: Services) -> None:
    begin(services)
    services.state.sampling_step = 10
    tell(services, "job-0", 0.9, 1.0)
    content = (await client.get("/sdapi/v1/progress")).json()
    assert content["progress"] == pytest.approx(0.51)
    assert content["phase"] is None


async def test_of_several_engines_the_one_that_draws_the_job_is_asked(
    client: httpx.AsyncClient, services: Services
) -> None:
    begin(services)
    tell(services, "job-1", 0.25, 30.0)
    second = services.noticeboards.of_engine("2")
    second.begin("job-2")
    second.textinfo = "of the second"
    second.job_count, second.sampling_steps = 1, 20
    told = {"job": "job-2", "phase": "sample", "progress": 0.75, "eta_seconds": 5.0}
    services.broadcaster._on_topic("progress", told, "2")
    for job, progress, eta, text in (("job-1", 0.25, 30.0, None), ("job-2", 0.75, 5.0, "of the second")):
        answer = (await client.post("/internal/progress", json={"id_task": job})).json()
        assert (answer["progress"], answer["eta"], answer["textinfo"]) == (progress, eta, text)
    content = (await client.get("/sdapi/v1/progress")).json()
    assert (content["job"], content["progress"]) == ("job-1", 0.25)


async def test_a_paused_job_waits(services: Services) -> None:
    services.store.queue.submit("txt2img", {}, "me", id="a")
    services.store.control.ask("pause", "a")
    answer = where_is(services.store, "a")
    assert (answer["queued"], answer["completed"], answer["textinfo"]) == (True, False, "Paused")


async def test_an_id_that_no_text_can_be_is_of_no_job(client: httpx.AsyncClient) -> None:
    for half in ("\\ud800", "a\\udfff"):
        json = {"content-type": "application/json"}
        answer = await client.post("/internal/progress", content=f'{{"id_task": "{half}"}}', headers=json)
        assert (answer.status_code, answer.json()["textinfo"]) == (200, "Waiting...")


async def test_a_question_that_is_none_is_refused_at_its_field(client: httpx.AsyncClient) -> None:
    answer = await client.get("/sdapi/v1/progress?skip_current_image=maybe")
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["query", "skip_current_image"])
    assert "boolean" in answer.json()["errors"]
    for body, field in (({"id_task": 5}, "id_task"), ({"id_live_preview": "new"}, "id_live_preview")):
        answer = await client.post("/internal/progress", json=body)
        assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", field])
    for content in (b"", b"[]", b"{"):
        assert (await client.post("/internal/progress", content=content)).status_code == 422
