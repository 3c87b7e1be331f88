"""POST txt2img answers in A1111's form, and its clients hold no thread."""

import asyncio
import base64
import hashlib
import io
import json
from typing import Any

import httpx
import pytest
from PIL import Image
from starlette.types import ASGIApp, Message

from modules.api.live.broadcaster import Broadcaster
from modules.api.server.threads import Workers
from modules.api.services import Services
from modules.images.picture_info import read_parameters
from tests.api.conftest import FakeEngine, until

TXT2IMG = "/sdapi/v1/txt2img"
A1111_INFO_KEYS = {
    "prompt", "all_prompts", "negative_prompt", "all_negative_prompts", "seed", "all_seeds", "subseed", "all_subseeds",
    "subseed_strength", "width", "height", "sampler_name", "cfg_scale", "steps", "batch_size", "restore_faces",
    "face_restoration_model", "sd_model_name", "sd_model_hash", "sd_vae_name", "sd_vae_hash", "seed_resize_from_w",
    "seed_resize_from_h", "denoising_strength", "extra_generation_params", "index_of_first_image", "infotexts",
    "styles", "job_timestamp", "clip_skip", "is_using_inpainting_conditioning", "version",
}  # fmt: skip


async def test_the_answer_has_images_parameters_and_info(client: httpx.AsyncClient, engine: FakeEngine) -> None:
    body = {"prompt": "red heart", "seed": 7, "steps": 3, "batch_size": 2, "width": 64, "height": 64, "unknown": [1]}
    answer = await client.post(TXT2IMG, json=body)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert float(answer.headers["x-process-time"]) >= 0
    content = answer.json()
    assert set(content) == {"images", "parameters", "info"}
    assert content["parameters"]["prompt"] == "red heart"
    assert content["parameters"]["n_iter"] == 1
    info = json.loads(content["info"])
    assert set(info) >= A1111_INFO_KEYS
    assert info["all_seeds"] == [7, 8]
    assert info["all_prompts"] == ["red heart", "red heart"]
    assert info["sd_model_name"] == "emoji"
    assert len(info["sd_model_hash"]) == 10
    assert len(info["infotexts"]) == len(content["images"]) == 2
    assert len(info["job_timestamp"]) == 14
    assert info["notes"] == []


async def test_an_infotext_gives_what_a_request_leaves_out(client: httpx.AsyncClient, engine: FakeEngine) -> None:
    text = "red heart\nSteps: 3, Sampler: Euler a, CFG scale: 4.5, Seed: 7, Size: 64x128, Model: EMOJI.safetensors"
    content = (await client.post(TXT2IMG, json={"infotext": text, "cfg_scale": 6})).json()
    asked = {"prompt": "red heart", "steps": 3, "sampler_name": "Euler a", "cfg_scale": 6, "seed": 7, "width": 64}
    assert {name: content["parameters"][name] for name in asked} == asked
    assert content["parameters"]["override_settings"] == {"sd_model_checkpoint": "emoji"}
    queued = await client.post("/sdapi/v1/jobs", json={"kind": "txt2img", "request": {"infotext": text}})
    assert queued.status_code == 200
    refused = await client.post(TXT2IMG, json={"infotext": text.replace("EMOJI", "gone")})
    assert refused.status_code == 422
    assert "gone" in refused.json()["detail"][0]["msg"]


async def test_the_seeds_of_variations_are_told(client: httpx.AsyncClient, engine: FakeEngine) -> None:
    varied = {"subseed": 30, "subseed_strength": 0.25, "seed_resize_from_w": 512, "seed_resize_from_h": 768}
    body = {"seed": 7, "steps": 3, "batch_size": 2, "width": 64, "height": 64} | varied
    info = json.loads((await client.post(TXT2IMG, json=body)).json()["info"])
    assert (info["all_seeds"], info["all_subseeds"]) == ([7, 7], [30, 31])
    assert {name: info[name] for name in varied} == varied
    assert info["extra_generation_params"] == {}


