"""A1111's X/Y/Z plot: which cells its arguments mean, and what of them is refused."""

from typing import Any

import pytest
from PIL import Image

from modules.errors import InvalidRequest
from modules.jobs.kinds.grid.cell_request import GridSeeds
from modules.jobs.kinds.starts import Input
from tests.jobs.kinds.grid.made_grids import grid, plot, values_in

HIRES = {"enable_hr": True}
PICTURE = {"init_images": ["a" * 64 + ".png"]}


def test_cells_stand_row_by_row_sheet_by_sheet() -> None:
    request = plot(
        x_type="Steps", x_values="5,6", y_type="CFG Scale", y_values="1-3", z_type="Clip skip", z_values="1, 2"
    )
    assert [cell.place for cell in request.cells()] == [(x, y, z) for z in (0, 1) for y in (0, 1, 2) for x in (0, 1)]
    assert values_in(request, "steps", "cfg_scale")[:4] == [(5, 1), (6, 1), (5, 2), (6, 2)]
    layout = request.plan.layout
    assert layout.shape == (2, 3, 2) and layout.x.label == "Steps"
    assert layout.y.values == ("CFG Scale: 1", "CFG Scale: 2", "CFG Scale: 3")
    assert layout.pairs == {
        "Script": "X/Y/Z plot", "X Type": "Steps", "X Values": "5,6", "Y Type": "CFG Scale", "Y Values": "1-3",
        "Z Type": "Clip skip", "Z Values": "1, 2",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("of", "label", "text", "fields", "expected"),
    [
        ("txt2img", "Seed", "1-3", ("seed",), [1, 2, 3]),
        ("txt2img", "var. seed", "7,8", ("subseed",), [7, 8]),
        ("txt2img", "Var. strength", "0-1 [3]", ("subseed_strength",), [0, 0.5, 1]),
        ("txt2img", "Hires steps", "5", ("hr_second_pass_steps",), [5]),
        ("txt2img", "Prompt S/R", "cat,dog", ("prompt",), ["red cat with a hat", "red dog with a hat"]),
        ("txt2img", "Prompt S/R", "blur, noise", ("negative_prompt",), ["blur", "noise"]),
        ("txt2img", "Prompt S/R", 'cat, "cat, cow"', ("hr_prompt",), ["one cat", "one cat, cow"]),
        ("txt2img", "Prompt order", "red,hat", ("prompt",), ["red cat with a hat", "hat cat with a red"]),
        ("txt2img", "Sampler", "euler a, k_dpm_2", ("sampler_name",), ["Euler a", "DPM2"]),
        ("txt2img", "Sampler", "DPM++ 2M Karras", ("sampler_name", "scheduler"), [("DPM++ 2M", "Karras")]),
        ("txt2img", "Hires sampler", "Heun", ("hr_sampler_name",), ["Heun"]),
        ("txt2img", "Sigma Churn", "0,1", ("s_churn",), [0, 1]),
        ("txt2img", "Sigma max", "0,5", ("s_tmax",), [0, 5]),
        ("txt2img", "Schedule type", "karras, Exponential", ("scheduler",), ["Karras", "Exponential"]),
        ("txt2img", "Eta", "0.5", ("eta",), [0.5]),
        ("txt2img", "Denoising", "0.25-0.75 [2]", ("denoising_strength",), [0.25, 0.75]),
        ("txt2img", "Hires upscaler", "Latent, Lanczos", ("hr_upscaler",), ["Latent", "Lanczos"]),
        ("txt2img", "Styles", 'a, "b,c", None', ("styles",), [("own", "a"), ("own", "b", "c"), ("own",)]),
        ("txt2img", "Refiner checkpoint", "None, xl", ("refiner_checkpoint",), [None, "xl"]),
        ("txt2img", "Refiner switch at", "0.5", ("refiner_switch_at",), [0.5]),
        ("txt2img", "Size", "512x768, 64 x 128", ("width", "height"), [(512, 768), (64, 128)]),
        ("txt2img", "Distilled CFG Scale", "3.5", ("distilled_cfg_scale",), [3.5]),
        ("txt2img", "Shift", "1-3", ("shift",), [1, 2, 3]),
        ("txt2img", "CFG rescale", "0.7", ("cfg_rescale",), [0.7]),
        ("txt2img", "Tiling", "True, False", ("tiling",), [True, False]),
        ("txt2img", "Prompt", 'a, "b, c"', ("prompt",), ["a", "b, c"]),
        ("txt2img", "Hires upscale", "1.5", ("hr_scale", "hr_resize_x", "hr_resize_y"), [(1.5, 0, 0)]),
        ("txt2img", "Hires CFG Scale", "3", ("hr_cfg",), [3]),
        ("txt2img", "Hires schedule type", "Karras", ("hr_scheduler",), ["Karras"]),
        ("txt2img", "Hires checkpoint", "xl", ("hr_checkpoint_name",), ["xl"]),
        ("img2img", "Image CFG Scale", "1.5", ("image_cfg_scale",), [1.5]),
        ("img2img", "Denoising", "0.3", ("denoising_strength",), [0.3]),
        ("img2img", "Initial noise multiplier", "0.9", ("initial_noise_multiplier",), [0.9]),
        ("img2img", "Resize by", "0.5, 2", ("scale", "width"), [(0.5, None), (2, None)]),
        ("img2img", "Resize mode", "crop, 2", ("resize_mode",), [1, 2]),
        ("img2img", "Masked content", "original, latent noise", ("inpainting_fill",), [1, 2]),
        ("img2img", "Mask blur", "4", ("mask_blur",), [4]),
        ("img2img", "Masked area padding", "32", ("inpaint_full_res_padding",), [32]),
        ("img2img", "Sampler", "Heun", ("sampler_name",), ["Heun"]),
    ],
)
def test_an_axis_sets_its_field(of: str, label: str, text: str, fields: tuple[str, ...], expected: list[Any]) -> None:
    own = {
        "negative_prompt": "blur",
        "styles": ["own"],
        "hr_resize_x": 64,
        "hr_resize_y": 64,
        "width": 64,
        "hr_prompt": "one cat",
    }
    request = plot(of, own | (HIRES if of == "txt2img" else PICTURE), x_type=label, x_values=text)
    assert values_in(request, *fields) == expected


