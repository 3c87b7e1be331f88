"""What a model in diffusers layout is, from its small files."""

import json
from pathlib import Path
from typing import Any

import pytest

from modules.jobs.models.detection.folder_facts import look_into_folder
from modules.jobs.models.folder import look_at
from tests.jobs.made_files import write_file
from tests.jobs.made_models import INDEX, make_model

# The class, the denoiser's configuration, more of the index, and family and variant.
FOLDERS: dict[str, tuple[str, dict[str, Any], dict[str, Any], tuple[str, str]]] = {
    "SD 1": ("StableDiffusionPipeline", {"cross_attention_dim": 768, "in_channels": 4}, {}, ("sd1", "")),
    "SD 2": ("StableDiffusionPipeline", {"cross_attention_dim": 1024}, {}, ("sd2", "")),
    "inpainting": ("StableDiffusionInpaintPipeline", {"in_channels": 9}, {}, ("sd1", "inpaint")),
    "inpainting with a plain UNet": ("StableDiffusionInpaintPipeline", {"in_channels": 4}, {}, ("sd1", "")),
    "instruct": ("StableDiffusionInstructPix2PixPipeline", {"in_channels": 8}, {}, ("sd1", "instruct")),
    "LCM": ("LatentConsistencyModelPipeline", {"time_cond_proj_dim": 256}, {}, ("sd1", "lcm-full")),
    "SDXL": ("StableDiffusionXLPipeline", {"projection_class_embeddings_input_dim": 2816}, {}, ("sdxl", "")),
    "refiner": (
        "StableDiffusionXLImg2ImgPipeline", {"projection_class_embeddings_input_dim": 2560}, {}, ("sdxl-refiner", ""),
    ),
    "refiner by its encoders": (
        "StableDiffusionXLImg2ImgPipeline", {},
        {"text_encoder": [None, None], "text_encoder_2": ["transformers", "CLIPTextModelWithProjection"]},
        ("sdxl-refiner", ""),
    ),
    "SDXL by its published name": (
        "StableDiffusionXLPipeline", {}, {"_name_or_path": "stabilityai/sdxl-turbo"}, ("sdxl", "turbo"),
    ),
    "SD 3": ("StableDiffusion3Pipeline", {"num_layers": 24}, {}, ("sd3", "medium")),
    "SD 3.5 Large": ("StableDiffusion3Pipeline", {"num_layers": 38, "qk_norm": "rms_norm"}, {}, ("sd3", "3.5-large")),
    "SD 3.5 Medium": ("StableDiffusion3Pipeline", {"num_layers": 24, "qk_norm": "x"}, {}, ("sd3", "3.5-medium")),
    "Flux dev": ("FluxPipeline", {"guidance_embeds": True}, {}, ("flux", "dev")),
    "Flux schnell": ("FluxPipeline", {"guidance_embeds": False}, {}, ("flux", "schnell")),
    "Fill": ("FluxFillPipeline", {"guidance_embeds": True}, {}, ("flux", "fill")),
    "Kontext": ("FluxKontextPipeline", {"guidance_embeds": True}, {}, ("flux", "kontext")),
    "klein": ("Flux2KleinPipeline", {"joint_attention_dim": 12288}, {"is_distilled": True}, ("flux2-klein", "9b")),
    "klein base": ("Flux2KleinPipeline", {}, {"is_distilled": False}, ("flux2-klein", "4b-base")),
    "Sana Sprint": ("SanaSprintPipeline", {"guidance_embeds": True}, {}, ("sana", "sprint")),
    "Qwen-Image": ("QwenImagePipeline", {}, {}, ("qwen-image", "")),
    "of no family here": ("AuraFlowPipeline", {}, {}, ("AuraFlowPipeline", "")),
    "of tomorrow": ("T" * 5000, {}, {}, ("T" * 80, "")),
}  # fmt: skip


def make_folder(folder: Path, class_name: object, config: dict[str, Any], index: dict[str, Any]) -> Path:
    """Write the small files of a model in diffusers layout."""
    part = "unet" if isinstance(class_name, str) and class_name.startswith(("Stable", "Latent")) else "transformer"
    if class_name == "StableDiffusion3Pipeline":
        part = "transformer"
    (folder / part).mkdir(parents=True)
    (folder / part / "config.json").write_text(json.dumps(config))
    (folder / "model_index.json").write_text(json.dumps({"_class_name": class_name, **index}))
    return folder


@pytest.mark.parametrize("name", FOLDERS)
def test_families_and_variants(tmp_path: Path, name: str) -> None:
    class_name, config, index, expected = FOLDERS[name]
    facts = look_into_folder(make_folder(tmp_path / "model", class_name, config, index))
    assert (facts.family, facts.variant) == expected


