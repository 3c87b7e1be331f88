"""Tell families whose denoiser is a transformer: each has tensors that no other has. The first that fits counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from modules.jobs.models.detection import transformer_variants as variants
from modules.jobs.models.detection.found import Core, Layout
from modules.jobs.models.detection.tensors import Tensors


@dataclass(frozen=True)
class Sign:
    """Tensors by whose names a family is known: all of `original`, or all of `diffusers`, and none of `without`.

    A name that ends in "." stands for any that begins so. `variant` returns its variant, and why it is not drawn with.
    """

    family: str
    original: tuple[str, ...] = ()
    diffusers: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    label: str = ""
    variant: Callable[[Tensors], tuple[str, str | None]] = variants.none
    video: bool = False


_HUNYUAN = "txt_in.individual_token_refiner."
_REFINED = "context_embedder.token_refiner."
_FLUX = ("double_blocks.0.img_attn.norm.key_norm.",)

SIGNS: tuple[Sign, ...] = (
    Sign(
        "sd3",
        ("joint_blocks.0.context_block.attn.qkv.weight",),
        ("transformer_blocks.0.attn.add_q_proj.weight", "pos_embed.proj.weight"),
        variant=variants.of_sd3,
    ),
    Sign(
        "AuraFlowPipeline",
        ("double_layers.0.attn.w1q.weight",),
        ("joint_transformer_blocks.0.attn.add_k_proj.weight",),
        label="AuraFlow",
    ),
    Sign(
        "flux2-klein",
        ("double_stream_modulation_img.lin.weight",),
        ("double_stream_modulation_img.linear.weight",),
        without=("guidance_in.", "time_guidance_embed.guidance_embedder."),
        variant=variants.of_klein,
    ),
    Sign(
        "flux2",
        ("double_stream_modulation_img.lin.weight",),
        ("double_stream_modulation_img.linear.weight",),
    ),
    Sign(
        "Flux3ModularPipeline",
        ("early_stream_modulations.image.lin.weight",),
        ("early_stream_modulations.image.linear.weight",),
        label="Flux 3",
    ),
    Sign(
        "chroma",
        ("distilled_guidance_layer.in_proj.bias", *_FLUX),
        ("distilled_guidance_layer.in_proj.bias", "single_transformer_blocks."),
        variant=variants.of_chroma,
    ),
    Sign("chroma", ("distilled_guidance_layer.in_proj.bias",), variant=variants.of_chroma),
    Sign("HunyuanVideoPipeline", (_HUNYUAN, "vector_in."), label="HunyuanVideo", video=True),
    Sign("HunyuanImagePipeline", (_HUNYUAN,), (_REFINED, "time_guidance_embed."), label="HunyuanImage"),
    Sign("HunyuanVideoPipeline", (), (_REFINED,), label="HunyuanVideo", video=True),
    Sign(
        "flux",
        (*_FLUX, "vector_in."),
        (
            "single_transformer_blocks.0.",
            "context_embedder.weight",
            "x_embedder.weight",
            "time_text_embed.text_embedder.",
        ),
        variant=variants.of_flux,
    ),
    Sign("OvisImagePipeline", (), ("single_transformer_blocks.0.", "context_embedder_norm.weight"), label="Ovis-Image"),
    Sign(
        "LongCatImagePipeline",
        (*_FLUX, "txt_in."),
        ("single_transformer_blocks.0.", "context_embedder.weight", "time_embed.timestep_embedder."),
        label="LongCat or Bria",
    ),
    Sign(
        "z-image",
        ("cap_embedder.1.weight", "layers.0.adaLN_modulation.0.weight", "layers.0.attention.qkv.weight"),
        ("all_x_embedder.2-1.weight", "layers.0.attention.to_q.weight"),
        variant=variants.of_z_image,
    ),
    Sign(
        "z-image",
        ("cap_embedder.1.weight", "layers.0.adaLN_modulation.0.weight"),
        variant=variants.of_z_image,
    ),
    Sign("NewbiePipeline", ("cap_embedder.1.weight", "clip_text_pooled_proj."), label="NewBie"),
    Sign(
        "lumina2",
        ("cap_embedder.1.weight", "layers.0.adaLN_modulation.1.weight"),
        ("time_caption_embed.caption_embedder.",),
    ),
    Sign(
        "HiDreamImagePipeline",
        ("caption_projection.0.linear.weight", "double_stream_blocks.0.block."),
        label="HiDream",
    ),
    Sign(
        "QwenImage21Pipeline",
        ("txt_in.text_norm.weight",),
        ("transformer_blocks.0.img_mlp.gate_layer.",),
        label="Qwen-Image 2.1",
    ),
    Sign(
        "NucleusMoEImagePipeline",
        (),
        ("txt_norm.weight", "transformer_blocks.0.encoder_proj.weight"),
        label="Nucleus-Image",
    ),
    Sign(
        "qwen-image",
        (),
        ("txt_norm.weight", "img_in.weight", "transformer_blocks.0.img_mlp."),
        variant=variants.of_qwen_image,
    ),
    Sign(
        "Krea2Pipeline",
        ("txtfusion.projector.weight",),
        ("text_fusion.projector.",),
        label="Krea 2",
    ),
    Sign("SanaWMPipeline", ("attention_y_norm.weight", "plucker_embedder."), label="SANA-WM", video=True),
    Sign("PixArtAlphaPipeline", ("t_block.1.weight", "ar_embedder."), label="PixArt-α"),
    Sign(
        "PixArtAlphaPipeline",
        (),
        ("adaln_single.emb.resolution_embedder.", "pos_embed.proj.bias"),
        label="PixArt-α",
    ),
    Sign(
        "pixart-sigma",
        ("t_block.1.weight", "y_embedder.y_proj.fc1.weight"),
        ("adaln_single.emb.timestep_embedder.linear_1.bias", "pos_embed.proj.bias"),
        without=("attention_y_norm.weight",),
    ),
    Sign(
        "sana",
        ("attention_y_norm.weight", "blocks.0.cross_attn.q_linear.weight"),
        ("caption_norm.weight", "patch_embed.proj.weight"),
        variant=variants.of_sana,
    ),
    Sign(
        "AnimaModularPipeline",
        ("llm_adapter.blocks.0.cross_attn.q_proj.weight", "blocks.0.mlp.layer1.weight"),
        label="Anima",
    ),
    Sign(
        "ErnieImagePipeline",
        ("layers.0.mlp.linear_fc2.weight", "layers.0.self_attention."),
        label="Ernie-Image",
    ),
    Sign("Ideogram4Pipeline", ("embed_image_indicator.weight",), label="Ideogram 4"),
    Sign(
        "Kandinsky5T2IPipeline",
        ("visual_transformer_blocks.0.cross_attention.key_norm.weight",),
        label="Kandinsky 5",
    ),
    Sign("HunyuanDiTPipeline", ("mlp_t5.0.weight",), label="HunyuanDiT"),
    Sign("CogView4Pipeline", (), ("patch_embed.text_proj.weight", "time_condition_embed."), label="CogView"),
    Sign("GlmImagePipeline", (), ("glyph_projector.net.0.proj.weight",), label="GLM-Image"),
    Sign("PRXPipeline", (), ("blocks.0.attention.img_qkv_proj.weight",), label="PRX"),
    Sign(
        "CosmosTextToWorldPipeline",
        ("x_embedder.proj.1.weight",),
        ("time_embed.t_embedder.linear_1.weight",),
        label="Cosmos",
    ),
    Sign(
        "WanPipeline",
        ("head.modulation",),
        ("condition_embedder.text_embedder.linear_1.weight", "blocks.0.attn1.to_q.weight"),
        label="Wan",
        video=True,
    ),
    Sign(
        "LTXPipeline",
        ("patchify_proj.weight", "adaln_single."),
        ("scale_shift_table", "proj_in.weight", "caption_projection."),
        label="LTX",
        video=True,
    ),
    Sign("MochiPipeline", ("t5_yproj.weight",), ("time_embed.pooler.to_kv.weight",), label="Mochi", video=True),
    Sign("MochiPipeline", ("blocks.0.attn.qkv_x.weight",), label="Mochi", video=True),
    Sign(
        "CogVideoXPipeline",
        ("blocks.0.norm1.linear.weight",),
        ("patch_embed.text_proj.weight", "transformer_blocks.0.norm1.linear.weight", "time_embedding.linear_1.weight"),
        label="CogVideoX",
        video=True,
    ),
)


def find_transformer(tensors: Tensors) -> Core | None:
    """Return the family of a transformer, None where it is none that is known."""
    for sign in SIGNS:
        layout = _layout(sign, tensors)
        if layout is None:
            continue
        variant, later = sign.variant(tensors)
        return Core(sign.family, layout, variant, sign.label, sign.video, later)
    return None


def _layout(sign: Sign, tensors: Tensors) -> Layout | None:
    """Return whose names the tensors have that are this sign, None where they are not."""
    names: dict[Layout, tuple[str, ...]] = {"original": sign.original, "diffusers": sign.diffusers}
    for layout, wanted in names.items():
        if wanted and all(_is_there(name, tensors) for name in wanted):
            return None if any(_is_there(name, tensors) for name in sign.without) else layout
    return None


def _is_there(name: str, tensors: Tensors) -> bool:
    return tensors.begins(name) if name.endswith(".") else name in tensors