def test_a_size_counts_more_than_how_much_larger_all_were_to_become() -> None:
    request = plot("img2img", PICTURE | {"scale": 2}, x_type="Size", x_values="64x72", y_type="Steps", y_values="5")
    assert values_in(request, "width", "height", "scale") == [(64, 72, None)]


@pytest.mark.parametrize(
    ("label", "text", "setting", "expected"),
    [
        ("Checkpoint name", "a.safetensors, sub/b", "sd_model_checkpoint", ["a.safetensors", "sub/b"]),
        ("VAE", "auto, None, x", "sd_vae", ["Automatic", "None", "x"]),
        ("Clip skip", "1-2", "CLIP_stop_at_last_layers", [1, 2]),
        ("Extra noise", "0.1", "img2img_extra_noise", [0.1]),
        ("Cond. Image Mask Weight", "0.5", "inpainting_mask_weight", [0.5]),
        ("ENSD", "31337", "eta_noise_seed_delta", [31337]),
        ("Emphasis", "No norm", "emphasis", ["No norm"]),
        (
            "Text encoders and VAE",
            r"t5 + clip, None, a\+b.safetensors+ae",
            "forge_additional_modules",
            [["t5", "clip"], None, ["a+b.safetensors", "ae"]],
        ),
    ],
)
def test_an_axis_sets_a_setting_of_its_cells_alone(label: str, text: str, setting: str, expected: list[Any]) -> None:
    request = plot("img2img", PICTURE | {"override_settings": {"emphasis": "Ignore"}}, x_type=label, x_values=text)
    assert [cell.request.override_settings.get(setting) for cell in request.cells()] == expected
    assert request.base.override_settings == {"emphasis": "Ignore"}


@pytest.mark.parametrize(
    ("prompt", "text", "prompts"),
    [
        ("a <lora:pixel-art:0.8> b", "Pixel-Art:0-1 [3]", ["a <lora:pixel-art:0> b", "a <lora:pixel-art:0.5> b"]),
        ("a", "sprig, 0.5, pixel-art:0.25", ["a <lora:sprig:1>", "a <lora:sprig:0.5>", "a <lora:pixel-art:0.25>"]),
        ("", "sprig:-1", ["<lora:sprig:-1>"]),
        ("<lyco:x:1:0.5:8:lbw=0,1>", "x:0.3", ["<lora:x:0.3:lbw=0,1:dyn=8>"]),
    ],
)
def test_a_lora_gets_its_weight_by_name(prompt: str, text: str, prompts: list[str]) -> None:
    request = plot(fields={"prompt": prompt}, x_type="LoRA weight", x_values=text)
    assert values_in(request, "prompt")[: len(prompts)] == prompts


