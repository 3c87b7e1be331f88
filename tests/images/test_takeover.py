"""What is taken over from an infotext of A1111 or of another program, and what is told of the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies

from modules.images.infotext import looks_like_infotext, write
from modules.images.models_by_name import find_model
from modules.images.takeover import take_over, take_request
from modules.jobs.kinds.registry import validate_request
from modules.jobs.kinds.txt2img import TXT2IMG
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.defaults import ModelDefaults
from tests.jobs.made_jobs import HASH
from tests.jobs.made_jobs import resolved_job as resolved

PICTURE = "a" * 64 + ".png"
OTHER_HASH = "fedcba9876543210" * 4


def model(name: str, sha256: str | None = None, problem: str | None = None) -> Checkpoint:
    return Checkpoint(name, Path(name), "folder", 512, 512, sha256, ModelDefaults(), None, problem)


MODELS = (model("emoji", HASH), model("v1-5-pruned.safetensors", OTHER_HASH), model("broken", problem="no vae"))
PAIRS = "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 512x768"


def left(text: str, **more: Any) -> dict[str, tuple[str, str]]:
    return {one.label: (one.value, one.why) for one in take_over(text, MODELS, **more).left}


def test_what_was_copied_here_is_taken_over_whole() -> None:
    made = resolved(prompt="red heart\non blue", negative_prompt="blurry", seed=9007199254740993)
    found = take_over(write(made, 0), MODELS)
    assert found.values == {
        "prompt": "red heart\non blue", "negative_prompt": "blurry", "steps": 20, "sampler_name": "Euler a",
        "scheduler": "Automatic", "cfg_scale": 7.0, "width": 512, "height": 768, "seed": 9007199254740993,
    }  # fmt: skip
    assert (found.checkpoint, found.left) == ("emoji", [])
    assert found.taken == [
        "Prompt", "Negative prompt", "Steps", "Sampling method", "Schedule type", "CFG scale", "Size", "Seed",
        "Checkpoint",
    ]  # fmt: skip


def test_what_forge_writes_of_flux_is_taken_over() -> None:
    found = take_over(f"a\n{PAIRS}, Distilled CFG Scale: 3.5, Shift: 1.15", MODELS)
    assert (found.values["distilled_cfg_scale"], found.values["shift"], found.left) == (3.5, 1.15, [])
    told = take_over(f"a\n{PAIRS}, Distilled CFG Scale: much, Shift: 99", MODELS)
    assert {one.label: one.value for one in told.left} == {"Distilled CFG scale": "much", "Shift": "99.0"}


@pytest.mark.parametrize(
    ("said", "sampler", "schedule"),
    [
        ("Sampler: DPM++ 2M Karras", "DPM++ 2M", "Karras"),
        ("Sampler: DPM++ 2M", "DPM++ 2M", "Automatic"),
        ("Sampler: DPM++ 2M, Schedule type: SGM Uniform", "DPM++ 2M", "SGM Uniform"),
        ("Sampler: k_euler_a", "Euler a", "Automatic"),
        ("Sampler: DPM++ 2M SDE Exponential", "DPM++ 2M SDE", "Exponential"),
    ],
)
def test_old_and_new_names_of_samplers(said: str, sampler: str, schedule: str) -> None:
    values = take_over(f"a cat\nSteps: 20, {said}, CFG scale: 7, Seed: 1", MODELS).values
    assert (values["sampler_name"], values["scheduler"]) == (sampler, schedule)


def test_a_sampler_or_schedule_that_is_not_here_is_told() -> None:
    assert left("a\nSteps: 20, Sampler: Restart, Seed: 1")["Sampling method"] == ("Restart", "not known here")
    found = take_over("a\nSteps: 20, Sampler: DDIM, Schedule type: Karras, Seed: 1", MODELS)
    assert (found.values["sampler_name"], found.values["scheduler"]) == ("DDIM", "Automatic")
    assert found.left[0].why == "does not go with DDIM here; Automatic is chosen"
    unknown = left("a\nSteps: 20, Sampler: Euler, Schedule type: Align Your Steps, Seed: 1")
    assert unknown["Schedule type"] == ("Align Your Steps", "not known here; Automatic is chosen")


def test_the_model_is_found_by_its_hash_and_else_by_its_name() -> None:
    renamed = take_over(f"a\n{PAIRS}, Model hash: {OTHER_HASH[:10]}, Model: other", MODELS)
    assert (renamed.checkpoint, renamed.left) == ("v1-5-pruned.safetensors", [])
    assert take_over(f"a\n{PAIRS}, Model: V1-5-pruned", MODELS).checkpoint == "v1-5-pruned.safetensors"
    assert take_over(f"a\n{PAIRS}, Model hash: {HASH[:10]}", MODELS).checkpoint == "emoji"
    assert find_model("sd/emoji.ckpt", "", MODELS) is MODELS[0]
    assert find_model("", "0", MODELS) is None
    assert find_model(f"other [x] [{OTHER_HASH[:10]}]", "", MODELS) is MODELS[1]
    assert find_model("Emoji [0000000000]", "", MODELS) is MODELS[0]
    same_name = take_over(f"a\n{PAIRS}, Model hash: 1111111111, Model: emoji", MODELS)
    assert same_name.checkpoint == "emoji"
    assert "other weights [0123456789]" in same_name.left[0].why


def test_a_model_that_is_not_here_or_broken_is_told() -> None:
    assert left(f"a\n{PAIRS}, Model hash: 6ce0161689, Model: gone")["Checkpoint"] == (
        "gone [6ce0161689]", "is not here; the chosen one stays",
    )  # fmt: skip
    assert left(f"a\n{PAIRS}, Model: broken")["Checkpoint"][1] == "cannot be used: no vae"


def test_what_this_version_cannot_do_is_told_once_a_feature() -> None:
    said = (
        f"a <lora:pixel-art:0.8> cat, <lora:pixel-art:0.8>, <hypernet:x:1>\n{PAIRS}, Clip skip: 2, "
        "Variation seed: 5, "
        'Variation seed strength: 0.3, Lora hashes: "pixel-art: 0123456789ab", ControlNet 0: "Module: a, Model: b", '
        "ENSD: 31337, My extension: on, Version: v1.10.1"
    )
    assert left(said) == {
        "Hypernetwork": ("x", "not available in this version; it is left out of the picture"),
        "ControlNet": ("", "not available in this version"),
        "ENSD": ("31337", "is a setting (eta_noise_seed_delta), which stays as it is"),
        "My extension": ("on", "not known here"),
    }


def test_what_changes_nothing_is_not_told() -> None:
    quiet = "Clip skip: 1, ENSD: 0, RNG: CPU, Tiling: False, Batch size: 4, Batch pos: 1, User: me, Emphasis: Original"
    assert left(f"a\n{PAIRS}, {quiet}") == {}


HIRES = (
    "Denoising strength: 0.4, Hires checkpoint: v1-5-pruned [fedcba9876], Hires sampler: Euler, "
    'Hires prompt: "big, red", Hires upscale: 1.5, Hires steps: 8, Hires upscaler: Latent, Hires CFG Scale: 5'
)
INPAINT = (
    "Denoising strength: 0.6, Mask mode: Inpaint not masked, Mask blur: 6, Inpaint area: Only masked, "
    "Masked area padding: 48, Masked content: latent noise, Noise multiplier: 1.1, Soft inpainting enabled: True, "
    "Soft inpainting schedule bias: 2, Outpaint left: 64, Outpaint fill: mirror, Resize mode: Crop and resize"
)


def test_hires_fix_is_taken_over_where_its_fields_are(tmp_path: Path) -> None:
    found = take_over(f"a\n{PAIRS}, {HIRES}", MODELS)
    told = {name: value for name, value in found.values.items() if name.startswith(("hr_", "enable", "denoising"))}
    assert told == {
        "enable_hr": True, "denoising_strength": 0.4, "hr_checkpoint_name": "v1-5-pruned.safetensors",
        "hr_sampler_name": "Euler", "hr_prompt": "big, red", "hr_scale": 1.5, "hr_second_pass_steps": 8,
        "hr_upscaler": "Latent", "hr_cfg": 5,
    }  # fmt: skip
    assert found.left == [] and "Hires fix" in found.taken
    elsewhere = take_over(f"a\n{PAIRS}, {HIRES}", MODELS, kind="img2img")
    assert not any(name.startswith(("hr_", "enable", "denoising")) for name in elsewhere.values)
    assert {one.label: one.why for one in elsewhere.left} == {"Hires fix": "belongs to txt2img: take it over there"}
    known = CheckpointCatalogue([tmp_path]).upscalers
    for name, here in (("Lanczos", True), ("Latent (nearest)", True), ("4x-Gone", False)):
        found = take_over(f"a\n{PAIRS}, Hires upscale: 2, Hires upscaler: {name}", MODELS, upscalers=known)
        assert (found.values.get("hr_upscaler") == name) == here == (found.left == [])


def test_the_size_of_an_older_first_pass_is_the_first_one() -> None:
    values = take_over(f"a\n{PAIRS}, Denoising strength: 0.5, First pass size: 256x384", MODELS).values
    names = ("width", "height", "hr_resize_x", "hr_resize_y", "enable_hr")
    assert [values[name] for name in names] == [256, 384, 512, 768, True]


def test_what_a_picture_was_begun_with_is_taken_over_where_its_fields_are() -> None:
    found = take_over(f"a\n{PAIRS}, {INPAINT}", MODELS, {"init_images": [PICTURE], "mask": PICTURE}, kind="img2img")
    assert {
        "init_images": [PICTURE], "mask": PICTURE, "denoising_strength": 0.6, "inpainting_mask_invert": 1,
        "mask_blur": 6, "inpaint_full_res": True, "inpaint_full_res_padding": 48, "inpainting_fill": 2,
        "initial_noise_multiplier": 1.1, "soft_inpainting": True, "soft_inpainting_schedule_bias": 2,
        "outpaint_left": 64, "outpaint_fill": "mirror", "resize_mode": 1,
    }.items() <= found.values.items()  # fmt: skip
    assert found.left == []
    plain = take_over(f"a\n{PAIRS}, Denoising strength: 0.6, Mask blur: 4", MODELS, kind="img2img").values
    assert (plain["inpaint_full_res"], plain["inpainting_fill"], plain["inpainting_mask_invert"]) == (False, 1, 0)
    assert (plain["soft_inpainting"], plain["outpaint_left"], plain["resize_mode"]) == (False, 0, 0)
    assert "Soft inpainting" in found.taken
    assert "Soft inpainting" not in take_over(f"a\n{PAIRS}, Denoising strength: 1", MODELS, kind="img2img").taken


@pytest.mark.parametrize(
    ("kind", "said", "label", "setting"),
    [
        ("txt2img", "Hires upscale: 2, Extra noise: 0.1", "Extra noise", "img2img_extra_noise"),
        ("txt2img", "Hires upscale: 2, Hires refiner: both passes", "Hires refiner", "hires_fix_refiner_pass"),
        ("img2img", "Conditional mask weight: 0.5", "Conditional mask weight", "inpainting_mask_weight"),
        ("img2img", "Color correction: True", "Color correction", "img2img_color_correction"),
    ],
)
def test_what_is_a_setting_is_told_and_stays(kind: str, said: str, label: str, setting: str) -> None:
    told = left(f"a\n{PAIRS}, Denoising strength: 0.5, {said}", kind=kind)
    assert {label: why for label, (_, why) in told.items()} == {
        label: f"is a setting ({setting}), which stays as it is"
    }


def test_a_picture_from_a_picture_is_told_of_where_there_are_no_fields_for_it() -> None:
    assert left(f"a\n{PAIRS}, {INPAINT}") == {
        "Denoising strength": ("0.6", "belongs to img2img: take it over there"),
        "Inpainting": ("", "belongs to img2img: take it over there"),
    }


@pytest.mark.parametrize(("kind", "said"), [("txt2img", HIRES), ("img2img", INPAINT)])
def test_what_is_taken_over_can_be_asked_for(kind: str, said: str) -> None:
    own = {"init_images": [PICTURE], "mask": PICTURE}
    values = take_over(f"a\n{PAIRS}, {said}", MODELS, own, kind=kind).values
    asked = validate_request(kind, values)
    assert {name: getattr(asked, name) for name in values} == values | (
        {"init_images": (PICTURE,)} if kind == "img2img" else {}
    )


def test_a_job_that_is_edited_brings_its_second_pass_only_where_it_has_one() -> None:
    row = validate_request("txt2img", {"hr_scale": 3}).model_dump(mode="json")
    assert "hr_scale" not in take_request(row, MODELS).values
    assert take_request(row | {"enable_hr": True}, MODELS).values["hr_scale"] == 3


def test_values_out_of_bounds_stay_out_with_the_reason() -> None:
    found = take_over("a\nSteps: 500, Sampler: Euler, CFG scale: 99, Seed: 1, Size: 100x512", MODELS)
    assert set(found.values) == {"prompt", "negative_prompt", "seed", "sampler_name", "scheduler"}
    told = {one.label: one for one in found.left}
    assert told["Steps"].value == "500" and "150" in told["Steps"].why
    assert told["Size"].value == "100 × 512" and "96 or 104" in told["Size"].why
    assert left("a\nSteps: many, Sampler: Euler, Seed: 1")["Steps"] == ("many", "cannot be read")
    assert "10,000" in left("a" * 10_001 + f"\n{PAIRS}")["Prompt"][1]


def test_the_pictures_own_json_keeps_prompts_that_text_cannot_carry() -> None:
    trap = "a sign\nNegative prompt: of a shop\nSteps: 1, Seed: 2, Size: 8x8"
    made = resolved(prompt=trap, seed=2**60 + 1)
    own = {**TXT2IMG.picture(made, 0), "seed": 2**60}  # as a browser reads that number
    values = take_over(write(made, 0), MODELS, own).values
    assert (values["prompt"], values["negative_prompt"], values["seed"]) == (trap, "", 2**60 + 1)
    assert take_over("", MODELS, {"prompt": "a", "steps": 3}).values == {"prompt": "a", "steps": 3}


def test_a_text_is_an_infotext_only_with_its_settings() -> None:
    assert looks_like_infotext(f"a cat\n{PAIRS}")
    assert looks_like_infotext("Steps: 20, Seed: 1, Size: 64x64")
    assert not looks_like_infotext("a sign: open, hours: late")
    assert not looks_like_infotext("red heart\nNegative prompt: blurry")


def test_a_job_that_is_edited_keeps_what_it_left_open() -> None:
    found = take_request({"prompt": "a", "seed": -1, "override_settings": {"sd_model_checkpoint": "gone"}}, MODELS)
    assert found.values == {"prompt": "a", "seed": -1}
    assert found.left[0].label == "Checkpoint"


@settings(deadline=None, max_examples=200)
@given(strategies.text(), strategies.sampled_from(["", f"\n{PAIRS}", "\nSteps: 1, Sampler: x, Size: 9x9"]))
def test_what_is_taken_of_any_text_can_be_asked_for_and_the_rest_has_its_reason(text: str, pairs: str) -> None:
    found = take_over(text + pairs, MODELS)
    asked = validate_request("txt2img", found.values)
    assert {name: getattr(asked, name) for name in found.values} == found.values
    assert all(one.label and one.why for one in found.left)


@pytest.mark.parametrize("model_name", ["a" + " " * 2_000_000 + "b", "a [abc" * 300_000, " [" + "a" * 2_000_000])
def test_a_hostile_name_of_a_model_costs_no_more_than_its_length(model_name: str) -> None:
    """Quadratic, the first would take hours, and the server would answer nobody meanwhile: regular expressions wait
    for nobody. 200,000 characters, which is what the page takes, were two minutes.
    """
    found = take_over(f"p\n{PAIRS}, Model: {model_name}", MODELS)
    assert found.checkpoint is None and "Checkpoint" in [one.label for one in found.left]
