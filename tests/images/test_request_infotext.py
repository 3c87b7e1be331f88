"""An infotext in a request gives what the client left out, and nothing that he chose."""

from typing import Any

import pytest

from modules.errors import InvalidRequest
from modules.images.request_infotext import with_infotext
from modules.jobs.kinds.registry import validate_request
from modules.jobs.models.vae_file import VaeFile
from tests.images.test_taken_parts import VAES
from tests.images.test_takeover import MODELS

TEXT = (
    "red heart, <b>\nNegative prompt: blue\nSteps: 7, Sampler: Euler a, Schedule type: Karras, CFG scale: 5.5, "
    "Seed: 12, Size: 320x256, Clip skip: 2, ENSD: 5, Eta: 0.5"
)


def filled(
    data: dict[str, Any], text: str = TEXT, kind: str = "txt2img", skipped: str = "", vaes: tuple[VaeFile, ...] = ()
) -> Any:
    return with_infotext(kind, data | {"infotext": text}, MODELS, vaes, skipped)


def test_what_was_left_out_comes_from_the_infotext() -> None:
    assert filled({"seed": None, "n_iter": 2}) == {
        "n_iter": 2, "prompt": "red heart, <b>", "negative_prompt": "blue", "steps": 7, "sampler_name": "Euler a",
        "scheduler": "Karras", "cfg_scale": 5.5, "seed": 12, "width": 320, "height": 256, "eta": 0.5,
        "override_settings": {"CLIP_stop_at_last_layers": 2, "eta_noise_seed_delta": 5},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "gone"),
    [
        ({"prompt": ""}, {"prompt"}),
        ({"seed": -1, "width": 64}, {"seed", "width"}),
        ({"sampler_name": "DDIM"}, {"sampler_name", "scheduler"}),
        ({"sampler_index": "Euler"}, {"sampler_name", "scheduler"}),
    ],
)
def test_what_was_sent_stays(sent: dict[str, Any], gone: set[str]) -> None:
    whole, found = filled({}), filled(sent)
    assert found == {name: value for name, value in whole.items() if name not in gone} | sent


def test_settings_that_were_sent_stay_and_the_others_come() -> None:
    sent = {"override_settings": {"CLIP_stop_at_last_layers": 1, "sd_vae": None}}
    assert filled(sent)["override_settings"] == {"CLIP_stop_at_last_layers": 1, "eta_noise_seed_delta": 5}
    with pytest.raises(InvalidRequest) as refused:
        filled({"override_settings": [1]})
    assert refused.value.field == "override_settings"


def test_models_have_the_names_that_they_have_here() -> None:
    model, vae = MODELS[1], VAES[0]
    assert model.sha256 is not None
    named = f"x\nSteps: 5, Model: elsewhere, Model hash: {model.sha256[:10]}, VAE: {vae.name.upper()}"
    overrides = filled({}, named, vaes=(vae,))["override_settings"]
    assert overrides == {"sd_model_checkpoint": model.name, "sd_vae": vae.name}
    # One that is not here is refused by its name, and not drawn with another.
    assert filled({}, "x\nSteps: 5, Seed: 3, Model: gone")["override_settings"] == {"sd_model_checkpoint": "gone"}


def test_each_kind_gets_its_own_fields_and_the_setting_keeps_what_it_names() -> None:
    hires = f"{TEXT}, Denoising strength: 0.4, Hires upscale: 2, Hires upscaler: Latent"
    assert filled({}, hires)["enable_hr"] is True
    of_img2img = filled({}, hires, "img2img")
    assert of_img2img["denoising_strength"] == 0.4
    assert not {name for name in of_img2img if name.startswith(("hr_", "enable_hr"))}
    kept = filled({}, skipped="seed, Sampler, Clip skip")
    assert not {"seed", "sampler_name", "scheduler"} & kept.keys()
    assert kept["override_settings"] == {"eta_noise_seed_delta": 5}


def test_the_script_of_a_sheet_is_run_unless_another_was_sent() -> None:
    plot = f"{TEXT}, Script: X/Y/Z plot, X Type: Steps, X Values: 1-3"
    found = filled({}, plot)
    assert found["script_name"] == "X/Y/Z plot"
    assert found["script_args"] == {"x_type": "Steps", "x_values": "1-3", "x_values_dropdown": []}
    sent = {"script_name": "Prompt matrix", "script_args": [False]}
    assert {name: filled(sent, plot)[name] for name in sent} == sent


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (f'{TEXT}, ControlNet 0: "Module: canny"', "ControlNet"),
        (f"{TEXT}, RNG: NV", "RNG"),
        (f"{TEXT}, Script: X/Y/Z plot, X Type: Wishful, X Values: 1", "Wishful"),
    ],
)
def test_what_would_change_the_picture_and_cannot_be_is_refused(text: str, named: str) -> None:
    with pytest.raises(InvalidRequest, match=named) as refused:
        filled({}, text)
    assert refused.value.field == "infotext"
    assert filled({}, f"{TEXT}, Of an extension: 5") == filled({})


@pytest.mark.parametrize("value", [5, ["x"], {"Steps": 5}, True])
def test_what_is_no_text_is_refused(value: object) -> None:
    with pytest.raises(InvalidRequest) as refused:
        with_infotext("txt2img", {"infotext": value})
    assert refused.value.field == "infotext"


@pytest.mark.parametrize("text", ["", "Steps: 20", ",,,:", "Negative prompt:", "\n\n,", "Steps: 1e999, Seed: 9" * 3])
def test_odd_texts_give_a_request_that_can_be_checked(text: str) -> None:
    found = filled({"steps": 3}, text)
    assert validate_request("txt2img", {name: value for name, value in found.items() if name != "infotext"})


@pytest.mark.parametrize("data", [None, [], {"infotext": None}, {"infotext": " "}, {"prompt": "x"}])
def test_a_request_without_one_is_returned_as_it_is(data: object) -> None:
    assert with_infotext("txt2img", data) is data
    assert with_infotext("extras", {"infotext": TEXT}) == {"infotext": TEXT}
    assert with_infotext(5, data) is data