def test_a_lora_gets_its_weight_in_both_passes_and_once_where_one_calls_for_it() -> None:
    def prompts(**fields: str) -> object:
        request = plot(fields=HIRES | fields, x_type="LoRA weight", x_values="a:0.5")
        return values_in(request, "prompt", "hr_prompt")[0]

    assert prompts(prompt="x", hr_prompt="y <lora:a:1> <hypernet:a:1>") == ("x", "y <lora:a:0.5> <hypernet:a:1>")
    assert prompts(prompt="x", hr_prompt="y") == ("x <lora:a:0.5>", "y <lora:a:0.5>")
    assert prompts(prompt="x", hr_prompt="") == ("x <lora:a:0.5>", "")


@pytest.mark.parametrize(
    ("of", "number", "label"),
    [
        ("txt2img", 1, "Seed"), ("txt2img", 4, "Steps"), ("txt2img", 5, "Hires steps"), ("txt2img", "7", "Prompt S/R"),
        ("txt2img", 9, "Sampler"), ("txt2img", 11, "Checkpoint name"), ("txt2img", 17, "Schedule type"),
        ("txt2img", 24, "Clip skip"), ("txt2img", 29, "VAE"), ("txt2img", 30, "Styles"), ("txt2img", 41, "Size"),
        ("img2img", 5, "CFG Scale"), ("img2img", 6, "Image CFG Scale"), ("img2img", 7, "Prompt S/R"),
        ("img2img", 9, "Sampler"), ("img2img", 10, "Checkpoint name"), ("img2img", 24, "Denoising"),
        ("img2img", 27, "Cond. Image Mask Weight"), ("img2img", 40, "Size"),
    ],
)  # fmt: skip
def test_a_number_is_the_axis_that_it_is_with_a1111(of: str, number: object, label: str) -> None:
    values = {"Prompt S/R": "cat", "Sampler": "Euler", "Schedule type": "Karras", "Size": "64x64"}.get(label, "1")
    fields = HIRES if of == "txt2img" else PICTURE
    assert plot(of, fields, x_type=number, x_values=values).script_args["x_type"] == label


def test_a_list_has_the_order_of_a1111s_arguments() -> None:
    names = [*("x_type", "x_values", "x_values_dropdown"), *("y_type", "y_values", "y_values_dropdown")]
    names += ["z_type", "z_values", "z_values_dropdown", "draw_legend", "include_lone_images", "include_sub_grids"]
    names += ["no_fixed_seeds", "vary_seeds_x", "vary_seeds_y", "vary_seeds_z", "margin_size", "csv_mode"]
    sent = [4, "1-2", "", 9, "", ["Euler", "Heun"], 0, "", "", False, True, True, True, True, False, True, 8, False]
    request = grid("x/y/z PLOT", {"prompt": "cat"}, sent)
    assert request.script_args == dict(zip(names, sent, strict=True)) | {
        "x_type": "Steps", "x_values_dropdown": [], "y_type": "Sampler", "z_type": "Nothing", "z_values_dropdown": [],
    }  # fmt: skip
    layout = request.plan.layout
    assert (layout.legend, layout.margin, layout.sub_grids, layout.lone_images) == (False, 8, True, True)
    assert layout.y.values == ("Euler", "Heun") and layout.pairs["Y Values"] == "Euler, Heun"


@pytest.mark.parametrize(
    ("arguments", "values"),
    [
        ({"x_values": "Euler", "x_values_dropdown": ["Heun"]}, ["Heun"]),
        ({"x_values": "Euler", "x_values_dropdown": ["Heun"], "csv_mode": True}, ["Euler"]),
        ({"x_values": "Euler", "x_values_dropdown": []}, ["Euler"]),
    ],
)
def test_chosen_names_count_unless_text_is_wanted(arguments: dict[str, Any], values: list[str]) -> None:
    assert values_in(plot(x_type="Sampler", **arguments), "sampler_name") == values


def seeds_of(request: Any) -> list[int]:
    drawn = iter(range(1000, 2000))
    seeds = GridSeeds(lambda: next(drawn))
    return [seeds.closed(cell).seed for cell in request.cells()]


