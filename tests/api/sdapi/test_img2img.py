"""POST img2img in A1111's form: the requests of its own tests and of its clients, and what they are answered."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import httpx
import pytest
from PIL import Image, ImageDraw

from modules.api.services import Services
from tests.api.conftest import FakeEngine
from tests.jobs.inputs.test_decoding import file_of

IMG2IMG = "/sdapi/v1/img2img"


def as_text(image: Image.Image, kind: str = "PNG") -> str:
    return base64.b64encode(file_of(image, kind)).decode()


def picture(side: int = 512) -> str:
    return as_text(Image.new("RGB", (side, side), "red"))


def mask(side: int = 512) -> str:
    drawn = Image.new("L", (side, side))
    ImageDraw.Draw(drawn).rectangle((side // 4, side // 4, side // 2, side // 2), fill=255)
    return as_text(drawn)


def of_its_tests(**changes: Any) -> dict[str, Any]:
    """Return the request that A1111's own tests of img2img send (v1.10.1, `test/test_img2img.py`)."""
    return {
        "batch_size": 1, "cfg_scale": 7, "denoising_strength": 0.75, "eta": 0, "height": 64,
        "include_init_images": False, "init_images": [picture()], "inpaint_full_res": False,
        "inpaint_full_res_padding": 0, "inpainting_fill": 0, "inpainting_mask_invert": False, "mask": None,
        "mask_blur": 4, "n_iter": 1, "negative_prompt": "", "override_settings": {}, "prompt": "example prompt",
        "resize_mode": 0, "restore_faces": False, "s_churn": 0, "s_noise": 1, "s_tmax": 0, "s_tmin": 0,
        "sampler_index": "Euler a", "seed": -1, "seed_resize_from_h": -1, "seed_resize_from_w": -1, "steps": 3,
        "styles": [], "subseed": -1, "subseed_strength": 0, "tiling": False, "width": 64,
    } | changes  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"mask": mask()},
        {"mask": mask(), "inpainting_mask_invert": True},
        {"mask": mask(100), "inpaint_full_res": True, "inpaint_full_res_padding": 32, "mask_blur": None},
        {"init_images": [f"data:image/png;base64,{picture()}"], "resize_mode": 3},
        {"init_images": [as_text(Image.new("RGBA", (65, 33), (9, 9, 9, 100)), "WEBP")], "resize_mode": 2},
    ],
    ids=["plain", "masked", "mask inverted", "only masked", "data: address", "transparent"],
)
async def test_what_a1111s_own_tests_send_is_drawn(
    client: httpx.AsyncClient, engine: FakeEngine, changes: dict[str, Any]
) -> None:
    answer = await client.post(IMG2IMG, json=of_its_tests(**changes))
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert set(told) == {"images", "parameters", "info"}
    with Image.open(io.BytesIO(base64.b64decode(told["images"][0], validate=True))) as drawn:
        assert drawn.format == "PNG"
    info = json.loads(told["info"])
    assert info["denoising_strength"] == 0.75
    assert (info["prompt"], info["steps"], info["batch_size"]) == ("example prompt", 3, 1)
    assert told["parameters"]["init_images"] is None and told["parameters"]["mask"] is None


async def test_a1111s_sd_upscale_is_the_second_pass_of_hires_fix(
    client: httpx.AsyncClient, engine: FakeEngine, services: Services
) -> None:
    script = {"script_name": "sd upscale", "script_args": ["", 8, "Lanczos", 2.0], "force_task_id": "mine"}
    answer = await client.post(IMG2IMG, json=of_its_tests(**script))
    assert answer.status_code == 200, answer.text
    with Image.open(io.BytesIO(base64.b64decode(answer.json()["images"][0]))) as drawn:
        assert drawn.size == (1024, 1024)
    job = services.store.jobs.get("mine")
    assert job is not None and (job.kind, job.request["hr_upscaler"]) == ("txt2img", "Lanczos")
    assert (await client.post(IMG2IMG, json=of_its_tests(script_name="loopback"))).status_code == 422


