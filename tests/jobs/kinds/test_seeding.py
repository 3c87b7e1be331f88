"""Seeds, variations, noise on the way, tiling: closed, refused with the reason, told in file and infotext."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from modules.errors import InvalidRequest
from modules.images.infotext import parse, parse_pairs, write
from modules.images.takeover import take_over
from modules.jobs.kinds.base import Noise, Variation
from modules.jobs.kinds.registry import validate_drawing
from modules.jobs.kinds.txt2img import TXT2IMG
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.defaults import ModelDefaults
from modules.options import Settings
from tests.jobs.kinds.test_txt2img import resolved
from tests.jobs.made_models import make_model

SD1 = Checkpoint("old", Path("old"), "folder", 64, 64, "a" * 64, ModelDefaults(), None, None, family="sd1")


def noise(data: dict[str, Any], model: Checkpoint = SD1, **settings: Any) -> Noise | None:
    return resolved({"sampler_name": "Euler a"} | data, model, Settings(**settings)).passes[0].noise


def test_what_samplers_add_is_the_requests_then_the_settings_and_usually_not_told() -> None:
    assert noise({}) is None and noise({"eta": 1.0, "s_noise": 1}) is None
    assert noise({"eta": 0.5}) == Noise(eta=0.5)
    assert noise({}, eta_ancestral=0.25) == Noise(eta=0.25) and noise({"eta": 1}, eta_ancestral=0.25) is None
    assert noise({"s_noise": 1.003}) == Noise(strength=1.003)
    assert noise({"override_settings": {"eta_ancestral": 0}}) == Noise(eta=0)
    assert noise({"sampler_name": "DDIM"}) == noise({"sampler_name": "DDIM", "eta": 0}) is None
    assert noise({"sampler_name": "DDIM", "eta": 1}) == noise({"sampler_name": "DDIM"}, eta_ddim=1.0) == Noise(eta=1)


def test_churn_is_for_three_samplers_and_bounded() -> None:
    asked = {"sampler_name": "Heun", "s_churn": 4, "s_tmin": 0.1, "s_tmax": 20, "s_noise": 1.01}
    assert noise(asked) == Noise(churn=4, lowest=0.1, highest=20, strength=1.01)
    for none in (0, 999, "inf", float("inf"), None):
        assert noise(asked | {"s_tmax": none}) == Noise(churn=4, lowest=0.1, strength=1.01), none
    assert noise({"sampler_name": "Euler"}, s_churn=3.0, s_tmax=5.0) == Noise(churn=3, highest=5)
    for sent, highest in (({}, 5), ({"s_tmax": 0}, None), ({"s_tmax": 7}, 7)):
        row = validate_drawing("txt2img", {"sampler_name": "Euler"} | sent).model_dump(mode="json")
        assert noise(row, s_churn=3.0, s_tmax=5.0) == Noise(churn=3, highest=highest), "as the engine reads it"
    assert noise({"sampler_name": "DPM++ 2M"}, s_churn=3.0, s_noise=1.05) is None, "a setting asks nothing of others"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            {"sampler_name": "DPM++ 2M", "eta": 0.5},
            "eta 0.5 is not possible: .* has no use for it. Use Euler a",
        ),
        (
            {"sampler_name": "Euler a", "s_churn": 2},
            "s_churn 2.0 is not possible: Euler a has no use for it. Use Eu",
        ),
        ({"sampler_name": "UniPC", "s_noise": 0.5}, "s_noise 0.5 is not possible: UniPC has no use for it"),
        ({"eta": 2}, "Eta 2 is not possible: use 0 to 1"),
        ({"s_churn": "much"}, 'Sigma churn "much" is not a number'),
        ({"subseed_strength": 1.5}, "Variation seed strength 1.5 is not possible: use 0 to 1"),
        ({"seed_resize_from_w": 99999}, "Seed resize from width 99,999 is not possible"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_reason(tmp_path: Path, data: dict[str, Any], words: str) -> None:
    make_model(tmp_path / "Stable-diffusion" / "plain")
    catalogue = CheckpointCatalogue([tmp_path])
    with pytest.raises(InvalidRequest, match=words) as caught:
        validate_drawing("txt2img", data).find_models(catalogue, Settings(sd_model_checkpoint="plain"))
    assert caught.value.field in data


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"tiling": True}, "cannot make pictures that tile"),
        ({"cfg_rescale": 0.7}, "knows no CFG rescale"),
        ({"sampler_name": "Euler a", "eta": 0.5}, "predicts a flow"),
        ({"sampler_name": "Euler", "s_churn": 1}, "predicts a flow"),
    ],
)
def test_models_of_flows_are_not_asked_for_what_is_not_theirs(data: dict[str, Any], words: str) -> None:
    request = validate_drawing("txt2img", data)
    flux = replace(SD1, name="new", family="flux", prediction="flow")
    with pytest.raises(InvalidRequest, match=words):
        request.check_noise(data.get("sampler_name", "Euler"), flux)
    request.check_noise(data.get("sampler_name", "Euler"), SD1)
    assert noise({"sampler_name": "Euler a"}, flux, eta_ancestral=0.5) is None


def test_a_variation_has_its_own_seed_and_clients_that_want_none_send_0() -> None:
    assert resolved({"subseed": 5}).variation is None
    assert resolved({"subseed": 5, "subseed_strength": 0.4}).variation == Variation(seed=5, strength=0.4)
    assert resolved({"subseed_strength": 0.4}).variation == Variation(seed=42, strength=0.4), "it is drawn"
    for none in ({}, {"seed_resize_from_w": 512}, {"seed_resize_from_w": -1, "seed_resize_from_h": "-1"}):
        assert resolved(none).resized_from is None
    assert resolved({"seed_resize_from_w": 512, "seed_resize_from_h": 768}).resized_from == (512, 768)


VARIED = {
    "prompt": "a", "seed": 3, "sampler_name": "Euler a", "subseed": 7, "subseed_strength": 0.25, "batch_size": 2,
    "seed_resize_from_w": 512, "seed_resize_from_h": 768, "tiling": True, "cfg_rescale": 0.7, "eta": 0.5,
    "s_noise": 1.01, "override_settings": {"eta_noise_seed_delta": 31337},
}  # fmt: skip


def test_file_and_infotext_tell_what_was_chosen_and_the_infotext_is_read_back() -> None:
    job, plain = resolved(VARIED, SD1), resolved({"prompt": "a", "seed": 3, "sampler_name": "Euler a"}, SD1)
    told = {name: value for name, value in TXT2IMG.picture(job, 1).items() if name not in TXT2IMG.picture(plain, 1)}
    assert told == {
        "subseed": 8, "subseed_strength": 0.25, "seed_resize_from_w": 512, "seed_resize_from_h": 768,
        "eta_noise_seed_delta": 31337, "tiling": True, "cfg_rescale": 0.7, "eta": 0.5, "s_noise": 1.01,
    }  # fmt: skip
    text = write(job, 1)
    assert parse_pairs(text)["Seed"] == "3"
    assert (
        "Variation seed: 8, Variation seed strength: 0.25, Seed resize from: 512x768, ENSD: 31337, Tiling: True, "
        "Eta: 0.5, Sigma noise: 1.01, CFG rescale: 0.7, Version"
    ) in text
    again = parse(text)
    kept = VARIED.keys() - {"batch_size", "override_settings", "subseed"}
    assert {name: again[name] for name in kept} == {name: VARIED[name] for name in kept}
    assert again["subseed"] == 8, "that of this picture"
    assert again["override_settings"]["eta_noise_seed_delta"] == 31337


def test_what_the_page_has_fields_for_is_taken_over_and_of_settings_it_is_told() -> None:
    found = take_over(write(resolved(VARIED, SD1), 1), [])
    wanted = {name: VARIED[name] for name in ("subseed_strength", "seed_resize_from_w", "tiling", "cfg_rescale")}
    assert found.values | wanted | {"subseed": 8} == found.values
    assert {"Variation seed", "Variation seed strength", "Seed resize", "Tiling", "CFG rescale"} < set(found.taken)
    assert {one.label for one in found.left} >= {"ENSD", "Eta", "Sigma noise"}
