"""Families whose denoiser is a transformer, from the tensors that the reference's table names."""

from pathlib import Path

import pytest

from tests.jobs import made_transformers as made
from tests.jobs.made_unets import Shapes, under
from tests.jobs.models.detection.found_files import found

# Tensors, and family, variant and whose names they have. Those of the second table are drawn with as folders alone.
NAMED: dict[str, tuple[Shapes, tuple[str, str, str]]] = {
    "SD 3 Medium": (made.sd3(), ("sd3", "medium", "original")),
    "SD 3.5 Medium": (made.sd3(normed=True), ("sd3", "3.5-medium", "original")),
    "SD 3.5 Large": (made.sd3(38, normed=True), ("sd3", "3.5-large", "original")),
    "SD 3 Medium of diffusers": (made.sd3_diffusers(), ("sd3", "medium", "diffusers")),
    "SD 3.5 Medium of diffusers": (made.sd3_diffusers(24, normed=True), ("sd3", "3.5-medium", "diffusers")),
    "SD 3.5 Large of diffusers": (made.sd3_diffusers(38, normed=True), ("sd3", "3.5-large", "diffusers")),
    "Flux.2 dev": (made.flux2(guided=True), ("flux2", "", "original")),
    "Flux.2 dev of diffusers": (made.flux2_diffusers(guided=True), ("flux2", "", "diffusers")),
    "klein 9B": (made.flux2(12288), ("flux2-klein", "9b", "original")),
    "klein 4B": (made.flux2(7680), ("flux2-klein", "4b", "original")),
    "klein 4B of diffusers": (made.flux2_diffusers(7680), ("flux2-klein", "4b", "diffusers")),
    "Chroma": (made.CHROMA, ("chroma", "", "original")),
    "Chroma Radiance": (made.CHROMA | {"nerf_blocks.0.weight": (1, 1)}, ("chroma", "radiance", "original")),
    "Flux.1 dev": (made.flux(), ("flux", "dev", "original")),
    "Flux.1 schnell": (made.flux(guided=False), ("flux", "schnell", "original")),
    "Flux.1 Fill": (made.flux(384), ("flux", "fill", "original")),
    "Flux.1 Depth or Canny": (made.flux(128), ("flux", "control", "original")),
    "Flux.1 dev of diffusers": (made.flux_diffusers(), ("flux", "dev", "diffusers")),
    "Flux.1 schnell of diffusers": (made.flux_diffusers(guided=False), ("flux", "schnell", "diffusers")),
    "Flux.1 Fill of diffusers": (made.flux_diffusers(384), ("flux", "fill", "diffusers")),
    "Z-Image": (made.Z_IMAGE, ("z-image", "turbo", "original")),
    "Z-Image of diffusers": (made.Z_IMAGE_DIFFUSERS, ("z-image", "turbo", "diffusers")),
    "Z-Image Omni": (made.Z_IMAGE | {"siglip_embedder.0.weight": (1152,)}, ("z-image", "omni", "original")),
    "Lumina 2": (made.LUMINA2, ("lumina2", "", "original")),
    "Lumina 2 of diffusers": (
        {"time_caption_embed.caption_embedder.0.weight": (2304,)}, ("lumina2", "", "diffusers"),
    ),
    "Qwen-Image": (made.QWEN_IMAGE, ("qwen-image", "", "diffusers")),
    "Qwen-Image Edit 2511": (
        made.QWEN_IMAGE | {"__index_timestep_zero__": ()}, ("qwen-image", "edit-plus", "diffusers"),
    ),
    "Qwen-Image Layered": (
        made.QWEN_IMAGE | {"time_text_embed.addition_t_embedding.weight": (2, 3072)},
        ("qwen-image", "layered", "diffusers"),
    ),
    "PixArt-Σ": (made.PIXART, ("pixart-sigma", "", "original")),
    "PixArt-Σ of diffusers": (made.PIXART_DIFFUSERS, ("pixart-sigma", "", "diffusers")),
    "Sana": (made.SANA, ("sana", "", "original")),
    "Sana of diffusers": (made.SANA_DIFFUSERS, ("sana", "", "diffusers")),
    "Sana Sprint": (
        made.SANA_DIFFUSERS | {"time_embed.guidance_embedder.linear_1.weight": (2240, 256)},
        ("sana", "sprint", "diffusers"),
    ),
}  # fmt: skip
_FLUX_WITHOUT_WORDS = {name: shape for name, shape in made.flux().items() if not name.startswith("vector_in")}
OTHERS: dict[str, tuple[Shapes, str]] = {
    "AuraFlow": ({"double_layers.0.attn.w1q.weight": (3072, 3072)}, "AuraFlowPipeline"),
    "AuraFlow of diffusers": ({"joint_transformer_blocks.0.attn.add_k_proj.weight": (1, 1)}, "AuraFlowPipeline"),
    "Flux 3": ({"early_stream_modulations.image.lin.weight": (1, 1)}, "Flux3ModularPipeline"),
    "LongCat": (_FLUX_WITHOUT_WORDS | {"txt_in.weight": (3072, 3584)}, "LongCatImagePipeline"),
    "NewBie": (made.LUMINA2 | {"clip_text_pooled_proj.0.weight": (1024,)}, "NewbiePipeline"),
    "HiDream": (
        {"caption_projection.0.linear.weight": (1, 1), "double_stream_blocks.0.block.ff_i.w1.weight": (1, 1)},
        "HiDreamImagePipeline",
    ),
    "Qwen-Image 2.1": ({"txt_in.text_norm.weight": (4096,), "img_in.weight": (1, 1)}, "QwenImage21Pipeline"),
    "Qwen-Image 2.1 of diffusers": ({"transformer_blocks.0.img_mlp.gate_layer.weight": (1, 1)}, "QwenImage21Pipeline"),
    "Krea 2": ({"txtfusion.projector.weight": (1, 1), "first.weight": (1, 1)}, "Krea2Pipeline"),
    "Krea 2 of diffusers": ({"text_fusion.projector.weight": (1, 1)}, "Krea2Pipeline"),
    "PixArt-α": (made.PIXART | {"ar_embedder.mlp.0.weight": (384, 256)}, "PixArtAlphaPipeline"),
    "PixArt-α of diffusers": (
        made.PIXART_DIFFUSERS | {"adaln_single.emb.resolution_embedder.linear_1.weight": (384, 256)},
        "PixArtAlphaPipeline",
    ),
    "Anima": (
        {"llm_adapter.blocks.0.cross_attn.q_proj.weight": (1, 1), "blocks.0.mlp.layer1.weight": (1, 1)},
        "AnimaModularPipeline",
    ),
    "Ernie-Image": (
        {"layers.0.mlp.linear_fc2.weight": (1, 1), "layers.0.self_attention.to_q.weight": (1, 1)}, "ErnieImagePipeline",
    ),
    "Ideogram 4": ({"embed_image_indicator.weight": (1, 1)}, "Ideogram4Pipeline"),
    "Kandinsky 5": (
        {"visual_transformer_blocks.0.cross_attention.key_norm.weight": (1,)}, "Kandinsky5T2IPipeline",
    ),
    "Cosmos": ({"x_embedder.proj.1.weight": (2048, 68)}, "CosmosTextToWorldPipeline"),
    "HunyuanDiT": ({"mlp_t5.0.weight": (8192, 2048)}, "HunyuanDiTPipeline"),
    "HunyuanImage": ({"txt_in.individual_token_refiner.blocks.0.norm1.weight": (1,)}, "HunyuanImagePipeline"),
}  # fmt: skip
FILMS: dict[str, Shapes] = {
    "Wan": {"head.modulation": (1, 2, 5120), "blocks.0.self_attn.q.weight": (1, 1)},
    "LTX": {"patchify_proj.weight": (2048, 128), "adaln_single.emb.timestep_embedder.linear_1.bias": (2048,)},
    "Mochi": {"t5_yproj.weight": (1, 1), "blocks.0.attn.qkv_x.weight": (1, 1)},
    "HunyuanVideo": {
        "txt_in.individual_token_refiner.blocks.0.norm1.weight": (1,), "vector_in.in_layer.weight": (1, 1),
        "double_blocks.0.img_attn.norm.key_norm.scale": (128,),
    },
    "CogVideoX": {"blocks.0.norm1.linear.weight": (1, 1)},
}  # fmt: skip