async def test_an_image_is_the_raw_base64_of_the_files_bytes(
    client: httpx.AsyncClient, engine: FakeEngine, services: Services
) -> None:
    body = {"prompt": "red heart", "seed": 5, "width": 64, "height": 64, "force_task_id": "mine"}
    content = (await client.post(TXT2IMG, json=body)).json()
    data = base64.b64decode(content["images"][0], validate=True)
    assert read_parameters(data).info.startswith("red heart\n")
    image = services.store.jobs.images("mine")[0]
    assert (services.folder.root / image.name).read_bytes() == data
    by_url = await client.get("/sdapi/v1/jobs/mine/images/0.png")
    assert hashlib.sha256(by_url.content).digest() == hashlib.sha256(data).digest()
    assert "immutable" in by_url.headers["cache-control"]


async def test_a_value_left_out_is_the_models_own(client: httpx.AsyncClient, engine: FakeEngine) -> None:
    info = json.loads((await client.post(TXT2IMG, json={})).json()["info"])
    assert (info["width"], info["height"]) == (128, 128)
    assert info["seed"] == 1234


async def test_what_people_are_told_of_a_job_is_in_its_info(
    client: httpx.AsyncClient, engine: FakeEngine, services: Services
) -> None:
    engine.between_images = lambda job, index: services.store.claims.note(job.id, "networks", "LoRA 'a' is not here.")
    info = json.loads((await client.post(TXT2IMG, json={"prompt": "<lora:a:2>"})).json()["info"])
    assert info["notes"] == ["LoRA 'a' is not here."]


async def test_images_are_not_sent_when_not_wanted_and_not_saved_unless_asked(
    client: httpx.AsyncClient, engine: FakeEngine, services: Services
) -> None:
    content = (await client.post(TXT2IMG, json={"send_images": False, "force_task_id": "a"})).json()
    assert content["images"] == []
    assert len(json.loads(content["info"])["infotexts"]) == 1
    assert services.store.jobs.images("a")[0].name.startswith("results/")
    await client.post(TXT2IMG, json={"save_images": True, "force_task_id": "b"})
    assert services.store.jobs.images("b")[0].name.startswith("outputs/")


async def test_a_bad_value_is_a_422_that_names_it_and_the_remedy(client: httpx.AsyncClient) -> None:
    answer = await client.post(TXT2IMG, json={"width": 100})
    assert answer.status_code == 422
    content = answer.json()
    assert set(content) == {"error", "detail", "body", "errors"}
    assert content["detail"][0]["loc"] == ["body", "width"]
    assert "100" in content["errors"]
    assert "104" in content["errors"]


async def test_bad_input_of_every_kind_is_refused_and_nothing_is_queued(
    client: httpx.AsyncClient, services: Services
) -> None:
    bad = [
        {"steps": 0}, {"steps": 10_000}, {"batch_size": 1000}, {"sampler_name": "No such"}, {"prompt": "a\0b"},
        {"prompt": "x" * 100_000}, {"override_settings": {"sd_model_checkpoint": "nothing"}}, {"force_task_id": "a/b"},
    ]  # fmt: skip
    for body in bad:
        answer = await client.post(TXT2IMG, json=body)
        assert answer.status_code == 422, (body, answer.text)
        assert answer.json()["detail"]
    for raw in (b"", b"{", b"[]", b"nonsense"):
        assert (await client.post(TXT2IMG, content=raw)).status_code == 422
    assert services.store.jobs.page()[1] == 0


async def test_a_body_that_nobody_means_to_send_is_a_413(client: httpx.AsyncClient) -> None:
    answer = await client.post("/sdapi/v1/options", content=b" " * (2 << 20))
    assert answer.status_code == 413
    assert "1 MiB" in answer.json()["detail"]


async def test_a_model_with_a_missing_file_is_a_422_that_names_it(
    client: httpx.AsyncClient, services: Services
) -> None:
    checkpoint = services.catalogue.find("emoji")
    (checkpoint.path / "vae" / "diffusion_pytorch_model.safetensors").unlink()
    services.catalogue.refresh()
    answer = await client.post(TXT2IMG, json={"prompt": "red heart"})
    assert answer.status_code == 422
    assert "vae/diffusion_pytorch_model.safetensors" in answer.json()["errors"]


async def test_a_taken_id_is_a_409(client: httpx.AsyncClient, engine: FakeEngine) -> None:
    assert (await client.post(TXT2IMG, json={"force_task_id": "mine"})).status_code == 200
    answer = await client.post(TXT2IMG, json={"force_task_id": "mine"})
    assert answer.status_code == 409
    assert "mine" in answer.json()["detail"]