def test_the_name_of_the_folder_speaks_where_the_configuration_does_not(tmp_path: Path) -> None:
    for folder, variant in {"sdxl-lightning": "lightning", "sdxl_turbo": "turbo", "mine": ""}.items():
        made = make_folder(tmp_path / folder, "StableDiffusionXLPipeline", {}, {})
        assert look_into_folder(made).variant == variant


@pytest.mark.parametrize(
    ("class_name", "scheduler", "said"),
    [
        ("StableDiffusionPipeline", {}, "epsilon"),
        ("StableDiffusionPipeline", {"prediction_type": "v_prediction"}, "v"),
        ("StableDiffusionPipeline", {"prediction_type": 5}, "epsilon"),
        ("StableDiffusionXLPipeline", {"_class_name": "EDMEulerScheduler", "prediction_type": "v_prediction"}, "edm"),
        ("StableDiffusionXLPipeline", {"_class_name": "EulerDiscreteScheduler", "timestep_type": "continuous"}, "edm"),
        ("FluxPipeline", {"_class_name": "FlowMatchEulerDiscreteScheduler"}, "flow"),
        ("SanaPipeline", {"prediction_type": "flow_prediction"}, "flow"),
        ("AuraFlowPipeline", {"_class_name": "FlowMatchEulerDiscreteScheduler"}, "flow"),
        ("OtherPipeline", {"_class_name": "DDIMScheduler", "prediction_type": "epsilon"}, "epsilon"),
        ("OtherPipeline", {}, ""),
    ],
)
def test_what_it_predicts(tmp_path: Path, class_name: str, scheduler: dict[str, Any], said: str) -> None:
    folder = make_folder(tmp_path / "model", class_name, {}, {})
    (folder / "scheduler").mkdir()
    (folder / "scheduler" / "scheduler_config.json").write_text(json.dumps(scheduler))
    assert look_into_folder(folder).prediction == said


@pytest.mark.parametrize(
    ("scheduler", "variant"),
    [
        ({"_class_name": "EDMDPMSolverMultistepScheduler", "prediction_type": "epsilon"}, "playground"),
        ({"_class_name": "EDMEulerScheduler", "prediction_type": "v_prediction"}, "cosxl"),
        ({"_class_name": "EulerDiscreteScheduler", "prediction_type": "v_prediction"}, ""),
    ],
)
def test_noise_levels_of_its_own_tell_a_model_of_sdxl(tmp_path: Path, scheduler: dict[str, Any], variant: str) -> None:
    folder = make_folder(tmp_path / "model", "StableDiffusionXLPipeline", {}, {})
    (folder / "scheduler").mkdir()
    (folder / "scheduler" / "scheduler_config.json").write_text(json.dumps(scheduler))
    assert look_into_folder(folder).variant == variant


def test_numbers_and_size_are_those_of_the_weights(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "model", b"\0" * 64)
    write_file(folder / "unet" / "diffusion_pytorch_model.safetensors", {"a": (1000,), "b": ("F32", (3,))}, "BF16")
    facts = look_into_folder(folder)
    assert facts.number_format == "bf16"
    files = list(folder.rglob("*.safetensors"))
    assert facts.size_bytes == sum(path.stat().st_size for path in files) > 2000


@pytest.mark.parametrize("name", [None, 5, [], ""])
def test_an_index_that_says_nothing(tmp_path: Path, name: object) -> None:
    assert look_into_folder(make_folder(tmp_path / "model", name, {}, {})).family == ""
    assert look_into_folder(tmp_path / "absent").family == ""


def test_a_listed_folder_says_what_it_is_and_draws_by_its_card(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "model", unet={"sample_size": 64, "cross_attention_dim": 1024})
    shown = look_at("model", folder)
    assert (shown.problem, shown.family, shown.number_format) == (None, "sd2", "fp32")
    assert (shown.defaults.steps, shown.defaults.cfg_scale) == (20, 7.5)
    assert shown.size_bytes > 0
    (folder / "defaults.json").write_text(json.dumps({"steps": 33}))
    defaults = look_at("model", folder).defaults
    assert (defaults.steps, defaults.cfg_scale) == (33, 7.5)


def test_a_folder_of_a_variant_that_is_not_drawn_with_says_why(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "model", unet={"sample_size": 64, "cross_attention_dim": 1024, "in_channels": 5})
    shown = look_at("model", folder)
    assert (shown.family, shown.variant) == ("sd2", "depth")
    assert shown.problem is not None
    assert "needs a picture, whose depth it keeps" in shown.problem


@pytest.mark.parametrize(("channels", "variant"), [(9, "inpaint"), (8, "instruct")])
def test_models_that_are_told_of_pictures_are_drawn_with(tmp_path: Path, channels: int, variant: str) -> None:
    unet = {"sample_size": 64, "cross_attention_dim": 768, "in_channels": channels}
    shown = look_at("model", make_model(tmp_path / "model", unet=unet))
    assert (shown.family, shown.variant, shown.problem) == ("sd1", variant, None)
    assert INDEX["_class_name"] == "StableDiffusionPipeline"
