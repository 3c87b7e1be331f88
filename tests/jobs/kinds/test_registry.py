"""Requests as A1111's clients send them: understood, or refused with the value and the remedy."""

from typing import Any

import pytest
from hypothesis import given, settings, strategies

from modules.errors import InvalidRequest
from modules.jobs.kinds.img2img import Img2ImgRequest
from modules.jobs.kinds.registry import validate_request
from modules.jobs.kinds.txt2img import Txt2ImgRequest
from modules.jobs.samplers import SAMPLERS


def check(**data: Any) -> Txt2ImgRequest:
    request = validate_request("txt2img", data)
    assert isinstance(request, Txt2ImgRequest)
    return request


@pytest.mark.parametrize(
    ("data", "field", "message"),
    [
        ({"width": 100}, "width", "Width 100 is not a multiple of 8: use 96 or 104."),
        ({"height": 63}, "height", "Height 63 is not possible: use 64 to 2,048 in steps of 8."),
        ({"width": 1_000_000}, "width", "Width 1,000,000 is not possible: use 64 to 2,048 in steps of 8."),
        ({"width": "wide"}, "width", 'Width "wide" is not a whole number: use 64 to 2,048 in steps of 8.'),
        ({"width": True}, "width", "Width true is not a whole number: use 64 to 2,048 in steps of 8."),
        ({"steps": 0}, "steps", "Steps 0 is not possible: use 1 to 150."),
        ({"steps": 10_000}, "steps", "Steps 10,000 is not possible: use 1 to 150."),
        ({"steps": 2.5}, "steps", "Steps 2.5 is not a whole number: use 1 to 150."),
        ({"steps": [5]}, "steps", "Steps [5] is not a whole number: use 1 to 150."),
        ({"batch_size": 1000}, "batch_size", "Batch size 1000 is not possible: use 1 to 16."),
        ({"n_iter": 0}, "n_iter", "Batch count 0 is not possible: use 1 to 1,000."),
        ({"cfg_scale": 31}, "cfg_scale", "CFG scale 31 is not possible: use 0 to 30 (1 is off)."),
        ({"cfg_scale": float("nan")}, "cfg_scale", "CFG scale NaN is not a number: use 0 to 30 (1 is off)."),
        (
            {"distilled_cfg_scale": 31},
            "distilled_cfg_scale",
            "Distilled CFG scale 31 is not possible: use 0 to 30.",
        ),
        ({"shift": 0}, "shift", "Shift 0 is not possible: use 0.1 to 20, or leave it out for the model's own."),
        ({"prompt": "a\0b"}, "prompt", "Prompt has a NUL character at position 2: take it out."),
        ({"prompt": "a" * 100_000}, "prompt", "Prompt has 100,000 characters: shorten it to 10,000."),
        ({"prompt": "a\ud800"}, "prompt", "Prompt has half a surrogate pair at position 2: take it out."),
        ({"negative_prompt": 5}, "negative_prompt", "Negative prompt 5 is not a text: send a string."),
        (
            {"sampler_name": "nope"},
            "sampler_name",
            f"Sampler 'nope' is not known: use one of {', '.join(sampler.name for sampler in SAMPLERS)}.",
        ),
        ({"sampler_name": 5}, "sampler_name", "Sampler 5 is not a name: send a string."),
        (
            {"sampler_name": "DDIM", "scheduler": "karras"},
            "scheduler",
            "Schedule type Karras does not go with sampler DDIM: use Automatic or Uniform or SGM Uniform.",
        ),
        (
            {"hr_additional_modules": ["other.safetensors"]},
            "hr_additional_modules",
            "Modules of its own for hires fix are not available in this version: send [] "
            '(hr_additional_modules was ["other.safetensors"]).',
        ),
        (
            {"script_name": "Loopback"},
            "script_name",
            'Script "Loopback" not found: use one of GET /sdapi/v1/scripts, or leave script_name out.',
        ),
        (
            {"alwayson_scripts": {"ADetailer": {"args": []}}},
            "alwayson_scripts",
            'Always-on script "ADetailer" not found: leave it out of alwayson_scripts.',
        ),
        ({"styles": 5}, "styles", "styles 5 is no list of names: send [] or leave it out."),
        ({"styles": [5]}, "styles", "A name in styles 5 is not a text: send a string."),
        ({"styles": ["a"] * 101}, "styles", "styles has 101 names: send at most 100."),
        (
            {"override_settings": {"CLIP_stop_at_last_layers": 13}},
            "override_settings",
            "13 is not possible for CLIP_stop_at_last_layers (Clip skip): use 1 to 12.",
        ),
        (
            {"override_settings": 5},
            "override_settings",
            "override_settings 5 is not an object: send {} or leave it out.",
        ),
        ({"save_images": "maybe"}, "save_images", 'save_images "maybe" is not a yes or no: use true or false.'),
    ],
)  # fmt: skip
def test_a_bad_value_names_value_and_remedy(data: dict[str, Any], field: str, message: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        validate_request("txt2img", data)
    assert str(caught.value) == message
    assert caught.value.field == field


def test_seeds_beyond_the_range_are_refused() -> None:
    assert check(seed=2**32 - 1).seed == 2**32 - 1
    assert check(seed=2**63 - 1).seed == 2**63 - 1
    for seed in (-2, 2**63):
        with pytest.raises(InvalidRequest, match=r"use -1 to 9,223,372,036,854,775,807 \(-1 draws one\)"):
            check(seed=seed)


def test_what_is_left_out_is_left_open() -> None:
    request = check()
    assert (request.steps, request.cfg_scale, request.width, request.height) == (None, None, None, None)
    assert (request.sampler_name, request.scheduler, request.save_images) == (None, None, None)
    assert (request.seed, request.batch_size, request.n_iter, request.send_images) == (-1, 1, 1, True)


def test_blank_values_mean_the_default() -> None:
    names = ("steps", "cfg_scale", "width", "seed", "batch_size", "sampler_name", "scheduler", "prompt", "save_images")
    assert check(**dict.fromkeys(names, "")) == check()
    assert check(**dict.fromkeys(names)) == check()


def test_numbers_may_come_as_text_or_floats() -> None:
    request = check(steps="20", width=512.0, cfg_scale="6.5", seed="-1")
    assert (request.steps, request.width, request.cfg_scale, request.seed) == (20, 512, 6.5, -1)


def test_the_request_of_webuiapi_is_understood() -> None:
    request = check(
        prompt="cat", sampler_name="Euler a", sampler_index="Euler a", scheduler="automatic", steps=20, eta=1.0,
        hr_upscaler="Latent", hr_scale=2, enable_hr=False, denoising_strength=0.7, styles=[], override_settings={},
        override_settings_restore_afterwards=True, alwayson_scripts={}, script_name=None, script_args=[],
        seed_resize_from_h=0, seed_resize_from_w=0, subseed=-1, subseed_strength=0.0, s_churn=0, s_noise=1,
        tiling=False, restore_faces=False, do_not_save_grid=False, do_not_save_samples=False, firstphase_width=0,
        cfg_scale=7.0, send_images=True, save_images=False, use_deprecated_controlnet=False, unknown={"deep": [1]},
    )  # fmt: skip
    assert (request.sampler_name, request.scheduler, request.save_images) == ("Euler a", "Automatic", False)


def test_the_request_of_sillytavern_is_understood() -> None:
    settings = {"CLIP_stop_at_last_layers": "2", "sd_vae": "soft.safetensors"}
    request = check(prompt="cat", sampler_name="DPM++ 2M", scheduler="Karras", clip_skip=1, override_settings=settings)
    assert (request.sampler_name, request.scheduler) == ("DPM++ 2M", "Karras")
    assert request.override_settings == {"CLIP_stop_at_last_layers": 2, "sd_vae": "soft.safetensors"}
    assert check(override_settings={"CLIP_stop_at_last_layers": 0}) == check(
        override_settings={"CLIP_stop_at_last_layers": 1}
    )


def test_a_refiner_is_a_name_and_a_part_of_the_steps() -> None:
    request = check(refiner_checkpoint=" fine ", refiner_switch_at="0.75")
    assert (request.refiner_checkpoint, request.refiner_switch_at) == ("fine", 0.75)
    for none in (None, "", "None"):
        assert check(refiner_checkpoint=none, refiner_switch_at=None) == check()
    with pytest.raises(InvalidRequest, match=r"Refiner switch at 1.5 is not possible: use 0 to 1"):
        check(refiner_switch_at=1.5)


def test_old_sampler_names_split_and_a_schedule_that_was_sent_wins() -> None:
    assert check(sampler_name="DPM++ 2M Karras").scheduler == "Karras"
    assert check(sampler_name="DPM++ 2M Karras", scheduler="exponential").scheduler == "Exponential"
    assert check(sampler_name="Euler a Karras", scheduler="automatic").scheduler == "Automatic"
    assert check(sampler_index="Heun").sampler_name == "Heun"
    assert check(sampler_name="UniPC", sampler_index="Heun").sampler_name == "UniPC"


@pytest.mark.parametrize("kind", ["grids", "", "TXT2IMG"])
def test_an_unknown_kind_is_refused(kind: str) -> None:
    with pytest.raises(InvalidRequest, match="are not known: use txt2img") as caught:
        validate_request(kind, {})
    assert caught.value.field == "kind"


@pytest.mark.parametrize("data", [None, [], "prompt", 5])
def test_a_request_that_is_no_object_is_refused(data: Any) -> None:
    with pytest.raises(InvalidRequest, match="is not an object"):
        validate_request("txt2img", data)


json_values = strategies.recursive(
    strategies.none() | strategies.booleans() | strategies.integers() | strategies.floats() | strategies.text(),
    lambda inner: strategies.lists(inner, max_size=3) | strategies.dictionaries(strategies.text(), inner, max_size=3),
    max_leaves=5,
)
others = ("script_name", "alwayson_scripts")
field_names = sorted({*Txt2ImgRequest.model_fields, *Img2ImgRequest.model_fields, *others})
PICTURE = "a" * 64 + ".png"


@settings(deadline=None, max_examples=500)
@given(
    strategies.sampled_from(["txt2img", "img2img"]),
    strategies.dictionaries(strategies.sampled_from(field_names), json_values, max_size=6),
)
def test_anything_is_understood_or_refused_and_stays_so(kind: str, data: dict[str, Any]) -> None:
    try:
        request = validate_request(kind, {"init_images": [PICTURE]} | data)
    except InvalidRequest as error:
        assert error.field
        assert str(error).endswith(".")
        return
    for stored in (request.model_dump(mode="json"), request.model_dump(mode="json", exclude_none=True)):
        assert validate_request(kind, stored) == request