async def test_a_failed_job_is_a_500_with_its_error(client: httpx.AsyncClient, engine: FakeEngine) -> None:
    engine.fail_with = "The weights are upside down."
    answer = await client.post(TXT2IMG, json={})
    assert answer.status_code == 500
    content = answer.json()
    assert content["error"] == "JobFailed"
    assert content["errors"] == "The weights are upside down."


async def test_an_interrupted_job_is_a_200_with_the_images_there_are(
    client: httpx.AsyncClient, engine: FakeEngine, services: Services
) -> None:
    def stop_before_the_third(job: object, index: int) -> None:
        if index == 2:
            services.state.interrupt("mine")

    engine.between_images = stop_before_the_third
    answer = await client.post(TXT2IMG, json={"n_iter": 5, "seed": 3, "force_task_id": "mine"})
    assert answer.status_code == 200
    content = answer.json()
    assert len(content["images"]) == 2
    assert json.loads(content["info"])["all_seeds"] == [3, 4, 5, 6, 7]


async def test_a_queued_job_that_is_interrupted_or_removed_is_answered_at_once(
    client: httpx.AsyncClient, services: Services
) -> None:
    first = asyncio.create_task(client.post(TXT2IMG, json={"force_task_id": "first"}))
    second = asyncio.create_task(client.post(TXT2IMG, json={"force_task_id": "second"}))
    await until(lambda: services.store.jobs.get("first") and services.store.jobs.get("second"))
    assert (await client.post("/sdapi/v1/jobs/first/interrupt")).json() == {"accepted": True, "was": "queued"}
    assert (await client.delete("/sdapi/v1/jobs/second")).status_code == 200
    answer = await first
    assert answer.status_code == 200
    assert answer.json()["images"] == []
    assert json.loads(answer.json()["info"])["prompt"] == ""
    assert (await second).status_code == 410


async def test_the_owner_is_the_basic_user_or_the_address(
    client: httpx.AsyncClient, engine: FakeEngine, services: Services
) -> None:
    await client.post(TXT2IMG, json={"force_task_id": "a"})
    await client.post(TXT2IMG, json={"force_task_id": "b"}, auth=("maria", "secret"))
    await client.post(TXT2IMG, json={"force_task_id": "c"}, headers={"authorization": "Basic"})
    owners = [job.owner for name in "abc" if (job := services.store.jobs.get(name))]
    assert owners == ["127.0.0.1", "maria", "127.0.0.1"]


async def test_the_noticeboard_is_idle_when_the_client_is_answered(
    client: httpx.AsyncClient, engine: FakeEngine
) -> None:
    for _ in range(5):
        await client.post(TXT2IMG, json={})
        progress = (await client.get("/sdapi/v1/progress")).json()
        assert progress["progress"] == 0
        assert progress["state"]["job_count"] == 0


async def test_a_stopped_server_tells_who_waits_to_come_back(client: httpx.AsyncClient, services: Services) -> None:
    waiting = asyncio.create_task(client.post(TXT2IMG, json={"force_task_id": "mine"}))
    await until(lambda: services.store.jobs.get("mine"))
    services.shutdown.stop()
    answer = await waiting
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    job = services.store.jobs.get("mine")
    assert job is not None
    assert job.status == "queued"


async def test_a_leaving_server_still_answers_who_waits(
    client: httpx.AsyncClient, engine: FakeEngine, services: Services
) -> None:
    engine.go.clear()
    waiting = asyncio.create_task(client.post(TXT2IMG, json={"force_task_id": "mine"}))
    await until(lambda: services.shutdown.waiters == 1)
    services.shutdown.leave()
    services.broadcaster.leave()
    engine.go.set()
    answer = await waiting
    assert answer.status_code == 200
    assert answer.headers["connection"] == "close"
    assert services.shutdown.waiters == 0


@pytest.mark.parametrize("what", ["the job", "the queue"])
async def test_a_leaving_server_does_not_wait_for_what_is_paused(
    client: httpx.AsyncClient, services: Services, what: str
) -> None:
    waiting = asyncio.create_task(client.post(TXT2IMG, json={"force_task_id": "mine"}))
    await until(lambda: services.store.jobs.get("mine"))
    if what == "the job":
        services.store.control.ask("pause", "mine")
    else:
        services.store.queue.pause()
    await asyncio.sleep(0.05)
    assert not waiting.done(), "it waits as long as the server stays"
    services.shutdown.leave()
    answer = await waiting
    assert answer.status_code == 503
    assert "mine is paused" in answer.json()["errors"]
    assert services.shutdown.waiters == 0


