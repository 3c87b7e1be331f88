"""A single file among the checkpoints, as the page, REST and the queue see it."""

import json
from pathlib import Path

import pytest

from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.folder import look_at
from tests.jobs import made_transformers
from tests.jobs import made_unets as made
from tests.jobs.made_files import write_file, write_gguf
from webui.tabs.drawing.prompts import shown_count


def listed(folder: Path, tensors: made.Shapes, name: str = "model.safetensors", **more: str) -> Checkpoint:
    """Return a file with these tensors as it is listed."""
    path = write_file(folder / name, tensors, **more)  # type: ignore[arg-type]
    return look_at(name, path)


def test_a_whole_checkpoint_is_ready(tmp_path: Path) -> None:
    shown = listed(tmp_path, made.sd1())
    assert shown.problem is None
    assert (shown.kind, shown.family, shown.variant) == ("file", "sd1", "")
    assert (shown.number_format, shown.prediction, dict(shown.needs)) == ("fp16", "epsilon", {})
    assert (shown.native_width, shown.native_height) == (512, 512)
    assert shown.size_bytes == (tmp_path / "model.safetensors").stat().st_size > 2_000_000_000
    assert (shown.defaults.steps, shown.defaults.cfg_scale, shown.defaults.sampler_name) == (20, 7.0, "Euler")


def test_the_words_of_a_prompt_are_counted_where_clip_reads_them(tmp_path: Path) -> None:
    write_file(tmp_path / "Stable-diffusion" / "sd.safetensors", made.sd1())
    write_file(tmp_path / "Stable-diffusion" / "flux.safetensors", made_transformers.all_in_one_flux())
    models = CheckpointCatalogue([tmp_path])
    assert "5 / 75" in shown_count(models, "a cat and a dog", "sd.safetensors")
    assert shown_count(models, "a cat and a dog", "flux.safetensors") == ""


def test_a_variant_draws_by_its_own_card(tmp_path: Path) -> None:
    shown = listed(tmp_path, made.sdxl(), "dreamshaperXL_v21TurboDPMSDE.safetensors")
    assert (shown.variant, shown.native_width) == ("turbo", 512)
    assert (shown.defaults.steps, shown.defaults.cfg_scale, shown.defaults.sampler_name) == (4, 1.0, "Euler a")


def test_its_owner_says_otherwise(tmp_path: Path) -> None:
    said = {"steps": 9, "cfg_scale": 2.5, "sampler_name": "DPM++ 2M", "variant": "", "prediction": "v"}
    (tmp_path / "a.turbo.defaults.json").write_text(json.dumps(said))
    shown = listed(tmp_path, made.sdxl(), "a.turbo.safetensors")
    assert (shown.problem, shown.variant, shown.prediction) == (None, "", "v")
    assert (shown.defaults.steps, shown.defaults.cfg_scale, shown.defaults.sampler_name) == (9, 2.5, "DPM++ 2M")
    (tmp_path / "a.turbo.defaults.json").write_text('{"steps": 1000}')
    problem = look_at("a.turbo.safetensors", tmp_path / "a.turbo.safetensors").problem
    assert problem is not None
    assert problem.startswith(f"a.turbo.defaults.json in {tmp_path} is not possible.")


def test_a_denoiser_alone_says_what_it_needs(tmp_path: Path) -> None:
    shown = listed(tmp_path, made_transformers.flux(), "flux1-dev.safetensors", dtype="F8_E4M3")
    assert (shown.problem, shown.number_format) == (None, "fp8_e4m3fn")
    assert shown.needs == {"text_encoder": "clip_l", "text_encoder_2": "t5xxl", "vae": "flux"}
    assert (shown.native_width, shown.defaults.steps, shown.defaults.cfg_scale) == (1024, 28, 1.0)


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        (
            {"lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k.lora_down.weight": (8, 768)},
            "is a LoRA for Stable Diffusion 1.x, no checkpoint: put it into models/Lora.",
        ),
        (made.vae(), "is a VAE, no checkpoint: put it into models/VAE."),
        (made.clip(), "is a text encoder, no checkpoint: put it into models/text_encoder."),
        ({"emb_params": (2, 768)}, "no checkpoint: put it into models/embeddings."),
        (
            {"control_model.zero_convs.0.0.weight": (320, 320, 1, 1)},
            "is a ControlNet, no checkpoint: put it into models/ControlNet.",
        ),
        ({"conv_first.weight": (64, 3, 3, 3)}, "is an upscaler, no checkpoint: put it into models/ESRGAN."),
        ({"head.modulation": (1, 2, 5120)}, "is a Wan model, which makes films: this program draws pictures, so"),
        ({"double_layers.0.attn.w1q.weight": (1, 1)}, "is an AuraFlow model, which this version does not draw with"),
        ({"x": (1,)}, "is of no kind that is known here (it has one tensor, 'x')"),
        ({}, "holds no weights: fetch it again."),
    ],
)
def test_what_cannot_be_used_says_why_and_what_to_do(tmp_path: Path, tensors: made.Shapes, words: str) -> None:
    shown = listed(tmp_path, tensors)
    assert shown.problem is not None
    assert shown.problem.startswith(f"{tmp_path / 'model.safetensors'} ")
    assert words in shown.problem
    assert shown.problem.endswith(".")


def test_a_gguf_is_listed_with_its_kind_of_numbers(tmp_path: Path) -> None:
    tensors = {name: ("F32", shape) for name, shape in made_transformers.flux().items()}
    path = write_gguf(
        tmp_path / "flux.gguf", {**tensors, "double_blocks.0.img_attn.qkv.weight": ("Q4_K", (9216, 30720))}
    )
    assert (look_at("flux.gguf", path).family, look_at("flux.gguf", path).number_format) == ("flux", "Q4_K")


def test_a_safetensors_under_the_name_of_a_pickle_is_to_be_renamed(tmp_path: Path) -> None:
    problem = look_at("a.ckpt", write_file(tmp_path / "a.ckpt", made.sd1())).problem
    path = tmp_path / "a.ckpt"
    assert problem == f"{path} is a safetensors file under the name of a pickle: rename it to a.safetensors."


def test_a_name_that_is_no_text_is_told(tmp_path: Path) -> None:
    path = write_file(tmp_path / "a\udcff.safetensors", {"a": (1,)})
    problem = look_at("a?.safetensors", path).problem
    assert problem is not None
    problem.encode()


def test_the_catalogue_lists_what_is_found(tmp_path: Path) -> None:
    place = tmp_path / "Stable-diffusion"
    write_file(place / "dream.safetensors", made.sd1())
    write_file(place / "lora.safetensors", {"lora_unet_x.lora_down.weight": (4, 4)})
    models = {one.name: one for one in CheckpointCatalogue([tmp_path]).list()}
    assert (models["dream.safetensors"].family, models["dream.safetensors"].problem) == ("sd1", None)
    assert "put it into models/Lora" in str(models["lora.safetensors"].problem)