@pytest.mark.parametrize("prefix", ["", "model.diffusion_model.", "diffusion_model.", "transformer.", "net."])
@pytest.mark.parametrize("name", NAMED)
def test_a_family_is_told_whatever_stands_before_its_names(tmp_path: Path, name: str, prefix: str) -> None:
    tensors, (family, variant, layout) = NAMED[name]
    told = found(tmp_path, under(prefix, tensors), dtype="BF16")
    assert (told.role, told.family, told.variant, told.layout) == ("denoiser", family, variant, layout)
    assert (told.prefix, told.number_format) == (prefix, "bf16")
    assert told.prediction == ("epsilon" if family == "pixart-sigma" else "flow")


@pytest.mark.parametrize("name", OTHERS)
def test_a_family_without_a_name_here_is_called_by_its_pipeline(tmp_path: Path, name: str) -> None:
    tensors, pipeline = OTHERS[name]
    told = found(tmp_path, tensors)
    assert (told.role, told.family) == ("denoiser", pipeline)
    assert told.problem is not None
    assert "folder in diffusers layout" in told.problem


@pytest.mark.parametrize("name", FILMS)
def test_a_model_of_films_is_refused_by_its_name(tmp_path: Path, name: str) -> None:
    told = found(tmp_path, FILMS[name])
    assert (told.role, told.problem is not None and name in told.problem) == ("video", True)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Flux.1 dev", None),
        ("Z-Image", None),
        ("Chroma", None),
        ("klein 4B", None),
        ("Qwen-Image", None),
        ("SD 3.5 Large", None),
        ("Flux.1 Fill", None),
        ("Flux.1 Depth or Canny", "a picture that leads it"),
        ("Lumina 2", "in diffusers layout"),
        ("Sana", "in diffusers layout"),
        ("PixArt-Σ", "in diffusers layout"),
        ("Flux.2 dev", "in diffusers layout"),
        ("Chroma Radiance", "draws pixels"),
    ],
)
def test_what_is_not_drawn_with_says_why(tmp_path: Path, name: str, words: str | None) -> None:
    problem = found(tmp_path, NAMED[name][0]).problem
    assert (problem is None) == (words is None)
    assert words is None or words in str(problem)


