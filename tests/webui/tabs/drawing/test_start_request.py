"""What a sub-tab's fields ask for, and what they show of a request."""

from __future__ import annotations

import json
from typing import Any

import pytest

from webui.tabs.drawing.start_request import names_in, request_of, shown_of

FIRST, SECOND, MASK = (f"{letter * 64}.png" for letter in "abc")
VALUES: dict[str, Any] = {
    "start_mode": "img2img", "init_images": json.dumps([FIRST]), "mask": MASK, "batch_images": "",
    "batch_folder": "", "as_condition": "", "denoising_strength": 0.6, "resize_by": "to", "scale": 1.5,
    "resize_mode": 1, "width": 512, "height": 384,
    "mask_blur": 6, "inpainting_mask_invert": 1, "inpainting_fill": 2, "inpaint_full_res": 1,
    "inpaint_full_res_padding": 40, "soft_inpainting": False, "soft_inpainting_schedule_bias": 2.0,
    "outpaint_left": "64", "outpaint_right": "0", "outpaint_top": "0", "outpaint_bottom": "32",
    "outpaint_fill": "mirror", "outpaint_blend": 16, "n_iter": 2,
}  # fmt: skip


def asked(**values: Any) -> dict[str, Any]:
    return request_of({**VALUES, **values})


def test_what_a_sub_tab_does_not_show_is_not_sent() -> None:
    plain = asked()
    assert plain["init_images"] == [FIRST]
    assert {"denoising_strength", "resize_mode", "width", "height", "n_iter"} <= plain.keys()
    of_others = ("mask", "inpaint", "outpaint", "soft", "start", "scale", "batch", "resize_by")
    assert [name for name in plain if name.startswith(of_others)] == []
    assert asked(resize_by="by")["scale"] == 1.5
    outpaint = asked(start_mode="outpaint")
    assert [name for name in outpaint if name.startswith("mask")] == []
    assert (outpaint["outpaint_left"], outpaint["outpaint_bottom"], outpaint["outpaint_fill"]) == (64, 32, "mirror")
    assert [name for name in asked(start_mode="inpaint") if name.startswith("outpaint")] == []


def test_an_inpaint_tab_sends_the_mask_and_how_it_is_used() -> None:
    request = asked(start_mode="inpaint_sketch")
    assert (request["mask"], request["mask_blur"], request["inpainting_fill"]) == (MASK, 6, 2)
    assert (request["soft_inpainting"], request["soft_inpainting_schedule_bias"]) == (False, 2.0)


def test_a_batch_draws_each_of_its_pictures_as_often_as_asked() -> None:
    request = asked(start_mode="batch", batch_images=json.dumps([FIRST, SECOND, FIRST]))
    assert (request["init_images"], request["n_iter"]) == ([FIRST, SECOND, FIRST], 6)
    assert asked(start_mode="batch", batch_images="", n_iter="many")["n_iter"] == "many", "told at its field"


@pytest.mark.parametrize(
    ("mode", "told"), [("img2img", "yes"), ("inpaint", "no"), ("outpaint", ""), ("batch", "yes")]
)  # fmt: skip
def test_a_request_comes_back_into_the_fields_that_made_it(mode: str, told: str) -> None:
    pictures = json.dumps([FIRST, SECOND])
    before = {**VALUES, "start_mode": mode, "batch_images": pictures, "soft_inpainting": True, "as_condition": told}
    request = json.loads(json.dumps(request_of(before)))
    shown = shown_of(request)
    assert shown["start_mode"] == mode
    assert request_of({**VALUES, "batch_images": "", **shown}) == request


def test_settings_of_a_picture_without_a_start_leave_sub_tab_and_picture_as_they_are() -> None:
    assert shown_of({"prompt": "a cat", "steps": 20}) == {"prompt": "a cat", "steps": 20}


def test_a_blur_that_is_the_same_both_ways_has_a_field() -> None:
    assert shown_of({"mask_blur_x": 7.0, "mask_blur_y": 7.0}) == {"mask_blur": 7.0}
    assert shown_of({"mask_blur": 3.0, "mask_blur_x": 4.0, "mask_blur_y": 4.0}) == {"mask_blur": 3.0}
    assert "mask_blur" not in shown_of({"mask_blur_x": 7.0, "mask_blur_y": 2.0})


@pytest.mark.parametrize("text", [None, "", "{", "[" * 100_000, "{}", 3])
def test_what_is_no_list_of_names_is_no_picture(text: object) -> None:
    assert names_in(text) == []
