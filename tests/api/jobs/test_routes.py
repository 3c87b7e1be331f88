"""Jobs over REST: queue, look, stop, remove, pictures."""

import io
import threading
from typing import Any

import httpx
import pytest
from PIL import Image

from modules.api.services import Services
from modules.jobs.store.jobs import JobFilter
from tests.api.conftest import FakeEngine, until
from tests.jobs.made_jobs import resolved_job

JOBS = "/sdapi/v1/jobs"


async def submit(client: httpx.AsyncClient, name: str, **request: object) -> dict[str, object]:
    answer = await client.post(JOBS, json={"kind": "txt2img", "request": request, "id": name})
    assert answer.status_code == 200, answer.text
    content: dict[str, object] = answer.json()
    return content


async def test_a_job_is_queued_once_under_its_id(client: httpx.AsyncClient, services: Services) -> None:
    assert await submit(client, "a") == {"id": "a", "status": "queued", "position": 1}
    assert await submit(client, "b") == {"id": "b", "status": "queued", "position": 2}
    assert await submit(client, "a") == {"id": "a", "status": "queued", "position": 1}
    assert services.store.jobs.queued_count() == 2
    answer = await client.post(JOBS, json={"kind": "txt2img", "request": {}})
    assert len(answer.json()["id"]) == 32


async def test_a_finished_job_shows_its_outputs(client: httpx.AsyncClient, engine: FakeEngine) -> None:
    await submit(client, "mine", prompt="red heart", seed=5, n_iter=2, width=64, height=64)

    async def finished() -> dict[str, object]:
        content: dict[str, object] = (await client.get(f"{JOBS}/mine")).json()
        return content

    while (job := await finished())["status"] != "done":
        pass
    assert {"id", "kind", "status", "phase", "progress", "attempts", "error", "request", "outputs"} <= set(job)
    outputs = job["outputs"]
    assert isinstance(outputs, list)
    assert [output["seed"] for output in outputs] == [5, 6]
    assert {"url", "width", "height", "seed", "infotext", "partial"} <= set(outputs[0])
    picture = await client.get(outputs[1]["url"])
    assert picture.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(picture.content)).size == (64, 64)


async def test_thumbnails_are_small(client: httpx.AsyncClient, engine: FakeEngine, services: Services) -> None:
    await submit(client, "mine", width=1024, height=512)
    await until(lambda: (job := services.store.jobs.get("mine")) and job.status == "done")
    answer = await client.get(f"{JOBS}/mine/images/0/thumbnail")
    assert answer.headers["content-type"] == "image/webp"
    assert Image.open(io.BytesIO(answer.content)).size == (256, 128)


async def test_the_preview_that_was_kept_of_a_paused_job_is_served(
    client: httpx.AsyncClient, services: Services
) -> None:
    await submit(client, "mine")
    services.store.claims.claim("an engine")
    services.store.claims.set_resolved("mine", resolved_job().model_dump())
    assert services.store.control.ask("pause").accepted
    services.store.claims.pause_now("mine")
    path = (await client.get(f"{JOBS}/mine")).json()["preview"]
    assert path.startswith("/sdapi/v1/jobs/mine/preview?at=")
    assert (await client.get(path)).status_code == 204
    kept = services.folder.kept_preview("mine")
    kept.parent.mkdir(exist_ok=True)
    for image_format in ("JPEG", "PNG", "WEBP"):
        Image.new("RGB", (8, 8)).save(kept, image_format)
        answer = await client.get(path)
        assert (answer.status_code, answer.content) == (200, kept.read_bytes())
        assert answer.headers["content-type"] == f"image/{image_format.lower()}"
    assert (await client.get(f"{JOBS}/none/preview")).status_code == 404
    told = (await client.get("/openapi.json")).json()["paths"]["/sdapi/v1/jobs/{job_id}/preview"]["get"]["responses"]
    assert {"200", "204"} <= set(told) and "image/webp" in told["200"]["content"]
    services.store.control.resume("mine")
    assert (await client.get(f"{JOBS}/mine")).json()["preview"] is None


async def test_a_picture_that_is_not_there_is_a_404(
    client: httpx.AsyncClient, engine: FakeEngine, services: Services
) -> None:
    assert (await client.get(f"{JOBS}/none/images/0.png")).status_code == 404
    await submit(client, "mine")
    await until(lambda: (job := services.store.jobs.get("mine")) and job.status == "done")
    assert (await client.get(f"{JOBS}/mine/images/7.png")).status_code == 404
    (services.folder.root / services.store.jobs.images("mine")[0].name).unlink()
    for kind in ("0.png", "0/thumbnail"):
        gone = await client.get(f"{JOBS}/mine/images/{kind}")
        assert gone.status_code == 404
        assert "gone" in gone.json()["detail"]


