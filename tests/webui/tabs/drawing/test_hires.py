"""The fields of hires fix: what of them is sent, what they show of a request, and their lists."""

from __future__ import annotations

from modules.jobs.kinds.registry import validate_drawing
from modules.jobs.kinds.txt2img import Txt2ImgRequest
from modules.jobs.latent_upscaling import LATENT_MODES
from modules.jobs.models.catalogue import CheckpointCatalogue
from webui.tabs.drawing.rows import hires

FIELDS = {
    "prompt": "a cat", "enable_hr": True, "hr_upscaler": "gone", "denoising_strength": 0.5, "hr_scale": 1.5,
    "hr_second_pass_steps": 0, "hr_resize_x": 0, "hr_resize_y": 0, "hr_cfg": 0, "hr_distilled_cfg": 0, "hr_tile": 0,
    "hr_checkpoint_name": hires.SAME_CHECKPOINT, "hr_sampler_name": hires.SAME_SAMPLER,
    "hr_scheduler": hires.SAME_SCHEDULER, "hr_prompt": "", "hr_negative_prompt": "",
}  # fmt: skip


def test_without_a_second_pass_nothing_of_it_is_sent() -> None:
    assert hires.request(FIELDS | {"enable_hr": False}) == {"prompt": "a cat", "enable_hr": False}
    assert hires.request(FIELDS) == FIELDS
    assert FIELDS.keys() - {"prompt", "enable_hr"} == hires.HIRES_FIELDS


def test_what_the_fields_say_at_first_is_what_a_request_leaves_open() -> None:
    asked = validate_drawing("txt2img", hires.request(FIELDS))
    assert isinstance(asked, Txt2ImgRequest)
    open_ones = (
        asked.hr_checkpoint_name,
        asked.hr_sampler_name,
        asked.hr_scheduler,
        asked.hr_cfg,
        asked.hr_distilled_cfg,
    )
    assert open_ones == (None,) * 5


def test_settings_of_a_picture_switch_it_on_and_off_and_leave_nothing_of_the_one_before() -> None:
    assert hires.shown({"prompt": "a cat"}) == {"prompt": "a cat", "enable_hr": False}
    told = {"enable_hr": True, "hr_upscaler": "Latent", "hr_sampler_name": "DDIM", "hr_checkpoint_name": None}
    shown = hires.shown(told)
    assert [shown["hr_upscaler"], shown["hr_sampler_name"]] == ["Latent", "DDIM"]
    assert [shown["hr_checkpoint_name"], shown["hr_prompt"]] == [hires.SAME_CHECKPOINT, ""]


def test_its_lists_have_the_modes_of_latents_and_what_is_there(catalogue: CheckpointCatalogue) -> None:
    names = hires.upscalers(catalogue)["choices"]
    assert names[: len(LATENT_MODES)] == list(LATENT_MODES)
    assert {"None", "Lanczos", "Nearest"} <= set(names)
    assert ("The same", hires.SAME_CHECKPOINT) in hires.checkpoints(catalogue)["choices"]
