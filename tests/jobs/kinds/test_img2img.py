"""img2img: steps, sizes and counts by A1111's rules; masks, growing, and what files, infotext and events tell."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from modules.errors import InputGone, InvalidRequest
from modules.images.infotext import parse, parse_pairs, write
from modules.jobs.inputs.inputs import Inputs
from modules.jobs.kinds.base import ResolvedJob
from modules.jobs.kinds.choice import Models
from modules.jobs.kinds.img2img import IMG2IMG, Img2ImgRequest
from modules.jobs.kinds.registry import validate_request
from modules.jobs.kinds.starts import Input, Mask, Outpaint, SoftMask
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.options import Settings
from tests.jobs.kinds.test_hires import other
from tests.jobs.kinds.test_txt2img import checkpoint
from tests.jobs.made_models import make_model

ONE, TWO, THREE, MASK = (letter * 64 + ".png" for letter in "123d")
SIZES = {ONE: (512, 768), TWO: (1000, 700), THREE: (3000, 1000), MASK: (100, 100)}


def found(name: str) -> Input:
    width, height = SIZES[name]
    return Input(name=name, width=width, height=height)


def checked(data: dict[str, Any]) -> Img2ImgRequest:
    request = validate_request("img2img", {"init_images": [ONE]} | data)
    assert isinstance(request, Img2ImgRequest)
    return request


def resolved(data: dict[str, Any], settings: Settings | None = None, **models: Any) -> ResolvedJob:
    models = {"checkpoint": checkpoint()} | models
    return checked({"steps": 20} | data).resolve(
        Models(**models), settings or Settings(), lambda: 42, "float32", 2, find_input=found
    )


@pytest.mark.parametrize(
    ("strength", "fix", "of_list", "begin"),
    [
        (0.75, False, 20, 4),
        (0.75, True, 26, 6),
        (1, False, 20, 0),
        (1, True, 20, 0),
        (0, False, 20, 19),
        (0, True, 20, 19),
        (0.5, True, 40, 20),
    ],
)
def test_the_strength_decides_the_steps_as_with_a1111(strength: float, fix: bool, of_list: int, begin: int) -> None:
    job = resolved({"denoising_strength": strength}, Settings(img2img_fix_steps=fix))
    assert (job.passes[0].steps, job.passes[0].begin) == (of_list, begin)
    pairs = parse_pairs(write(job, 0))
    assert (pairs["Steps"], pairs["Denoising strength"]) == ("20", f"{strength:g}")
    picture = IMG2IMG.picture(job, 0)
    assert (picture["steps"], picture["steps_of_list"], picture["first_step"]) == (20, of_list, begin)


def test_a_refiner_takes_its_part_of_the_steps_that_are_done() -> None:
    first, second = resolved({"refiner_switch_at": 0.5, "denoising_strength": 0.5}, refiner=other("fine")).passes
    assert (first.begin, first.end, second.begin) == (9, 15, 15)
    assert first.start is not None
    assert second.start is None


@pytest.mark.parametrize(
    ("sent", "size"),
    [
        ({}, (512, 768)),
        ({"init_images": [TWO]}, (1000, 704)),
        ({"init_images": [THREE]}, (2048, 680)),
        ({"init_images": [TWO, ONE]}, (1000, 704)),
        ({"width": 640, "height": 640}, (640, 640)),
        ({"width": 1024}, (1024, 1536)),
        ({"scale": 0.5, "width": 640, "height": 640}, (256, 384)),
        ({"mask": MASK, "inpaint_full_res": True}, (128, 256)),
        ({"mask": MASK, "inpaint_full_res": True, "width": 512, "height": 512}, (512, 512)),
        ({"mask": MASK, "inpaint_full_res": False}, (512, 768)),
        ({"init_images": [TWO], "outpaint_left": 30, "outpaint_top": 7, "width": 512}, (1030, 707)),
        ({"outpaint_right": 64, "mask": MASK, "inpaint_full_res": True}, (128, 256)),
    ],
)
def test_the_size_is_the_pictures_unless_another_is_asked_for(sent: dict[str, Any], size: tuple[int, int]) -> None:
    one = resolved(sent).passes[0]
    assert (one.width, one.height) == size


def test_a_part_that_is_drawn_anew_leaves_the_picture_as_large_as_it_was() -> None:
    job = resolved({"init_images": [TWO, ONE], "mask": MASK, "outpaint_right": 64})
    assert [job.size_of(index) for index in (0, 1)] == [(1064, 700), (576, 768)]


@pytest.mark.parametrize(
    ("sent", "count", "batches"),
    [
        ({"init_images": [ONE]}, 1, (1, 1)),
        ({"init_images": [ONE, TWO, THREE]}, 3, (1, 3)),
        ({"init_images": [ONE, TWO, THREE], "batch_size": 2}, 3, (1, 3)),
        ({"init_images": [ONE, TWO, THREE, ONE], "batch_size": 3}, 4, (2, 2)),
        ({"init_images": [ONE, TWO], "batch_size": 2, "n_iter": 3}, 6, (2, 3)),
    ],
)
def test_each_picture_is_begun_with_once_at_least(sent: dict[str, Any], count: int, batches: tuple[int, int]) -> None:
    job = resolved(sent)
    assert (checked(sent).image_count, job.image_count, (job.batch_size, job.n_iter)) == (count, count, batches)


def test_every_picture_knows_what_it_began_with_and_events_know_all_names() -> None:
    job = resolved({"init_images": [ONE, TWO], "seed": 5})
    assert [IMG2IMG.picture(job, index)["init_images"] for index in range(3)] == [[ONE], [TWO], [ONE]]
    assert IMG2IMG.told(job)["init_images"] == [ONE, TWO]
    assert IMG2IMG.told_request({"init_images": [ONE], "mask": MASK, "secret": 1}) == {
        "init_images": [ONE], "mask": MASK,
    }  # fmt: skip


def test_a_mask_with_all_that_a1111_knows_of_it() -> None:
    sent = {
        "mask": MASK, "mask_blur": 6, "mask_blur_x": 1, "inpainting_fill": 2, "inpaint_full_res_padding": 32,
        "inpainting_mask_invert": 1, "seed": 7, "denoising_strength": 0.6, "width": 512, "height": 512,
        "initial_noise_multiplier": 1.1,
    }  # fmt: skip
    job = resolved(sent, Settings(img2img_extra_noise=0.2, inpainting_mask_weight=0.5))
    start = job.passes[0].start
    assert start is not None
    assert start.mask == Mask(
        picture=found(MASK), inverted=True, blur_x=6, blur_y=6, content="latent noise", padding=32
    )
    assert (start.noise_multiplier, start.extra_noise, start.mask_weight) == (1.1, 0.2, 0.5)
    assert write(job, 0).split("\n")[-1] == (
        "Steps: 20, Sampler: Euler, Schedule type: Automatic, CFG scale: 7, Seed: 7, Size: 512x512, "
        "Model hash: aaaaaaaaaa, Model: emoji, Denoising strength: 0.6, Conditional mask weight: 0.5, "
        "Mask mode: Inpaint not masked, Mask blur: 6, Inpaint area: Only masked, Masked area padding: 32, "
        "Masked content: latent noise, Noise multiplier: 1.1, Extra noise: 0.2, Version: steady-0.1.0"
    )
    picture = IMG2IMG.picture(job, 0)
    names = ("kind", "mask", "inpainting_fill", "inpaint_full_res", "inpainting_mask_invert", "img2img_extra_noise")
    assert [picture[name] for name in names] == ["img2img", MASK, 2, True, 1, 0.2]


def test_a1111s_defaults_of_a_mask_are_those_of_its_requests() -> None:
    start = resolved({"latent_mask": MASK}).passes[0].start
    assert start is not None
    assert start.mask == Mask(picture=found(MASK), content="fill", padding=0)


def test_soft_inpainting_is_understood_as_a1111s_script_and_as_fields() -> None:
    script = {"alwayson_scripts": {"Soft Inpainting": {"args": [True, 2, 0.4, 8, 0.1, 1, 3]}}}
    fields = {
        "soft_inpainting": True, "soft_inpainting_schedule_bias": 2, "soft_inpainting_preservation_strength": 0.4,
        "soft_inpainting_transition_contrast": 8, "soft_inpainting_mask_influence": 0.1,
        "soft_inpainting_difference_threshold": 1, "soft_inpainting_difference_contrast": 3,
    }  # fmt: skip
    job = resolved({"mask": MASK} | script)
    assert job == resolved({"mask": MASK} | fields)
    start = job.passes[0].start
    assert start is not None
    assert start.mask is not None
    assert not start.mask.rounded
    assert start.mask.soft == SoftMask(
        schedule_bias=2, preservation_strength=0.4, transition_contrast=8, mask_influence=0.1, difference_threshold=1,
        difference_contrast=3,
    )  # fmt: skip
    assert "Soft inpainting enabled: True, Soft inpainting schedule bias: 2" in write(job, 0)
    off = resolved({"mask": MASK, "alwayson_scripts": {"soft inpainting": {"args": [False, 2]}}}).passes[0].start
    assert off is not None
    assert off.mask is not None
    assert off.mask.soft is None


def test_a_picture_that_grows_tells_by_how_much() -> None:
    job = resolved({"outpaint_left": 64, "outpaint_bottom": 32, "outpaint_fill": "mirror", "outpaint_blend": 16})
    start = job.passes[0].start
    assert start is not None
    assert start.outpaint == Outpaint(left=64, bottom=32, fill="mirror", blend=16)
    assert "Outpaint left: 64, Outpaint bottom: 32, Outpaint fill: mirror, Outpaint blend: 16" in write(job, 0)
    assert IMG2IMG.picture(job, 0)["outpaint_right"] == 0


@pytest.mark.parametrize(
    "sent",
    [
        {"denoising_strength": 0.6, "resize_mode": 2},
        {"mask": MASK, "mask_blur_x": 2, "mask_blur_y": 9, "inpaint_full_res": 1, "inpaint_full_res_padding": 32},
        {"mask": MASK, "inpaint_full_res": False, "inpainting_fill": 1, "soft_inpainting": 1, "width": 640},
        {"outpaint_left": 64, "outpaint_top": 8, "outpaint_blend": 4, "initial_noise_multiplier": 0.9},
    ],
)
def test_infotext_to_request_to_infotext_is_the_same(sent: dict[str, Any]) -> None:
    made = write(resolved(sent | {"seed": 7, "prompt": "heart"}), 0)
    read = parse(made)
    del read["override_settings"]
    pictures = {name: sent[name] for name in ("mask",) if name in sent}
    assert write(resolved(read | pictures), 0) == made


KONTEXT = {"family": "flux", "variant": "kontext", "prediction": "flow"}
INSTRUCT = {"family": "sd1", "variant": "instruct"}


@pytest.mark.parametrize(
    ("model", "sent", "told", "begin", "image_cfg_scale"),
    [
        (KONTEXT, None, True, 0, None),
        (KONTEXT, False, False, 4, None),
        ({"family": "flux2", "prediction": "flow"}, None, False, 4, None),
        ({"family": "flux2", "prediction": "flow"}, True, True, 0, None),
        (INSTRUCT, None, True, 0, 2.0),
        (INSTRUCT, False, False, 4, 2.0),
        ({"family": "qwen-image", "variant": "edit", "prediction": "flow"}, None, True, 0, None),
        ({"family": "qwen-image", "variant": "edit", "prediction": "flow", "kind": "file"}, None, False, 4, None),
        ({"family": "sd1"}, None, False, 4, None),
    ],
)
def test_models_made_for_it_are_told_of_the_picture_and_begin_with_noise(
    model: dict[str, str], sent: bool | None, told: bool, begin: int, image_cfg_scale: float | None
) -> None:
    job = resolved({"as_condition": sent, "image_cfg_scale": 2}, checkpoint=other("emoji", **model))
    one = job.passes[0]
    assert one.start is not None
    assert (one.start.as_condition, one.begin, one.steps, one.image_cfg_scale) == (told, begin, 20, image_cfg_scale)
    pairs = parse_pairs(write(job, 0))
    assert ("Denoising strength" in pairs, pairs.get("Picture as condition")) == (not told, "True" if told else None)
    assert parse(write(job, 0))["as_condition"] == told
    assert IMG2IMG.picture(job, 0).get("as_condition", False) == told


def test_a_model_that_reads_no_picture_is_not_told_of_one(tmp_path: Path) -> None:
    make_model(tmp_path / "Stable-diffusion" / "one")
    catalogue, settings = CheckpointCatalogue([tmp_path]), Settings(sd_model_checkpoint="one")
    assert checked({}).find_models(catalogue, settings).checkpoint.name == "one"
    with pytest.raises(InvalidRequest, match="one cannot be told of a picture: send as_condition false") as refused:
        checked({"as_condition": True}).find_models(catalogue, settings)
    assert refused.value.field == "as_condition"


def test_what_a_row_holds_is_the_same_request() -> None:
    request = checked({"init_images": [ONE, TWO], "mask": MASK, "soft_inpainting": True, "outpaint_top": 8})
    assert validate_request("img2img", request.model_dump(mode="json")) == request
    job = resolved({"mask": MASK, "outpaint_top": 8})
    assert ResolvedJob.model_validate_json(job.model_dump_json()) == job


@pytest.mark.parametrize(
    ("sent", "field", "message"),
    [
        ({"init_images": None}, "init_images", "There is no picture to begin with: send init_images"),
        ({"init_images": []}, "init_images", "There is no picture to begin with: send init_images"),
        ({"init_images": "cat.png"}, "init_images", 'init_images "cat.png" is no picture: send it as base64'),
        ({"init_images": [ONE] * 201}, "init_images", "init_images has 201 pictures: send at most 200 at once"),
        ({"init_images": {}}, "init_images", "is no list of pictures"),
        ({"mask": MASK, "latent_mask": ONE}, "latent_mask", "send mask alone"),
        ({"soft_inpainting": True}, "soft_inpainting", "Soft inpainting needs a mask"),
        ({"denoising_strength": 1.1}, "denoising_strength", "Denoising strength 1.1 is not possible: use 0 to 1"),
        ({"resize_mode": 4}, "resize_mode", r"Resize mode 4 is not possible: use 0 \(stretch\), 1 \(crop\), 2"),
        ({"inpainting_fill": "sky"}, "inpainting_fill", 'Masked content "sky" is not possible: use 0'),
        ({"outpaint_fill": "sky"}, "outpaint_fill", 'Outpaint fill "sky" is not possible: use edge, noise, mirror'),
        ({"outpaint_left": -8}, "outpaint_left", "Outpaint left -8 is not possible: use 0 to 2,048 pixels"),
        ({"alwayson_scripts": {"soft inpainting": {"args": 5}}}, "alwayson_scripts", "Soft inpainting .* not possible"),
        ({"alwayson_scripts": {"controlnet": {}}}, "alwayson_scripts", 'Always-on script "controlnet" not found'),
        ({"enable_hr": True}, "enable_hr", "Hires fix is for txt2img"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(sent: dict[str, Any], field: str, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message) as refused:
        checked(sent)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("sent", "field", "message"),
    [
        ({"mask": "black"}, "mask", "The mask covers nothing: paint over what is to be drawn anew, or send none"),
        ({"mask": "white", "inpainting_mask_invert": 1}, "mask", "covers nothing with inpainting_mask_invert"),
        ({"scale": 8}, "scale", r"Resized by 8, 512 × 768 would be 4,096 × 6,144: sides of 64 to 2,048 pixels"),
        ({"scale": 0.05}, "scale", "would be 24 × 32"),
        ({"outpaint_top": 2048, "outpaint_bottom": 2048}, "outpaint_top", "would grow from 512 × 768 to 512 × 4,864"),
        ({"mask": "black", "outpaint_left": 64}, None, ""),
        ({"mask": "grey", "soft_inpainting": True}, None, ""),
        ({"mask": "white"}, None, ""),
    ],
)
def test_what_only_the_pictures_tell_is_checked_when_it_is_sent(
    tmp_path: Path, sent: dict[str, Any], field: str | None, message: str
) -> None:
    inputs = Inputs(tmp_path)
    names = {"black": 0, "white": 255, "grey": 90}
    data = {"init_images": [kept(inputs, tmp_path, (512, 768), 200)]} | sent
    if "mask" in sent:
        data["mask"] = kept(inputs, tmp_path, (64, 64), names[sent["mask"]])
    request = checked(data)
    if field is None:
        request.check_inputs(inputs)
        return
    with pytest.raises(InvalidRequest, match=message) as refused:
        request.check_inputs(inputs)
    assert refused.value.field == field


def kept(inputs: Inputs, folder: Path, size: tuple[int, int], grey: int) -> str:
    path = folder / "made.png"
    Image.new("L", size, grey).convert("RGB").save(path)
    return inputs.take_in(path.read_bytes()).name


def test_a_picture_that_was_deleted_is_told_when_it_is_sent(tmp_path: Path) -> None:
    with pytest.raises(InputGone):
        checked({}).check_inputs(Inputs(tmp_path))