async def test_lists_are_filtered_and_counted(client: httpx.AsyncClient, services: Services) -> None:
    for name in "abc":
        await submit(client, name)
    await client.post(f"{JOBS}/b/interrupt")
    content = (await client.get(JOBS, params={"status": "queued", "limit": 1})).json()
    assert content["total"] == 2
    assert len(content["jobs"]) == 1
    everything = (await client.get(JOBS)).json()
    assert {job["id"] for job in everything["jobs"]} == {"a", "b", "c"}
    for parameters in ({"status": "dreaming"}, {"limit": -1}, {"limit": 100_000}):
        assert (await client.get(JOBS, params=parameters)).status_code == 422


async def test_stopping_a_job_says_what_it_was(client: httpx.AsyncClient, services: Services) -> None:
    await submit(client, "runs")
    await submit(client, "waits")
    services.store.claims.claim("fake")
    services.store.claims.begin_image("runs", 0)
    assert (await client.post(f"{JOBS}/runs/skip")).json() == {"accepted": True, "was": "running"}
    assert (await client.post(f"{JOBS}/runs/stop")).json() == {"accepted": True, "was": "running"}
    assert (await client.post(f"{JOBS}/waits/interrupt")).json() == {"accepted": True, "was": "queued"}
    assert (await client.post(f"{JOBS}/waits/interrupt")).json() == {"accepted": False, "was": "interrupted"}
    unknown = await client.post(f"{JOBS}/nothing/interrupt")
    assert unknown.status_code == 404
    assert "nothing" in unknown.json()["errors"]


async def test_only_queued_jobs_are_removed(client: httpx.AsyncClient, services: Services) -> None:
    await submit(client, "runs")
    await submit(client, "waits")
    services.store.claims.claim("fake")
    assert (await client.delete(f"{JOBS}/waits")).json() == {"accepted": True, "was": "queued"}
    assert services.store.jobs.get("waits") is None
    refused = await client.delete(f"{JOBS}/runs")
    assert refused.status_code == 409
    assert "running" in refused.json()["detail"]
    assert (await client.delete(f"{JOBS}/waits")).status_code == 404


async def test_a_job_that_cannot_be_followed_is_a_422(client: httpx.AsyncClient, services: Services) -> None:
    for body in (
        {"kind": "video", "request": {}},
        {"kind": 5, "request": {}},
        {"kind": "txt2img"},
        {"kind": "txt2img", "request": []},
        {"kind": "txt2img", "request": {"steps": 0}},
        {"kind": "txt2img", "request": {}, "id": "../../etc"},
        {"kind": "txt2img", "request": {}, "id": 7},
    ):
        assert (await client.post(JOBS, json=body)).status_code == 422, body
    assert services.store.jobs.page()[1] == 0


async def test_an_owner_may_be_named(client: httpx.AsyncClient, services: Services) -> None:
    await client.post(JOBS, json={"kind": "txt2img", "request": {}, "id": "mine", "owner": "tab-1"})
    job = services.store.jobs.get("mine")
    assert job is not None
    assert job.owner == "tab-1"


async def test_a_list_is_one_look_at_the_database_and_a_thumbnail_one_row(
    client: httpx.AsyncClient, services: Services, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abc":
        await submit(client, name)
    await until(lambda: services.store.jobs.page(JobFilter(("done",)))[1] == 3)
    looks: list[int] = []
    read = services.store.database.read

    def counted() -> Any:
        if threading.current_thread().name.startswith("store"):  # the broadcaster looks as well, in its own
            looks.append(1)
        return read()

    def refuse(id: str) -> Any:
        raise AssertionError("all pictures of a job for one of them")

    monkeypatch.setattr(services.store.database, "read", counted)
    monkeypatch.setattr(services.store.jobs, "images", refuse)
    listed = await client.get(JOBS)
    assert [len(job["outputs"]) for job in listed.json()["jobs"]] == [1, 1, 1]
    assert len(looks) == 1
    assert (await client.get(f"{JOBS}/a/images/0/thumbnail")).status_code == 200
    assert len(looks) == 2