@pytest.mark.parametrize(
    ("fields", "arguments", "seeds"),
    [
        ({"seed": -1}, {"x_values": "1-2"}, [1000, 1000]),
        ({"seed": -1}, {"x_values": "1-2", "no_fixed_seeds": True}, [1000, 1001]),
        ({"seed": -1}, {"x_values": "1-2", "vary_seeds_x": True}, [1000, 1001]),
        ({"seed": 5}, {"x_values": "1-2", "vary_seeds_x": True}, [5, 6]),
        ({}, {"x_type": "Seed", "x_values": "-1,7,-1"}, [1000, 7, 1001]),
        ({}, {"x_type": "Seed", "x_values": "-1,7", "y_type": "Steps", "y_values": "1-2"}, [1000, 7, 1000, 7]),
        (
            {"seed": 0},
            {"x_values": "1-2", "y_type": "Eta", "y_values": "0,1", "vary_seeds_x": True, "vary_seeds_y": True},
            [0, 1, 2, 3],
        ),
        ({"seed": 0}, {"x_values": "1-2", "y_type": "Eta", "y_values": "0,1", "vary_seeds_y": True}, [0, 0, 1, 1]),
    ],
)
def test_seeds_are_drawn_once_for_all_and_varied_as_a1111_does(
    fields: dict[str, Any], arguments: dict[str, Any], seeds: list[int]
) -> None:
    assert seeds_of(plot(fields=fields, **({"x_type": "Steps"} | arguments))) == seeds


@pytest.mark.parametrize(
    ("arguments", "field", "words"),
    [
        ({"x_type": "Steps", "x_values": "5, 0"}, "x_values", "X values: Steps 0 is not possible: use 1 to 150."),
        ({"y_type": "Steps", "y_values": "five"}, "y_values", 'Y values: "five" is no whole number'),
        ({"z_type": "Sampler", "z_values": "Euler q"}, "z_values", "Z values: Sampler 'Euler q' is not known"),
        ({"x_type": "Steps"}, "x_values", "X values is empty: write values of Steps"),
        ({"x_type": "Prompt S/R", "x_values": "dog, cat"}, "x_values", 'Prompt S/R did not find "dog" in prompt'),
        ({"x_type": "Prompt S/R", "x_values": ", cat"}, "x_values", "its first value, which is empty"),
        ({"x_type": "Prompt order", "x_values": "red, dog"}, "x_values", 'did not find "dog"'),
        ({"x_type": "Prompt order", "x_values": "red, red c"}, "x_values", "within another of its texts"),
        ({"x_type": "Size", "x_values": "512"}, "x_values", 'Size "512" cannot be read'),
        ({"x_type": "Size", "x_values": "512x500"}, "x_values", "Height 500 is not a multiple of 8"),
        ({"x_type": "LoRA weight", "x_values": "0.5"}, "x_values", '"0.5" names no LoRA'),
        ({"x_type": "LoRA weight", "x_values": "a:b"}, "x_values", '"b" is no number'),
        ({"x_type": "Steps", "x_values": "1-1000000000"}, "x_values", "has 1,000,000,000 values"),
        ({"x_type": "Hires steps", "x_values": "5"}, "x_type", "Hires steps is of hires fix, which is off"),
        ({"x_type": "Denoising", "x_values": "0.5"}, "x_type", "Denoising is of hires fix, which is off"),
        ({"x_type": 12, "x_values": "5"}, "x_type", "Negative Guidance minimum sigma is no axis in this version"),
        ({"x_type": "fp8 mode", "x_values": "5"}, "x_type", "FP8 mode is no axis in this version"),
        ({"x_type": "Mask blur", "x_values": "5"}, "x_type", '"Mask blur" is no axis of txt2img: use one of Nothing,'),
        ({"x_type": 99, "x_values": "5"}, "x_type", "99 is no axis"),
        ({"x_type": True, "x_values": "5"}, "x_type", "true is no axis"),
        ({"x_type": "9" * 5000, "x_values": "5"}, "x_type", "is no axis"),
        ({"margin_size": 501}, "margin_size", "Grid margins .* 501 is not possible: use 0 to 500"),
        ({"draw_legend": "maybe"}, "draw_legend", "Draw legend .* is not a yes or no"),
        ({"x_values_dropdown": 5}, "x_values_dropdown", "send a list"),
        ({"x_values": "a" * 20_001}, "x_values", "shorten it to 20,000"),
    ],
)  # fmt: skip
def test_a_bad_value_is_refused_at_its_argument(arguments: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words) as refused:
        plot(**arguments)
    assert refused.value.field == f"script_args.{field}"


