"""A1111's own requests of img2img, and bad pictures of every kind, over the real API to the real engine."""

import base64
import io
import json
import re
from typing import Any

import pytest
from PIL import Image

from tests.api.sdapi.test_img2img import as_text, mask, of_its_tests, picture
from tests.jobs.inputs.test_decoding import REFUSED
from tests.program import Program

IMG2IMG = "/sdapi/v1/img2img"


def drawn(answer: dict[str, Any]) -> Image.Image:
    (image,) = answer["images"]
    picture = Image.open(io.BytesIO(base64.b64decode(image, validate=True)))
    picture.load()
    return picture


def test_what_a1111s_own_tests_send_is_drawn(shared_program: Program) -> None:
    """`test_img2img_simple_performed` and its siblings; SD upscale with a picture that a processor enlarges soon."""
    for changes in (
        {},
        {"mask": mask()},
        {"mask": mask(), "inpainting_mask_invert": True},
        {"script_name": "sd upscale", "script_args": ["", 8, "Lanczos", 2.0], "init_images": [picture(64)]},
    ):
        answer = shared_program.post(IMG2IMG, of_its_tests(**changes), timeout_seconds=300)
        assert drawn(answer).size == ((128, 128) if "script_name" in changes else (64, 64))
        info = json.loads(answer["info"])
        assert info["denoising_strength"] == 0.75 and "Denoising strength: 0.75" in info["infotexts"][0]
        further = (
            {"Mask blur": "4"}
            if "mask" in changes
            else {"Hires upscaler": "Lanczos"}
            if "script_name" in changes
            else {}
        )
        assert further.items() <= info["extra_generation_params"].items()
        assert not {"Steps", "Seed", "Size", "Model"} & info["extra_generation_params"].keys()


def test_outside_of_the_mask_the_picture_stays_as_it_was(shared_program: Program) -> None:
    noise = Image.effect_noise((128, 96), 90).convert("RGB")
    request = of_its_tests(
        init_images=[as_text(noise)], mask=mask(96), mask_blur=2, width=128, height=96, inpaint_full_res=True, eta=1
    )
    with Image.open(io.BytesIO(base64.b64decode(as_text(noise)))) as before:
        after = drawn(shared_program.post(IMG2IMG, request, timeout_seconds=300))
        assert after.size == before.size
        for box in ((0, 0, 128, 12), (0, 60, 128, 96), (0, 0, 20, 96), (80, 0, 128, 96)):
            assert after.crop(box).tobytes() == before.crop(box).tobytes()
        assert after.crop((40, 30, 60, 45)).tobytes() != before.crop((40, 30, 60, 45)).tobytes()


ODD: list[tuple[str, Image.Image, str]] = [
    ("1 x 1", Image.new("RGB", (1, 1), "red"), "PNG"),
    ("a line", Image.new("RGB", (2000, 1), "red"), "PNG"),
    ("16 bits", Image.new("I;16", (40, 40), 40_000), "PNG"),
    ("CMYK", Image.new("CMYK", (40, 40), (9, 90, 9, 0)), "JPEG"),
    ("a palette", Image.new("P", (40, 40), 3), "GIF"),
    ("transparent", Image.new("RGBA", (40, 40), (9, 9, 9, 0)), "WEBP"),
]


def test_odd_pictures_are_drawn_from(shared_program: Program) -> None:
    for _, image, kind in ODD:
        request = of_its_tests(init_images=[as_text(image, kind)], mask=as_text(Image.new("L", (3, 70), 255)), steps=1)
        assert drawn(shared_program.post(IMG2IMG, request, timeout_seconds=300)).size[0] > 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        *(({"init_images": [base64.b64encode(data).decode()]}, words) for _, data, words in REFUSED[1:]),
        ({"mask": as_text(Image.new("L", (64, 64), 0))}, "mask covers nothing"),
        ({"mask": as_text(Image.new("L", (64, 64), 255)), "inpainting_mask_invert": 1}, "mask covers nothing"),
        ({"denoising_strength": 1.5}, "enoising"),
        ({"init_images": ["0" * 64 + ".png"]}, "is gone"),
        ({"init_images": ["/sdapi/v1/jobs/nosuch/images/0"]}, "There is no job"),
        ({"init_images": ["https://example.com/cat.png"]}, "Requests not allowed"),
    ],
)
def test_bad_pictures_are_told_with_their_field(shared_program: Program, changes: dict[str, Any], words: str) -> None:
    status, answer = shared_program.call("POST", IMG2IMG, of_its_tests(**changes))
    assert status == 422, answer[:300]
    told = json.loads(answer)
    assert told["detail"][0]["loc"][1] in changes
    assert re.search(words, told["errors"]), told["errors"]


def test_a_picture_that_is_deleted_while_its_job_waits_fails_that_job_in_words(shared_program: Program) -> None:
    shared_program.post("/sdapi/v1/queue/pause")
    try:
        waits = shared_program.submit("img2img", **of_its_tests(init_images=[picture(72)], eta=1))
        (name,) = shared_program.job(waits)["request"]["init_images"]
        (shared_program.data / "inputs" / name).unlink()
    finally:
        shared_program.post("/sdapi/v1/queue/resume")
    job = shared_program.wait_for(waits)
    assert job["status"] == "failed"
    assert name in job["error"] and "is gone: it was deleted" in job["error"] and "Choose it again" in job["error"]
    status, _ = shared_program.call("GET", f"/sdapi/v1/inputs/{name}")
    assert status == 404


@pytest.mark.parametrize("strength", [0, 1])
def test_strength_0_and_1_are_drawn(shared_program: Program, strength: float) -> None:
    request = of_its_tests(denoising_strength=strength, init_images=[picture(64)])
    assert drawn(shared_program.post(IMG2IMG, request, timeout_seconds=300)).size == (64, 64)
