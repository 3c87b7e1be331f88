"""Families whose denoiser is a UNet, from the names and shapes of whole files: Stability's names, and diffusers'."""

from pathlib import Path

import pytest

from tests.jobs import made_unets as made
from tests.jobs.made_unets import UNET, Shapes, under
from tests.jobs.models.detection.found_files import found


def diffusers_unet(words: int, channels: int = 4, told: int | None = None, depth: int = 1, level: int = 0) -> Shapes:
    """Return the telling tensors of a UNet under diffusers' names."""
    block = f"down_blocks.{level}.attentions.0.transformer_blocks"
    embedding: Shapes = {} if told is None else {"add_embedding.linear_1.weight": (1280, told)}
    return {
        "conv_in.weight": (320, channels, 3, 3), "time_embedding.linear_1.weight": (1280, 320),
        **{f"{block}.{number}.attn2.to_k.weight": (320, words) for number in range(depth)}, **embedding,
    }  # fmt: skip


# The rows of the reference's table, and what each is to be called.
WHOLE: dict[str, tuple[Shapes, tuple[str, str]]] = {
    "SD 1.5": (made.sd1(), ("sd1", "")),
    "SD 1.5 inpainting": (made.sd1(9), ("sd1", "inpaint")),
    "instruct-pix2pix": (made.sd1(8), ("sd1", "instruct")),
    "SD 2": (made.sd2(), ("sd2", "")),
    "SDXL": (made.sdxl(), ("sdxl", "")),
    "SDXL refiner": (made.refiner(), ("sdxl-refiner", "")),
}
ALONE: dict[str, tuple[Shapes, tuple[str, str]]] = {
    "SD 2 inpainting": (made.sd2_unet(9), ("sd2", "inpaint")),
    "SD 2 depth": (made.sd2_unet(5), ("sd2", "depth")),
    "SD 2 upscaler": (made.unet(1024, 7, first=256, linear=True), ("sd2", "upscaler")),
    "SD 2 unCLIP": (made.sd2_unet(told=2048), ("sd2", "unclip")),
    "SDXL inpainting": (made.sdxl_unet(9), ("sdxl", "inpaint")),
    "SDXL instruct": (made.sdxl_unet(8), ("sdxl", "instruct")),
    "SSD-1B": (made.sdxl_unet(depths=(0, 2, 4)), ("sdxl", "ssd-1b")),
    "Vega": (made.sdxl_unet(depths=(0, 1, 2)), ("sdxl", "vega")),
    "KOALA": (made.sdxl_unet(depths=(0, 2, 5)), ("sdxl", "koala")),
    "Playground 2.5": (made.sdxl_unet() | {"edm_mean": (1, 4, 1, 1), "edm_std": (1, 4, 1, 1)}, ("sdxl", "playground")),
    "CosXL": (made.sdxl_unet() | {"edm_vpred.sigma_max": ()}, ("sdxl", "cosxl")),
    "CosXL Edit": (made.sdxl_unet(8) | {"edm_vpred.sigma_max": ()}, ("sdxl", "instruct")),
    "LCM": (made.unet() | {"time_embed.cond_proj.weight": (320, 256)}, ("sd1", "lcm-full")),
    "Cascade, stage C": ({"clip_txt_mapper.weight": (2048, 1280)}, ("StableCascadeCombinedPipeline", "")),
    "Cascade, stage B": ({"down_blocks.1.0.channelwise.0.weight": (1, 640)}, ("StableCascadeCombinedPipeline", "")),
}
DIFFUSERS: dict[str, tuple[Shapes, tuple[str, str]]] = {
    "SD 1.5": (diffusers_unet(768), ("sd1", "")),
    "SD 1.5 inpainting": (diffusers_unet(768, 9), ("sd1", "inpaint")),
    "SD 2": (diffusers_unet(1024), ("sd2", "")),
    "SDXL": (diffusers_unet(2048, told=2816, depth=10, level=2), ("sdxl", "")),
    "SSD-1B": (diffusers_unet(2048, told=2816, depth=4, level=2), ("sdxl", "ssd-1b")),
    "SDXL refiner": (diffusers_unet(1280, told=2560, depth=4, level=1), ("sdxl-refiner", "")),
    "LCM": (diffusers_unet(768) | {"time_embedding.cond_proj.weight": (320, 256)}, ("sd1", "lcm-full")),
    "Kolors": (diffusers_unet(2048, told=5632, depth=10, level=2), ("KolorsPipeline", "")),
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_checkpoint_needs_nothing(tmp_path: Path, name: str) -> None:
    tensors, (family, variant) = WHOLE[name]
    told = found(tmp_path, tensors)
    assert (told.role, told.family, told.variant, told.layout) == ("checkpoint", family, variant, "original")
    assert (told.prefix, dict(told.needs), told.number_format) == (UNET, {}, "fp16")
    assert {"unet", "vae"} < told.parts
    assert told.problem is None


@pytest.mark.parametrize("prefix", ["", UNET, "diffusion_model."])
@pytest.mark.parametrize("name", ALONE)
def test_a_unet_alone_is_told_whatever_stands_before_its_names(tmp_path: Path, name: str, prefix: str) -> None:
    tensors, expected = ALONE[name]
    tensors = made.signs(tensors)
    beside = {key: shape for key, shape in tensors.items() if key.startswith("edm")}
    core = {key: shape for key, shape in tensors.items() if key not in beside}
    told = found(tmp_path, beside | under(prefix, core))
    assert (told.role, told.family, told.variant) == ("denoiser", *expected)


@pytest.mark.parametrize("name", DIFFUSERS)
def test_a_unet_with_the_names_of_diffusers(tmp_path: Path, name: str) -> None:
    tensors, expected = DIFFUSERS[name]
    told = found(tmp_path, tensors)
    assert (told.role, told.layout, told.family, told.variant) == ("denoiser", "diffusers", *expected)


def test_what_lies_beside_a_unet_is_told(tmp_path: Path) -> None:
    assert found(tmp_path, made.sdxl_unet()).needs == {
        "text_encoder": "clip_l", "text_encoder_2": "clip_g", "vae": "sdxl",
    }  # fmt: skip
    without_vae = {name: shape for name, shape in made.sd1().items() if not name.startswith(made.VAE)}
    assert found(tmp_path, without_vae).needs == {"vae": "sd"}


def test_a_file_with_the_weights_of_training_too_is_what_it_is(tmp_path: Path) -> None:
    ema = {f"model_ema.{name.replace('.', '')}": ("F32", shape) for name, shape in made.unet().items()}
    told = found(tmp_path, {**made.sd1(), **ema, "model_ema.decay": ("F32", ())})
    assert (told.family, told.number_format, dict(told.needs)) == ("sd1", "fp16", {})


def test_a_unet_of_no_family_is_told_by_what_was_seen(tmp_path: Path) -> None:
    told = found(tmp_path, made.unet(words=999))
    assert (told.role, told.family) == ("denoiser", "")
    assert told.problem is not None
    assert "999" in told.problem


def test_a_unet_with_odd_channels_is_told(tmp_path: Path) -> None:
    told = found(tmp_path, made.unet(channels=12))
    assert told.family == "sd1"
    assert told.problem is not None
    assert "12 channels" in told.problem


@pytest.mark.parametrize(("name", "called"), [("Playground 2.5", "Playground 2.5"), ("CosXL", "CosXL")])
def test_a_single_file_with_noise_levels_of_its_own_is_refused_by_its_name(
    tmp_path: Path, name: str, called: str
) -> None:
    told = found(tmp_path, ALONE[name][0])
    assert (told.prediction, told.label) == ("edm", called)
    assert told.problem is not None
    assert f"is a {called} that has noise levels of its own (EDM)" in told.problem
    assert "put its folder in diffusers layout here" in told.problem


def test_a_model_of_films_is_refused_by_its_name(tmp_path: Path) -> None:
    told = found(tmp_path, made.sd2_unet(8, told=768) | {"input_blocks.1.1.time_stack.0.norm1.weight": (320,)})
    assert told.role == "video"
    assert told.problem is not None
    assert "Stable Video Diffusion" in told.problem