@pytest.mark.parametrize(
    ("fields", "arguments", "words"),
    [
        ({}, {"x_values": "1-40", "y_type": "Seed", "y_values": "1-26"}, "has 1,040 cells: 1,000 are possible"),
        ({"n_iter": 1000}, {"x_values": "1-11"}, "has 11,000 pictures: 10,000 are possible"),
        ({}, {"color": "red"}, 'has no argument "color": use x_type'),
        ({}, 5, "script_args 5 is not possible: send a list"),
        ({}, [0] * 19, "script_args has 19 values: X/Y/Z plot takes 18"),
    ],
)
def test_what_is_wrong_with_all_together_is_told_of_all(fields: dict[str, Any], arguments: Any, words: str) -> None:
    if isinstance(arguments, dict):
        arguments = {"x_type": "Steps"} | arguments
    with pytest.raises(InvalidRequest, match=words) as refused:
        grid("X/Y/Z plot", {"prompt": "cat"} | fields, arguments)
    assert refused.value.field == "script_args"


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"of": "extras"}, "of", 'of "extras" is not possible: use txt2img or img2img'),
        ({"script": "Loopback"}, "script", 'Script "Loopback" not found: use Prompt matrix'),
        ({"script": 5}, "script", "Script 5 not found"),
        ({"steps": 0}, "steps", "Steps 0 is not possible"),
        ({"init_images": ["x"]}, "init_images", "are for img2img"),
        ({"of": "img2img"}, "init_images", "There is no picture to begin with"),
    ],
)
def test_the_request_itself_is_checked_as_one_of_its_kind(changes: dict[str, Any], field: str, words: str) -> None:
    sent = {"of": "txt2img", "script": "X/Y/Z plot"} | changes
    with pytest.raises(InvalidRequest, match=words) as refused:
        grid(sent.pop("script"), sent, {"x_values": "1"}, sent.pop("of"))
    assert refused.value.field == field


def test_a_size_that_the_picture_cannot_become_is_told_at_its_axis_and_the_others_are_tried() -> None:
    class Pictures:
        def find(self, name: str) -> Input:
            return Input(name=name, width=1000, height=800)

        def open(self, picture: Input) -> Image.Image:
            raise LookupError(f"{picture.name} is not to be opened for that")

    plot("img2img", PICTURE, x_type="Resize by", x_values="0.5, 2").check_inputs(Pictures())
    for values in ("0.5, 4", "4, 0.5"):
        with pytest.raises(InvalidRequest, match=r"X values: Resized by 4, ") as refused:
            plot("img2img", PICTURE, x_type="Resize by", x_values=values).check_inputs(Pictures())
        assert refused.value.field == "script_args.x_values"


@pytest.mark.parametrize("grey", [255, 0])
def test_the_mask_of_many_sizes_is_looked_at_once(grey: int) -> None:
    seen: list[str] = []

    class Pictures:
        def find(self, name: str) -> Input:
            return Input(name=name, width=64, height=64)

        def open(self, picture: Input) -> Image.Image:
            seen.append(picture.name)
            return Image.new("RGB", (64, 64), (grey,) * 3)

    masked = PICTURE | {"mask": "b" * 64 + ".png"}
    request = plot("img2img", masked, x_type="Size", x_values="64x64, 72x64, 64x72")
    if grey:
        request.check_inputs(Pictures())
    else:
        with pytest.raises(InvalidRequest, match="The mask covers nothing"):
            request.check_inputs(Pictures())
    assert seen == [masked["mask"]]


def test_a_row_holds_all_fields_side_by_side_and_is_read_again() -> None:
    request = plot("img2img", PICTURE | {"s_churn": 0.5}, x_type="Steps", x_values="1-4")
    row = request.model_dump(mode="json")
    assert (row["of"], row["script"], row["steps"], row["s_churn"]) == ("img2img", "X/Y/Z plot", 20, 0.5)
    assert "base" not in row
    again = grid(row["script"], row, row["script_args"], row["of"])
    assert again == request and again.cells() == request.cells()


def test_a_sampler_with_noise_levels_of_its_own_goes_by_these() -> None:
    request = plot(x_type="Sampler", x_values="DDIM, Euler", y_type="Schedule type", y_values="Uniform, Karras")
    assert values_in(request, "sampler_name", "scheduler") == [
        ("DDIM", "Uniform"), ("Euler", "Uniform"), ("DDIM", "Automatic"), ("Euler", "Karras"),
    ]  # fmt: skip
    assert request.plan.told == ("DDIM has noise levels of its own: in place of Karras it is drawn with Automatic.",)
    with pytest.raises(InvalidRequest, match="X values: Schedule type Karras does not go with sampler DDIM"):
        plot(fields={"sampler_name": "DDIM"}, x_type="Schedule type", x_values="Uniform, Karras")
