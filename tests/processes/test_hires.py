"""Hires fix over the real API: both passes, and a finished picture alone."""

import base64
import io
import json

from PIL import Image

from tests.program import Program


def test_txt2img_is_drawn_twice_and_a_finished_picture_once(shared_program: Program) -> None:
    hires = {"enable_hr": True, "hr_upscaler": "emoji-2x", "hr_second_pass_steps": 1, "denoising_strength": 0.5}
    request = {"prompt": "cat", "seed": 7, "steps": 1, "width": 128, "height": 128, **hires}
    answer = shared_program.post("/sdapi/v1/txt2img", {**request, "hr_scale": 1.5})
    (picture,) = answer["images"]
    assert Image.open(io.BytesIO(base64.b64decode(picture))).size == (192, 192)
    (infotext,) = json.loads(answer["info"])["infotexts"]
    assert "Hires upscale: 1.5, Hires upscaler: emoji-2x" in infotext
    again = shared_program.post("/sdapi/v1/txt2img", {**request, "hr_resize_x": 160, "firstpass_image": picture})
    (larger,) = again["images"]
    assert Image.open(io.BytesIO(base64.b64decode(larger))).size == (160, 160)