async def test_a_hundred_waiting_clients_hold_no_thread(
    client: httpx.AsyncClient, engine: FakeEngine, services: Services
) -> None:
    engine.go.clear()
    waiting = [asyncio.create_task(client.post(TXT2IMG, json={"width": 64, "height": 64})) for _ in range(100)]
    await until(lambda: services.store.jobs.queued_count() == 100, 20)
    answer = await asyncio.wait_for(client.get("/sdapi/v1/progress"), 15)
    assert answer.status_code == 200
    await until(lambda: services.broadcaster.queue.total == 100, 20)
    assert (await asyncio.wait_for(client.post("/sdapi/v1/interrupt"), 15)).json() == {}
    engine.go.set()
    answers = await asyncio.gather(*waiting)
    assert {answer.status_code for answer in answers} == {200}


async def test_an_engine_that_was_given_up_is_a_503_with_the_reason(
    client: httpx.AsyncClient, services: Services
) -> None:
    given_up = {"engine": {"status": "given_up", "reason": "killed by SIGKILL"}}
    services.broadcaster._on_topic("supervisor", given_up)
    answer = await client.post(TXT2IMG, json={})
    assert answer.status_code == 503
    assert "SIGKILL" in answer.json()["detail"]
    assert services.store.jobs.page()[1] == 0


async def test_a_client_that_goes_away_stops_its_job_only_if_it_said_so(
    services: Services, engine: FakeEngine, application: ASGIApp
) -> None:
    engine.go.clear()
    for name, stop in (("stays", False), ("stops", True)):
        body = json.dumps({"force_task_id": name, "stop_on_disconnect": stop}).encode()
        messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
        await until(lambda: True)
        await disconnecting_post(application, TXT2IMG, messages, services, name)
    assert [job.status for name in ("stays", "stops") if (job := services.store.jobs.get(name))] == [
        "queued",
        "interrupted",
    ]


async def disconnecting_post(
    application: ASGIApp, path: str, messages: list[Message], services: Services, name: str
) -> None:
    """POST as a client that goes away as soon as its job is in the queue."""

    async def receive() -> Message:
        if messages:
            return messages.pop(0)
        await until(lambda: services.store.jobs.get(name))
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        pass

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
        "headers": [(b"host", b"localhost"), (b"content-type", b"application/json")],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 1),
    }  # fmt: skip
    await application(scope, receive, send)


def test_the_future_of_a_job_that_nobody_waits_for_is_forgotten(services: Services) -> None:
    async def scenario() -> None:
        broadcaster = Broadcaster(services.store, services.noticeboards, None, Workers(), services.identity)
        future = broadcaster.expect("job")
        broadcaster.forget("job", future)
        assert broadcaster._waiting == {}

    asyncio.run(scenario())


async def test_the_grid_comes_first_where_settings_and_request_want_it(
    client: httpx.AsyncClient, engine: FakeEngine
) -> None:
    async def posted(**more: object) -> tuple[list[str], dict[str, Any]]:
        body = {"prompt": "a", "seed": 7, "n_iter": 3, "width": 64, "height": 64, "save_images": True, **more}
        content = (await client.post(TXT2IMG, json=body)).json()
        return content["images"], json.loads(content["info"])

    wanted = {"override_settings": {"return_grid": True}}
    images, info = await posted(**wanted)
    assert (len(images), len(info["infotexts"]), info["index_of_first_image"], info["all_seeds"]) == (
        4,
        4,
        1,
        [7, 8, 9],
    )
    with Image.open(io.BytesIO(base64.b64decode(images[0]))) as grid:
        assert grid.size == (128, 128)
        assert [grid.getpixel(place) for place in ((0, 0), (64, 0), (0, 64))] == [(seed, 40, 90) for seed in (7, 8, 9)]
    assert info["infotexts"][0] == info["infotexts"][1]
    for without in ({}, wanted | {"n_iter": 1}, wanted | {"save_images": False}, wanted | {"do_not_save_grid": True}):
        images, info = await posted(**without)
        assert (info["index_of_first_image"], len(images)) == (0, without.get("n_iter", 3))
