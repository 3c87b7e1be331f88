"""A1111's scripts are kinds of jobs: SD upscale is the second pass of hires fix over the picture that was sent."""

from typing import Any

import pytest

from modules.errors import InvalidRequest
from modules.jobs.kinds.scripts import without_script


def sd_upscale(**changes: Any) -> dict[str, Any]:
    return {
        "prompt": "cat", "denoising_strength": 0.3, "init_images": ["picture"], "width": 512, "height": 640,
        "script_name": "SD upscale", "script_args": ["", 64, "Lanczos", 3],
    } | changes  # fmt: skip


def test_it_enlarges_one_picture_and_draws_it_over_in_tiles() -> None:
    assert without_script("img2img", sd_upscale()) == (
        "txt2img",
        {
            "prompt": "cat", "denoising_strength": 0.3, "firstpass_image": "picture", "enable_hr": True,
            "hr_upscaler": "Lanczos", "hr_scale": 3, "hr_tile": 640,
        },
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "closed"),
    [
        ({"script_args": []}, {"hr_upscaler": "None", "hr_scale": 2.0}),
        ({"script_args": None, "width": 64, "height": 64}, {"hr_tile": 256}),
        ({"width": None, "height": "512"}, {"hr_tile": 512}),
        ({"width": 9999, "height": 100}, {"hr_tile": 4096}),
        ({"init_images": "picture", "mask": ""}, {"firstpass_image": "picture"}),
    ],
)
def test_what_is_left_out_is_as_a1111_has_it(changes: dict[str, Any], closed: dict[str, Any]) -> None:
    kind, request = without_script("img2img", sd_upscale(**changes))
    assert kind == "txt2img" and isinstance(request, dict)
    assert {name: request[name] for name in closed} == closed


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"mask": "mask"}, "mask", "send no mask"),
        ({"init_images": []}, "init_images", "send init_images with one"),
        ({"init_images": ["a", "b"]}, "init_images", "send init_images with one"),
        ({"script_args": ["", 64, 3, 2]}, "script_args", "upscaler 3 is no name: send one of GET"),
    ],
)
def test_what_it_does_not_take_is_told(changes: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words) as refused:
        without_script("img2img", sd_upscale(**changes))
    assert refused.value.field == field


@pytest.mark.parametrize("kind", ["txt2img", "img2img"])
def test_scripts_of_several_pictures_are_grids(kind: str) -> None:
    sent = {"prompt": "cat", "script_name": " x/y/z PLOT", "script_args": [4, "1-2"]}
    assert without_script(kind, sent) == (
        "grid", {"prompt": "cat", "of": kind, "script": "X/Y/Z plot", "script_args": [4, "1-2"]}
    )  # fmt: skip
    assert without_script(kind, {"script_name": "Prompt matrix"})[1] == {
        "of": kind, "script": "Prompt matrix", "script_args": None
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("extras", {"script_name": "Prompt matrix"}),
        ([], {"script_name": "Prompt matrix"}),
        ("img2img", {"script_name": "Loopback"}),
        ("img2img", {"script_name": None}),
        ("img2img", {}),
        ("img2img", []),
        ("txt2img", {"script_name": "SD upscale"}),
        (7, {"script_name": "SD upscale"}),
    ],
)
def test_all_else_stays_as_it_is(kind: object, data: object) -> None:
    assert without_script(kind, data) == (kind, data)