def test_a_transformer_alone_needs_encoders_and_vae(tmp_path: Path) -> None:
    assert found(tmp_path, made.flux()).needs == {"text_encoder": "clip_l", "text_encoder_2": "t5xxl", "vae": "flux"}
    assert found(tmp_path, made.flux2(12288)).needs == {"text_encoder": "qwen3_8b", "vae": "flux2"}
    assert found(tmp_path, made.flux2(7680)).needs == {"text_encoder": "qwen3_4b", "vae": "flux2"}


def test_what_is_inside_is_not_needed(tmp_path: Path) -> None:
    told = found(tmp_path, made.all_in_one_flux())
    assert (told.role, told.family, dict(told.needs)) == ("checkpoint", "flux", {})
    assert told.parts == {"transformer", "vae", "text_encoder", "text_encoder_2"}


def test_the_third_encoder_of_sd3_may_be_left_out(tmp_path: Path) -> None:
    told = found(tmp_path, made.all_in_one_sd3())
    assert dict(told.needs) == {}
    assert "text_encoder_3" not in told.parts
    assert found(tmp_path, made.sd3()).needs == {"text_encoder": "clip_l", "text_encoder_2": "clip_g", "vae": "sd3"}


def test_a_text_encoder_beside_the_denoiser_is_not_taken_for_it(tmp_path: Path) -> None:
    """A language model has more tensors than its denoiser, and names that begin as some denoisers' do."""
    encoder = under("text_encoders.qwen3_4b.transformer.", made.language_model(2560, normed=True, layers=36))
    told = found(tmp_path, encoder | under("model.diffusion_model.", made.Z_IMAGE))
    assert (told.family, dict(told.needs)) == ("z-image", {"vae": "flux"})
    assert told.parts == {"transformer", "text_encoder"}
