"""Hires fix: sizes, steps, words and models of the second pass by A1111's rules; what files and infotext tell of it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from modules.errors import InvalidRequest
from modules.images.infotext import parse, parse_pairs, write
from modules.jobs.inputs.inputs import Inputs
from modules.jobs.kinds.base import ResolvedJob
from modules.jobs.kinds.choice import Choice, Models
from modules.jobs.kinds.registry import validate_drawing
from modules.jobs.kinds.starts import Input
from modules.jobs.kinds.txt2img import TXT2IMG
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.model_file import ModelFile
from modules.jobs.models.upscalers import Upscaler
from modules.options import Settings
from tests.jobs.kinds.test_txt2img import checkpoint
from tests.jobs.made_models import make_model

LATENT = Upscaler("Latent")
FILE = Upscaler("4x", ModelFile("4x.pth", Path("4x.pth"), "upscaler", sha256="e" * 64))
NAME = "d" * 64 + ".png"


def other(name: str, **changes: Any) -> Checkpoint:
    return replace(checkpoint(sha256=name[0] * 64), name=name, path=Path(name), **changes)


def resolved(
    data: dict[str, Any], models: Models | None = None, settings: Settings | None = None, **own: Any
) -> ResolvedJob:
    request = validate_drawing("txt2img", {"enable_hr": True, "width": 512, "height": 768, "steps": 20} | data)
    models = models or Models(checkpoint(), upscaler=LATENT, **own)
    return request.resolve(models, settings or Settings(), lambda: 42, "float32", 2, find_input=found_input)


def found_input(name: str) -> Input:
    return Input(name=name, width=300, height=200)


@pytest.mark.parametrize(
    ("sent", "size", "pair"),
    [
        ({}, (1024, 1536), {"Hires upscale": "2"}),
        ({"hr_scale": 1.55}, (792, 1184), {"Hires upscale": "1.55"}),
        ({"hr_resize_x": 1024}, (1024, 1536), {"Hires upscale": "2"}),
        ({"hr_resize_y": 1000}, (664, 1000), {"Hires resize": "664x1000"}),
        ({"hr_resize_x": 1024, "hr_resize_y": 1024, "hr_scale": 3}, (1024, 1024), {"Hires resize": "1024x1024"}),
        ({"width": 1024, "height": 1024, "firstphase_width": 512, "firstphase_height": 768}, (1024, 1024),
         {"Hires resize": "1024x1024"}),
    ],
)  # fmt: skip
def test_the_second_pass_is_as_large_as_a1111_makes_it(
    sent: dict[str, Any], size: tuple[int, int], pair: dict[str, str]
) -> None:
    found = resolved(sent)
    first, second = found.passes
    assert (first.width, first.height) == (512, 768)
    assert (second.width, second.height) == size == found.size_of(0)
    pairs = parse_pairs(write(found, 0))
    assert {name: value for name, value in pairs.items() if name in ("Hires upscale", "Hires resize")} == pair
    assert pairs["Size"] == "512x768"


@pytest.mark.parametrize(
    ("sent", "of_list", "does"),
    [
        ({}, 26, 20),
        ({"denoising_strength": 0.5, "hr_second_pass_steps": 10}, 20, 10),
        ({"denoising_strength": 1}, 20, 20),
        ({"denoising_strength": 0}, 20, 1),
        ({"denoising_strength": 0.01}, 1000, 10),
    ],
)
def test_as_many_steps_are_done_as_were_asked_for_of_a_list_as_long_as_the_strength_needs(
    sent: dict[str, Any], of_list: int, does: int
) -> None:
    first, second = resolved(sent).passes
    assert (first.steps, first.begin, first.step_count) == (20, 0, 20)
    assert (second.steps, second.step_count) == (of_list, does)


def test_what_the_second_pass_has_of_its_own_is_drawn_with_and_told() -> None:
    hires = other("bold")
    found = resolved(
        {
            "prompt": "heart", "negative_prompt": "blue", "sampler_name": "DPM++ 2M", "scheduler": "Karras",
            "cfg_scale": 7, "hr_sampler_name": "Euler a", "hr_scheduler": "Exponential", "hr_prompt": "red heart",
            "hr_cfg": 5.5, "hr_second_pass_steps": 8, "denoising_strength": 0.4, "hr_tile": 512,
        },
        Models(checkpoint(), hires=hires, upscaler=FILE),
        Settings(ESRGAN_tile=256, img2img_extra_noise=0.05),
    )  # fmt: skip
    second = found.passes[1]
    assert (second.sampler_name, second.scheduler, second.cfg_scale, second.tile) == (
        "Euler a", "Exponential", 5.5, 512,
    )  # fmt: skip
    assert second.words is not None
    assert (second.words.prompt, second.words.negative_prompt) == ("red heart", "blue")
    assert second.enlarging is not None
    assert second.enlarging.model is not None
    assert (second.enlarging.upscaler, second.enlarging.model.hash, second.enlarging.tile) == ("4x", "e" * 64, 256)
    assert found.checkpoint_of(1).name == "bold"
    assert write(found, 0).split("\n")[-1] == (
        "Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 42, Size: 512x768, "
        "Model hash: aaaaaaaaaa, Model: emoji, Denoising strength: 0.4, Hires checkpoint: bold [bbbbbbbbbb], "
        "Hires sampler: Euler a, Hires prompt: red heart, Hires schedule type: Exponential, Hires upscale: 2, "
        "Hires steps: 8, Hires upscaler: 4x, Hires CFG Scale: 5.5, Hires tile: 512, "
        "Extra noise: 0.05, Version: steady-0.1.0"
    )
    picture = TXT2IMG.picture(found, 0)
    assert {name: picture[name] for name in (
        "width", "steps", "hr_resize_x", "hr_upscaler_hash", "hr_cfg", "img2img_extra_noise",
    )} == {
        "width": 512, "steps": 20, "hr_resize_x": 1024, "hr_upscaler_hash": "e" * 64, "hr_cfg": 5.5,
        "img2img_extra_noise": 0.05,
    }  # fmt: skip


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"hr_scale": 1.55, "hr_upscaler": "Lanczos", "denoising_strength": 0.3, "hr_second_pass_steps": 7},
        {"hr_resize_x": 640, "hr_resize_y": 640, "hr_prompt": "blue: heart", "hr_cfg": 2.5, "hr_tile": 512},
        {"hr_sampler_name": "DDIM", "hr_scheduler": "Uniform", "hr_negative_prompt": "grey"},
    ],
)
def test_infotext_to_request_to_infotext_is_the_same(sent: dict[str, Any]) -> None:
    made = write(resolved(sent | {"seed": 7, "prompt": "heart", "negative_prompt": "dark"}), 0)
    read = parse(made)
    del read["override_settings"]
    assert write(resolved(read), 0) == made


def test_what_is_not_sent_is_as_in_the_first_pass_and_not_told() -> None:
    same = {
        "hr_sampler_name": "Use same sampler", "hr_scheduler": "Use same scheduler", "hr_prompt": "", "hr_cfg": 0,
        "hr_checkpoint_name": "Use same checkpoint", "hr_second_pass_steps": 0,
    }  # fmt: skip
    found = resolved({"sampler_name": "Heun", "cfg_scale": 3} | same)
    first, second = found.passes
    assert (second.sampler_name, second.scheduler, second.cfg_scale) == ("Heun", first.scheduler, 3)
    assert (second.words, second.checkpoint, second.tile) == (None, None, None)
    assert [key for key in parse_pairs(write(found, 0)) if key.startswith("Hires")] == [
        "Hires upscale", "Hires upscaler",
    ]  # fmt: skip


def test_another_sampler_takes_the_first_ones_schedule_only_where_it_can() -> None:
    second = resolved({"sampler_name": "Euler", "scheduler": "Karras", "hr_sampler_name": "DDIM"}).passes[1]
    assert (second.sampler_name, second.scheduler) == ("DDIM", "Automatic")
    with pytest.raises(InvalidRequest, match="does not go with sampler DDIM") as refused:
        resolved({"hr_sampler_name": "DDIM", "hr_scheduler": "Karras"})
    assert refused.value.field == "hr_scheduler"


def test_a_large_second_pass_is_drawn_in_tiles() -> None:
    assert resolved({"hr_scale": 4}).passes[1].tile == 1024
    assert resolved({"hr_scale": 4, "hr_tile": 4096}).passes[1].tile is None


@pytest.mark.parametrize(
    ("setting", "models", "told"),
    [
        ("second pass", [None, None, "fine"], None),
        ("first pass", [None, "fine", None], "first pass"),
        ("both passes", [None, "fine", None, "fine"], "both passes"),
    ],
)
def test_a_refiner_takes_part_where_the_setting_says(setting: Any, models: list[str | None], told: str | None) -> None:
    found = resolved(
        {"refiner_switch_at": 0.8, "hr_second_pass_steps": 10},
        refiner=other("fine"),
        settings=Settings(hires_fix_refiner_pass=setting),
    )
    assert [None if one.checkpoint is None else one.checkpoint.name for one in found.passes] == models
    assert [one.step_count for one in found.passes if one.checkpoint is not None] in ([2], [4], [4, 2])
    assert sum(one.step_count for one in found.passes) == 30
    assert [one.enlarging is not None for one in found.passes].count(True) == 1
    assert parse_pairs(write(found, 0))["Refiner switch at"] == "0.8"
    assert parse_pairs(write(found, 0)).get("Hires refiner") == told


def test_a_finished_picture_is_only_drawn_over() -> None:
    found = resolved({"firstpass_image": NAME, "hr_second_pass_steps": 12, "denoising_strength": 0.5})
    (only,) = found.passes
    assert (only.width, only.height, only.step_count) == (600, 400, 12)
    assert only.start is not None
    assert only.start.picture_of(0) == Input(name=NAME, width=300, height=200)
    pairs = parse_pairs(write(found, 0))
    assert (pairs["Steps"], pairs["Size"], pairs["Hires upscale"]) == ("12", "300x200", "2")
    assert TXT2IMG.picture(found, 0)["firstpass_image"] == NAME


def test_without_it_nothing_of_it_is_in_file_or_events() -> None:
    plain = resolved({"enable_hr": False, "hr_scale": 3, "hr_prompt": "x"})
    assert len(plain.passes) == 1
    assert not [name for name in TXT2IMG.told(plain) if name.startswith(("hr_", "enable", "denoising"))]


@pytest.mark.parametrize(
    ("sent", "field", "message"),
    [
        ({"hr_scale": 8, "width": 2048, "height": 2048}, "hr_scale", "Hires fix would make 16,384 × 16,384"),
        ({"hr_resize_x": 4, "enable_hr": True}, "hr_resize_x", "Hires width 4 is not a multiple of 8"),
        ({"hr_resize_x": 8}, "hr_resize_x", "sides of 64 to 8,192 pixels are possible"),
        ({"hr_tile": 100}, "hr_tile", "Tile of hires fix 100 is not possible: use 0 .automatic., or 256 to 4,096"),
        ({"hr_second_pass_steps": 200}, "hr_second_pass_steps", "Hires steps 200 is not possible: use 0 to 150"),
        ({"firstphase_width": 64}, "firstphase_height", "firstphase_height is missing"),
        ({"firstpass_image": "cat.png"}, "firstpass_image", "firstpass_image \"cat.png\" is no picture"),
        ({"firstpass_image": NAME, "mask": NAME}, "mask", "A mask is for img2img, which has no second pass"),
        ({"init_images": [NAME]}, "init_images", "Pictures to begin with are for img2img"),
        ({"firstpass_image": NAME, "enable_hr": False}, "firstpass_image", "send enable_hr true, or leave it out"),
        ({"hr_upscaler": "8x-Nobody"}, "hr_upscaler", "Upscaler '8x-Nobody' is not known: use one of Latent, None"),
        ({"hr_checkpoint_name": "nobody"}, "hr_checkpoint_name", "Hires checkpoint 'nobody' is not known"),
        ({"denoising_strength": 1.5}, "denoising_strength", "Denoising strength 1.5 is not possible: use 0 to 1"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_at_its_field(
    catalogue: CheckpointCatalogue, sent: dict[str, Any], field: str, message: str
) -> None:
    with pytest.raises(InvalidRequest, match=message) as refused:
        find_models(catalogue, sent)
    assert refused.value.field == field


@pytest.fixture
def catalogue(tmp_path: Path) -> CheckpointCatalogue:
    for name in ("one", "two"):
        make_model(tmp_path / "Stable-diffusion" / name)
    return CheckpointCatalogue([tmp_path])


def find_models(catalogue: CheckpointCatalogue, sent: dict[str, Any]) -> Models:
    request = validate_drawing("txt2img", {"enable_hr": True} | sent)
    return request.find_models(catalogue, Settings(sd_model_checkpoint="one"))


def test_models_of_the_second_pass_are_chosen_when_it_is_sent(catalogue: CheckpointCatalogue) -> None:
    models = find_models(catalogue, {"hr_checkpoint_name": "two", "hr_upscaler": "lanczos"})
    choice = Choice.of(models)
    assert choice.hires is not None
    assert choice.upscaler is not None
    assert (choice.hires.name, choice.upscaler.name, choice.upscaler.hash) == ("two", "Lanczos", None)
    assert Choice.model_validate(choice.model_dump(mode="json")) == choice
    assert find_models(catalogue, {"hr_checkpoint_name": "one"}).hires is None
    assert find_models(catalogue, {}).upscaler == LATENT


def test_a_finished_picture_may_not_become_too_large(tmp_path: Path) -> None:
    inputs = Inputs(tmp_path)
    made = tmp_path / "wide.png"
    Image.new("RGB", (3000, 64)).save(made)
    name = inputs.take_in(made.read_bytes()).name
    request = validate_drawing("txt2img", {"enable_hr": True, "firstpass_image": name, "hr_scale": 4})
    with pytest.raises(InvalidRequest, match=r"12,000 × 256 of 3,000 × 64") as refused:
        request.check_inputs(inputs)
    assert refused.value.field == "hr_scale"


def test_only_what_can_draw_in_tiles_does(catalogue: CheckpointCatalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    for family, tile in (("sd1", 1024), ("flux", None), ("", 1024)):
        models = Models(replace(checkpoint(), family=family), upscaler=LATENT)
        assert resolved({"hr_scale": 4}, models).passes[1].tile == tile, family
    found = replace(catalogue.find("one"), family="flux")
    monkeypatch.setattr(catalogue, "find", lambda name: found)
    with pytest.raises(InvalidRequest, match="one cannot draw in tiles: leave hr_tile out") as refused:
        find_models(catalogue, {"hr_tile": 512})
    assert refused.value.field == "hr_tile"
