"""What the weights do not tell: names, metadata and side-cars do, and the owner has the last word."""

import json
from pathlib import Path

import pytest

from modules.jobs.models.detection.hints import read_base_model, told_variant, words_of
from tests.jobs import made_transformers as made
from tests.jobs.made_unets import Shapes, sdxl_unet, signs, unet
from tests.jobs.models.detection.found_files import found

SDXL, SD1 = signs(sdxl_unet()), signs(unet())

# Files as people have them: the name, the tensors, and the variant.
NAMES: list[tuple[str, Shapes, str]] = [
    ("sd_xl_turbo_1.0_fp16", SDXL, "turbo"),
    ("dreamshaperXL_v21TurboDPMSDE", SDXL, "turbo"),
    ("juggernautXL_v9Rdphoto2Lightning", SDXL, "lightning"),
    ("sdxl_lightning_4step", SDXL, "lightning"),
    ("RealVisXL_V4.0_Lightning", SDXL, "lightning"),
    ("Hyper-SDXL-8steps", SDXL, "hyper"),
    ("realisticVisionV60B1_v51HyperVAE", SD1, "hyper"),
    ("hyperRealism_v30", SD1, ""),
    ("Hyper_Realistic_Mix", SD1, ""),
    ("DMD2_sdxl", SDXL, "dmd"),
    ("LCM_Dreamshaper_v7", SD1, "lcm"),
    ("sd_xl_base_1.0", SDXL, ""),
    ("waiNSFWIllustrious_v140", SDXL, ""),
    ("turbine_photo", SDXL, ""),
    ("v1-5-pruned-emaonly", SD1, ""),
    ("flux1-dev", made.flux(), "dev"),
    ("flux1-krea-dev_fp8_scaled", made.flux(), "krea"),
    ("flux1-kontext-dev-Q4_K_S", made.flux(), "kontext"),
    ("flux1-schnell", made.flux(guided=False), "schnell"),
    ("flux1-canny-dev", made.flux(128), "canny"),
    ("flux1-depth-dev", made.flux(128), "depth"),
    ("flux.1-lite-8B-alpha", made.flux(128), "control"),
    ("sd3.5_large_turbo", made.sd3(38, normed=True), "3.5-large-turbo"),
    ("sd3.5_large", made.sd3(38, normed=True), "3.5-large"),
    ("flux-2-klein-base-4b", made.flux2(7680), "4b-base"),
    ("flux-2-klein-9b-fp8", made.flux2(12288), "9b"),
    ("chroma-unlocked-v47-flash", made.CHROMA, "flash"),
    ("z_image_turbo_bf16", made.Z_IMAGE, "turbo"),
    ("z_image_bf16", made.Z_IMAGE, "base"),
    ("Z-Image-Base", made.Z_IMAGE, "base"),
    ("beautifulZIT_v3", made.Z_IMAGE, "turbo"),
    ("qwen_image_fp8_e4m3fn", made.QWEN_IMAGE, ""),
    ("qwen_image_edit_fp8", made.QWEN_IMAGE, "edit"),
    ("qwen_image_edit_2509_bf16", made.QWEN_IMAGE, "edit-plus"),
    ("Qwen-Image-Lightning-8steps", made.QWEN_IMAGE, "lightning"),
]


@pytest.mark.parametrize(("name", "tensors", "variant"), NAMES, ids=[name for name, _, _ in NAMES])
def test_the_name_of_a_file_tells_its_variant(tmp_path: Path, name: str, tensors: Shapes, variant: str) -> None:
    assert found(tmp_path, tensors, f"{name}.safetensors").variant == variant


def test_a_name_does_not_speak_against_the_weights(tmp_path: Path) -> None:
    """What the weights show, a file's name cannot take away or add."""
    assert found(tmp_path, sdxl_unet(9), "turbo_lightning.safetensors").variant == "inpaint"
    assert found(tmp_path, SDXL, "inpainting.safetensors").variant == ""
    assert found(tmp_path, made.flux(guided=False), "flux1-krea-dev.safetensors").variant == "schnell"
    assert told_variant("of tomorrow", "", frozenset({"turbo"})) is None


