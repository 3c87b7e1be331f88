"""Text encoders, VAEs and all that is no denoiser: the rows of the reference's tables."""

from pathlib import Path

import pytest

from modules.jobs.models.detection.companions import say_missing
from modules.jobs.models.detection.detect import detect
from modules.jobs.models.detection.problems import say_misplaced
from modules.jobs.models.families import FAMILY_FACTS, facts_of
from modules.jobs.models.model_file import look_at_file
from modules.jobs.models.places import Kind
from modules.paths import ROOT
from tests.jobs import made_transformers as made
from tests.jobs.made_files import write_gguf
from tests.jobs.made_unets import Shapes, clip, open_clip, sd1, under, vae
from tests.jobs.models.detection.found_files import found

_SEEING = {"model.visual.deepstack_merger_list.0.norm.weight": (4096,)}
ENCODERS: dict[str, tuple[Shapes, str]] = {
    "CLIP-L": (clip(), "clip_l"),
    "CLIP-L, flat": ({name.removeprefix("text_model."): one for name, one in clip().items()}, "clip_l"),
    "OpenCLIP H": (open_clip(24, 1024), "clip_h"),
    "OpenCLIP H of transformers": (clip(23, 1024, 4096), "clip_h"),
    "bigG": (clip(32, 1280, 5120), "clip_g"),
    "bigG of OpenCLIP": (open_clip(32, 1280), "clip_g"),
    "T5-XXL": (made.t5(), "t5xxl"),
    "UMT5-XXL": (made.t5(each=True), "umt5xxl"),
    "pile-T5-XL": (made.t5(5120), "pile_t5xl"),
    "old T5-XXL": ({"encoder.block.0.layer.1.DenseReluDense.wi.weight": (65536, 1024)}, "t5xxl_old"),
    "Gemma 2 2B": (made.gemma(), "gemma2_2b"),
    "Gemma 3 4B": (made.gemma(2560, normed=True, layers=34), "gemma3_4b"),
    "Gemma 3 12B": (made.gemma(3840, normed=True, layers=48), "gemma3_12b"),
    "Qwen2.5-VL 7B": (made.language_model(3584, keys_bias=512), "qwen25_7b"),
    "Qwen2.5-VL 7B of transformers": (
        made.language_model(3584, keys_bias=512, base="model.language_model."), "qwen25_7b",
    ),
    "Qwen2.5-VL 3B": (made.language_model(2048, keys_bias=256), "qwen25_3b"),
    "Qwen3-VL 4B": (
        made.language_model(2560, normed=True) | _SEEING | {"model.visual.merger.linear_fc2.weight": (2560, 4096)},
        "qwen3vl_4b",
    ),
    "Qwen3-VL 8B": (
        made.language_model(4096, normed=True) | _SEEING | {"model.visual.merger.linear_fc2.weight": (4096, 4096)},
        "qwen3vl_8b",
    ),
    "Qwen3 4B": (made.language_model(2560, normed=True), "qwen3_4b"),
    "Qwen3 8B": (made.language_model(4096, normed=True), "qwen3_8b"),
    "Qwen3 2B": (made.language_model(2048, normed=True), "qwen3_2b"),
    "Qwen3 0.6B": (made.language_model(1024, normed=True), "qwen3_06b"),
    "Mistral Small": (made.language_model(5120), "mistral3_24b"),
    "Ministral 3B": (made.language_model(3072), "ministral3_3b"),
    "Llama 3.1 8B": (made.language_model(4096), "llama31_8b"),
}  # fmt: skip
_WAN: Shapes = {"decoder.middle.0.residual.0.gamma": (384, 1, 1, 1), "decoder.head.0.gamma": (96, 1, 1, 1)}
VAES: dict[str, tuple[str, Shapes, str, str, int]] = {
    # the file's name, its tensors, its role, kind and channels
    "SD": ("vae-ft-mse-840000-ema-pruned", vae(), "vae", "sd", 4),
    "SD with its prefix": ("anything", under("first_stage_model.", vae()), "vae", "sd", 4),
    "SDXL": ("sdxl_vae", vae(), "vae", "sdxl", 4),
    "SDXL by another name": ("XL_VAE_C", vae(), "vae", "sdxl", 4),
    "Flux": ("ae", made.vae_of(16), "vae", "flux", 16),
    "SD 3": ("sd3_vae", made.vae_of(16), "vae", "sd3", 16),
    "Flux.2": ("flux2-vae", made.vae_of(32, **{"bn.running_mean": (128,)}), "vae", "flux2", 32),
    "HunyuanImage": ("hunyuan_image_2.1_vae", made.vae_of(64), "vae", "HunyuanImage", 64),
    "Qwen-Image": ("qwen_image_vae", _WAN, "vae", "qwen-image", 16),
    "Qwen-Image of diffusers": (
        "vae", {"decoder.mid_block.resnets.0.norm1.gamma": (384,), "decoder.conv_in.weight": (384, 16, 3, 3, 3)},
        "vae", "qwen-image", 16,
    ),
    "Wan 2.2": (
        "wan2.2_vae", _WAN | {"decoder.upsamples.0.upsamples.0.residual.0.gamma": (1,)}, "video", "Wan 2.2", 48,
    ),
    "Sana": (
        "dc-ae", {
            "decoder.stages.1.op_list.0.main.conv.conv.bias": (1,), "decoder.project_in.conv.weight": (1024, 32, 3, 3),
        }, "vae", "dc-ae", 32,
    ),
    "Sana of diffusers": ("vae", made.vae_of(32), "vae", "dc-ae", 32),
    "TAESD": ("taesd_decoder", {"1.weight": (64, 4, 3, 3), "3.conv.0.weight": (64, 64, 3, 3)}, "tiny_vae", "sd", 4),
    "TAESDXL": (
        "taesdxl_decoder", {"1.weight": (64, 4, 3, 3), "3.conv.0.weight": (64, 64, 3, 3)}, "tiny_vae", "sdxl", 4,
    ),
    "TAESD3": (
        "taesd3_decoder", {"1.weight": (64, 16, 3, 3), "3.conv.0.weight": (64, 64, 3, 3)}, "tiny_vae", "sd3", 16,
    ),
    "TAEF1": (
        "taef1_decoder", {"1.weight": (64, 16, 3, 3), "3.conv.0.weight": (64, 64, 3, 3)}, "tiny_vae", "flux", 16,
    ),
}  # fmt: skip
_LORA = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k"
ADDITIONS: dict[str, tuple[Shapes, str, str]] = {
    # its tensors, role and family
    "LoRA of SD 1": ({f"{_LORA}.lora_down.weight": (8, 768), f"{_LORA}.lora_up.weight": (320, 8)}, "lora", "sd1"),
    "LoRA of SDXL": ({f"{_LORA}.lora_down.weight": (8, 2048), f"{_LORA}.alpha": ()}, "lora", "sdxl"),
    "LoRA of SDXL by peft": (
        {"unet.down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k.lora_A.weight": (8, 2048)}, "lora", "sdxl",
    ),
    "LoRA of Flux": (
        {"lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight": (16, 3072)}, "lora", "flux",
    ),
    "LoRA of Flux by peft": (
        {"transformer.single_transformer_blocks.0.attn.to_q.lora_A.weight": (16, 3072)}, "lora", "flux",
    ),
    "LoRA of Flux.2 dev": ({"diffusion_model.double_blocks.0.img_attn.qkv.lora_A.weight": (16, 6144)}, "lora", "flux2"),
    "LoRA of SD 3": ({"lora_unet_joint_blocks_0_x_block_attn_qkv.lora_down.weight": (4, 1536)}, "lora", "sd3"),
    "LoRA of Z-Image": ({"diffusion_model.layers.0.attention.to_q.lora_A.weight": (4, 3840)}, "lora", "z-image"),
    "LoRA of Lumina 2": ({"lora_unet_layers_0_attention_qkv.lora_down.weight": (4, 2304)}, "lora", "lumina2"),
    "LoRA of Qwen-Image": (
        {"transformer_blocks.0.img_mlp.net.2.lora_A.default.weight": (4, 12288)}, "lora", "qwen-image",
    ),
    "LoRA of a small UNet": ({f"{_LORA}.lora_down.weight": (6, 192)}, "lora", "sd1"),
    "LoRA of SDXL without words": (
        {"lora_unet_down_blocks_2_attentions_0_transformer_blocks_9_attn1_to_q.lora_down.weight": (8, 1280)},
        "lora", "sdxl",
    ),
    "LoRA of SDXL under Stability's names": (
        {"lora_unet_input_blocks_7_1_transformer_blocks_3_attn1_to_q.lora_down.weight": (8, 1280)}, "lora", "sdxl",
    ),
    "LoRA of SD 1 by diffusers": (
        {"unet.mid_block.attentions.0.transformer_blocks.0.attn2.processor.to_k_lora.down.weight": (4, 768)},
        "lora", "sd1",
    ),
    "LoHa": ({"lora_unet_x.hada_w1_a": (4, 4), "lora_unet_x.hada_w1_b": (4, 4)}, "lora", ""),
    "LoKr": ({"lycoris_x.lokr_w1": (4, 4)}, "lora", ""),
    "OFT": ({"lora_unet_x.oft_blocks": (4, 8, 8)}, "lora", ""),
    "full difference": ({"lora_unet_x.diff": (4, 4)}, "lora", ""),
    "textual inversion of SD 1": ({"emb_params": (4, 768)}, "embedding", "sd1"),
    "textual inversion of SD 2": ({"emb_params": (4, 1024)}, "embedding", "sd2"),
    "textual inversion of a small model": ({"emb_params": (6, 192)}, "embedding", ""),
    "textual inversion of bigG alone": ({"emb_params": (4, 1280)}, "embedding", "sdxl"),
    "textual inversion of SDXL's encoders in one": ({"emb_params": (4, 2048)}, "embedding", "sdxl"),
    "textual inversion that was a pickle": ({"string_to_param.*": (8, 768)}, "embedding", "sd1"),
    "textual inversion that was a pickle, with its token": (
        {"string_to_param": (8, 1024), "string_to_token": ()}, "embedding", "sd2",
    ),
    "textual inversion of a pickle's star": ({"*": (8, 768)}, "embedding", "sd1"),
    "textual inversion of SDXL": ({"clip_l": (2, 768), "clip_g": (2, 1280)}, "embedding", "sdxl"),
    "textual inversion of diffusers": ({"<cat-toy>": (768,)}, "embedding", "sd1"),
    "textual inversion of Flux": ({"t5": (2, 4096), "clip_l": (2, 768)}, "embedding", "flux"),
    "ControlNet": (
        {"control_model.zero_convs.0.0.weight": (320, 320, 1, 1), "control_model.x.attn2.to_k.weight": (320, 768)},
        "controlnet", "sd1",
    ),
    "ControlNet of SDXL": (
        {"controlnet_cond_embedding.conv_in.weight": (16, 3, 3, 3), "add_embedding.linear_1.weight": (1280, 2816)},
        "controlnet", "sdxl",
    ),
    "Control-LoRA": ({"lora_controlnet": (), "x.down": (4, 4)}, "controlnet", "sdxl"),
    "ControlNet of SD 3": (
        {"controlnet_blocks.0.weight": (1, 1), "pos_embed_input.proj.weight": (1, 1)}, "controlnet", "sd3",
    ),
    "ControlNet of Flux": (
        {"controlnet_blocks.0.weight": (1, 1), "controlnet_x_embedder.weight": (1, 1)}, "controlnet", "flux",
    ),
    "ControlNet of Qwen-Image": (
        {"controlnet_blocks.0.weight": (1, 1), "transformer_blocks.0.img_mlp.net.0.proj.weight": (1, 1)},
        "controlnet", "qwen-image",
    ),
    "ControlNet of Z-Image": ({"control_all_x_embedder.2-1.weight": (1, 1)}, "controlnet", "z-image"),
    "LLLite": ({"lllite_unet_input_blocks_4_1.down.0.weight": (1, 1)}, "adapter", "sdxl"),
    "T2I-Adapter": ({"body.0.in_conv.weight": (320, 64, 1, 1)}, "adapter", ""),
    "T2I-Adapter of SDXL": (
        {"conv_in.weight": (320, 768, 3, 3), "body.0.block2.weight": (320, 320, 1, 1)}, "adapter", "sdxl",
    ),
    "IP-Adapter": ({"ip_adapter.1.to_k_ip.weight": (640, 2048), "image_proj.proj.weight": (1, 1)}, "adapter", "sdxl"),
    "Redux": ({"redux_up.weight": (12288, 1152)}, "adapter", "flux"),
    "CLIP that sees": ({"vision_model.encoder.layers.0.mlp.fc1.weight": (4096, 1024)}, "image_encoder", ""),
    "ESRGAN": ({"model.0.weight": (64, 3, 3, 3), "model.1.sub.0.RDB1.conv1.0.weight": (32, 64, 3, 3)}, "upscaler", ""),
    "ESRGAN, new": (
        {"conv_first.weight": (64, 3, 3, 3), "body.0.rdb1.conv1.weight": (32, 64, 3, 3)}, "upscaler", "",
    ),
    "SwinIR": ({"conv_first.weight": (180, 3, 3, 3)}, "upscaler", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", ENCODERS)
def test_text_encoders(tmp_path: Path, name: str) -> None:
    tensors, kind = ENCODERS[name]
    told = found(tmp_path, tensors)
    assert (told.role, told.kind, told.problem) == ("text_encoder", kind, None)


def test_a_clip_for_long_texts_is_told_apart(tmp_path: Path) -> None:
    told = found(tmp_path, clip() | {"text_model.embeddings.position_embedding.weight": (248, 768)})
    assert (told.kind, told.variant) == ("clip_l", "long")


@pytest.mark.parametrize(
    ("architecture", "width", "kind"),
    [
        ("qwen3", 2560, "qwen3_4b"),
        ("qwen3", 4096, "qwen3_8b"),
        ("qwen2vl", 3584, "qwen25_7b"),
        ("gemma2", 2304, "gemma2_2b"),
        ("llama", 5120, "mistral3_24b"),
        ("qwen3", 999, "qwen3 of width 999"),
    ],
)
def test_text_encoders_in_gguf(tmp_path: Path, architecture: str, width: int, kind: str) -> None:
    tensors: Shapes = {"token_embd.weight": (64, width), "blk.0.attn_q.weight": (64, width)}
    told = detect(write_gguf(tmp_path / "a.gguf", tensors, "F16", {"general.architecture": architecture}))
    assert (told.role, told.kind, told.container, told.number_format) == ("text_encoder", kind, "gguf", "fp16")


@pytest.mark.parametrize("each", [False, True])
def test_t5_in_gguf(tmp_path: Path, each: bool) -> None:
    tensors: Shapes = {"enc.blk.0.attn_q.weight": (4096, 4096), "enc.blk.0.ffn_up.weight": (10240, 4096)}
    bias: Shapes = {"enc.blk.1.attn_rel_b.weight": (64, 32)} if each else {}
    told = detect(write_gguf(tmp_path / "a.gguf", tensors | bias))
    assert told.kind == ("umt5xxl" if each else "t5xxl")


@pytest.mark.parametrize("name", VAES)
def test_vaes(tmp_path: Path, name: str) -> None:
    file, tensors, role, kind, channels = VAES[name]
    told = found(tmp_path, tensors, f"{file}.safetensors")
    assert (told.role, told.kind, told.latent_channels) == (role, kind, channels)
    assert (told.problem is None) == (role != "video")


@pytest.mark.parametrize("name", ADDITIONS)
def test_what_is_put_beside_a_model(tmp_path: Path, name: str) -> None:
    tensors, role, family = ADDITIONS[name]
    told = found(tmp_path, tensors)
    assert (told.role, told.family, told.problem) == (role, family, None)
    assert say_misplaced(told) is not None


def test_vectors_of_no_known_width_are_a_textual_inversion_by_name_alone(tmp_path: Path) -> None:
    assert found(tmp_path, {"emb_params": (6, 192)}).role == "embedding"
    assert found(tmp_path, {"anything": (6, 192)}).role == "unknown"
    assert found(tmp_path, {"emb_params": (6, 192, 2)}).role == "unknown"


@pytest.mark.parametrize(
    ("file", "kind", "family"),
    [
        ("embeddings/sprig.safetensors", "embedding", ""),
        ("Lora/pixel-art.safetensors", "lora", "sd1"),
        ("ESRGAN/emoji-2x.safetensors", "upscaler", ""),
    ],
)
def test_what_comes_with_the_program_is_listed_without_a_problem(file: str, kind: Kind, family: str) -> None:
    shown = look_at_file(file, ROOT / "models" / file, kind)
    assert (shown.role, shown.family, shown.problem) == (kind, family, None)


def test_a_lora_that_no_tensor_tells_is_told_by_its_trainer(tmp_path: Path) -> None:
    tensors: Shapes = {"lora_te_text_model_encoder_layers_0_mlp_fc1.lora_down.weight": (4, 768)}
    for said, family in {"sd_v1": "sd1", "sdxl_base_v1-0": "sdxl", "flux1": "flux", "of tomorrow": ""}.items():
        assert found(tmp_path, tensors, metadata={"ss_base_model_version": said}).family == family


def test_a_file_in_the_wrong_folder_is_told_where_it_belongs(tmp_path: Path) -> None:
    words = say_misplaced(found(tmp_path, ADDITIONS["LoRA of SDXL"][0]))
    assert words == "is a LoRA for Stable Diffusion XL, no checkpoint: put it into models/Lora"
    assert "models/VAE" in str(say_misplaced(found(tmp_path, vae())))
    assert say_misplaced(found(tmp_path, sd1())) is None


def test_every_companion_of_a_family_has_a_usual_file() -> None:
    for facts in FAMILY_FACTS:
        own = [facts, *(facts_of(facts.name, one.name) for one in facts.variants)]
        for one in own:
            assert one is not None
            for part, kind in {**one.text_encoders, "vae": one.vae}.items():
                assert "put " in say_missing(part, kind)
                usual = say_missing(part, kind).split("put ")[1].split(" into")[0]
                assert usual.endswith(".safetensors") or kind == "clip_h"


def test_what_is_of_no_kind_says_what_was_seen(tmp_path: Path) -> None:
    told = found(tmp_path, {"b": (2, 2), "a": (3,)})
    assert told.role == "unknown"
    assert told.problem is not None
    assert "2 tensors, the first of them 'a'" in told.problem
    assert found(tmp_path, {}).problem == "holds no weights: fetch it again"