async def test_what_webuiapi_sends_is_drawn(client: httpx.AsyncClient, engine: FakeEngine) -> None:
    request = {
        "init_images": [picture(64)], "resize_mode": 0, "denoising_strength": 0.75, "image_cfg_scale": 1.5,
        "mask_blur": 4, "inpainting_fill": 0, "inpaint_full_res": True, "inpaint_full_res_padding": 0,
        "inpainting_mask_invert": 0, "initial_noise_multiplier": 1, "prompt": "cat", "styles": [], "seed": 7,
        "subseed": -1, "subseed_strength": 0, "seed_resize_from_h": 0, "seed_resize_from_w": 0,
        "sampler_name": "Euler a", "scheduler": "automatic", "batch_size": 2, "n_iter": 1, "steps": 4,
        "cfg_scale": 7.0, "width": 64, "height": 64, "restore_faces": False, "tiling": False,
        "do_not_save_samples": False, "do_not_save_grid": False, "negative_prompt": "", "eta": 1.0, "s_churn": 0,
        "s_tmax": 0, "s_tmin": 0, "s_noise": 1, "override_settings": {}, "override_settings_restore_afterwards": True,
        "script_args": [], "include_init_images": False, "script_name": None, "send_images": True,
        "save_images": False, "alwayson_scripts": {}, "sampler_index": "Euler a",
    }  # fmt: skip
    answer = await client.post(IMG2IMG, json=request)
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["images"]) == 2
    assert json.loads(answer.json()["info"])["all_seeds"] == [7, 8]


async def test_pictures_come_back_if_they_are_wanted(client: httpx.AsyncClient, engine: FakeEngine) -> None:
    sent = {"mask": mask(64), "init_images": [picture(64)], "include_init_images": True}
    told = (await client.post(IMG2IMG, json=of_its_tests(**sent))).json()["parameters"]
    for name, text in (("init", told["init_images"][0]), ("mask", told["mask"])):
        with Image.open(io.BytesIO(base64.b64decode(text, validate=True))) as back:
            assert back.size == (64, 64), name
            expected = (255, 0, 0) if name == "init" else (255, 255, 255)
            assert back.convert("RGB").getpixel((20, 20)) == expected


async def test_a_request_without_a_picture_is_refused_as_a1111_does_it(
    client: httpx.AsyncClient, services: Services
) -> None:
    for body in ({}, {"init_images": None}):
        answer = await client.post(IMG2IMG, json=body)
        assert answer.status_code == 404
        assert answer.json()["detail"].startswith("Init image not found")
    for init_images in ([], [""], [None], "x", ["https://example.com/a.png"], ["Zm9v"], [7], ["0" * 64 + ".png"]):
        answer = await client.post(IMG2IMG, json={"init_images": init_images})
        assert answer.status_code == 422, init_images
        assert answer.json()["detail"][0]["loc"] == ["body", "init_images"], init_images
    answer = await client.post(IMG2IMG, json=of_its_tests(mask="not base64!"))
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", "mask"])
    assert services.store.jobs.page()[1] == 0


async def test_no_answer_list_or_event_carries_a_pictures_bytes(
    client: httpx.AsyncClient, engine: FakeEngine, services: Services
) -> None:
    noise = Image.effect_noise((64, 64), 90).convert("RGB")
    sent = as_text(noise)
    body = of_its_tests(init_images=[sent], mask=sent, force_task_id="mine")
    assert (await client.post(IMG2IMG, json=body)).status_code == 200
    request = (await client.get("/sdapi/v1/jobs/mine")).json()["request"]
    (name,) = request["init_images"]
    assert request["mask"] == name and (await client.get(f"/sdapi/v1/inputs/{name}")).status_code == 200
    rows = json.dumps([event.payload for event in services.store.events.after(0)])
    for text in (rows, (await client.get("/sdapi/v1/jobs")).text, (await client.get("/sdapi/v1/audit")).text):
        assert sent[:200] not in text and len(text) < 20_000


async def test_an_earlier_output_is_started_from_by_its_address(
    client: httpx.AsyncClient, engine: FakeEngine, services: Services
) -> None:
    await client.post("/sdapi/v1/txt2img", json={"width": 64, "height": 64, "force_task_id": "before"})
    address = "/sdapi/v1/jobs/before/images/0.png"
    body = of_its_tests(init_images=[address], include_init_images=True)
    told = (await client.post(IMG2IMG, json=body)).json()
    assert base64.b64decode(told["parameters"]["init_images"][0]) == (await client.get(address)).content