def test_words() -> None:
    assert words_of("dreamXL_v21TurboSDE") >= {"dreamxl", "dream", "xl", "turbo", "sde", "21"}
    assert words_of("") == frozenset()
    assert len(words_of("aB1_" * 100_000)) < 100


@pytest.mark.parametrize(
    ("side_car", "said"),
    [
        (".civitai.info", {"id": 1, "baseModel": "SDXL Lightning"}),
        (".json", {"modelVersions": [{"baseModel": "SDXL Lightning", "files": [{"name": "model.safetensors"}]}]}),
        (".json", {"modelVersions": [{"baseModel": "SDXL Lightning"}, {"baseModel": "SD 1.5"}]}),
        (".metadata.json", {"base_model": "SDXL Lightning"}),
        (".cm-info.json", {"BaseModel": "SDXL Lightning"}),
    ],
)
def test_what_civitai_says_outranks_the_name(tmp_path: Path, side_car: str, said: object) -> None:
    (tmp_path / f"turbo{side_car}").write_text(json.dumps(said))
    (tmp_path / f"model{side_car}").write_text(json.dumps(said))
    assert found(tmp_path, SDXL).variant == "lightning"
    assert found(tmp_path, SDXL, "turbo.safetensors").variant == "lightning"


def test_of_a_whole_model_of_civitai_the_version_with_the_file_counts(tmp_path: Path) -> None:
    versions = [
        {"baseModel": "SDXL 1.0", "files": [{"name": "other.safetensors"}]},
        {"baseModel": "ZImageTurbo", "files": [{"name": "a.safetensors"}]},
    ]
    (tmp_path / "a.json").write_text(json.dumps({"modelVersions": versions}))
    assert read_base_model(tmp_path / "a.safetensors") == "ZImageTurbo"
    assert words_of("ZImageTurbo") >= {"turbo"}


def test_where_civitai_says_nothing_of_it_the_name_does(tmp_path: Path) -> None:
    (tmp_path / "a_turbo.civitai.info").write_text(json.dumps({"baseModel": "Illustrious"}))
    assert found(tmp_path, SDXL, "a_turbo.safetensors").variant == "turbo"


@pytest.mark.parametrize("said", ["", "no json", "[1]", '{"baseModel": 5}', '{"modelVersions": [[]]}', "[" * 100_000])
def test_side_cars_that_say_nonsense_are_as_none(tmp_path: Path, said: str) -> None:
    for side_car in (".civitai.info", ".json", ".defaults.json"):
        (tmp_path / f"a{side_car}").write_text(said)
    assert found(tmp_path, SDXL, "a.safetensors").variant == ""


def test_the_title_in_a_file_speaks_where_its_name_does_not(tmp_path: Path) -> None:
    assert found(tmp_path, SDXL, metadata={"modelspec.title": "Some Turbo"}).variant == "turbo"


def test_its_owner_has_the_last_word(tmp_path: Path) -> None:
    (tmp_path / "model.civitai.info").write_text(json.dumps({"baseModel": "SDXL Lightning"}))
    (tmp_path / "model.defaults.json").write_text(json.dumps({"variant": "turbo", "prediction": "v"}))
    told = found(tmp_path, SDXL)
    assert (told.variant, told.prediction) == ("turbo", "v")
    (tmp_path / "model.defaults.json").write_text(json.dumps({"variant": "", "prediction": "epsilon"}))
    told = found(tmp_path, SDXL | {"v_pred": ()})
    assert (told.variant, told.prediction) == ("", "epsilon")
    (tmp_path / "model.defaults.json").write_text(json.dumps({"variant": "of tomorrow", "prediction": "guess"}))
    told = found(tmp_path, SDXL | {"v_pred": ()})
    assert (told.variant, told.prediction) == ("lightning", "v")
