"""The tensors by which people's transformers are known, by name and shape; a few of each, as if there were all."""

from tests.jobs.made_unets import Shapes, clip, under

_FLUX = {
    "double_blocks.0.img_attn.norm.key_norm.scale": (128,),
    "double_blocks.0.img_attn.qkv.weight": (9216, 3072),
    "single_blocks.0.linear1.weight": (21504, 3072),
    "final_layer.linear.weight": (64, 3072),
}
_FLUX_POOLED = {"vector_in.in_layer.weight": (3072, 768), "txt_in.weight": (3072, 4096)}


def flux(channels: int = 64, guided: bool = True) -> Shapes:
    """Return Flux.1 under its own names: dev, schnell (not guided), Fill (384 channels), Control (128)."""
    guidance: Shapes = {"guidance_in.in_layer.weight": (3072, 256)} if guided else {}
    return {**_FLUX, **_FLUX_POOLED, "img_in.weight": (3072, channels), **guidance}


def flux_diffusers(channels: int = 64, guided: bool = True) -> Shapes:
    """Return Flux.1 under diffusers' names."""
    guidance: Shapes = {"time_text_embed.guidance_embedder.linear_1.weight": (3072, 256)} if guided else {}
    return {
        "single_transformer_blocks.0.attn.to_q.weight": (3072, 3072), "context_embedder.weight": (3072, 4096),
        "x_embedder.weight": (3072, channels), "proj_out.weight": (64, 3072),
        "time_text_embed.text_embedder.linear_1.weight": (3072, 768), **guidance,
    }  # fmt: skip


def flux2(words: int = 15360, guided: bool = False) -> Shapes:
    """Return Flux.2: dev (guided, 15360), klein 4B (7680) and 9B (12288)."""
    guidance: Shapes = {"guidance_in.in_layer.weight": (3072, 256)} if guided else {}
    return {
        "double_stream_modulation_img.lin.weight": (18432, 3072), "txt_in.weight": (3072, words),
        "double_blocks.0.img_attn.norm.key_norm.scale": (128,), "img_in.weight": (3072, 128), **guidance,
    }  # fmt: skip


def flux2_diffusers(words: int = 15360, guided: bool = False) -> Shapes:
    """Return Flux.2 under diffusers' names."""
    name = "time_guidance_embed.guidance_embedder.linear_1.weight"
    guidance: Shapes = {name: (3072, 256)} if guided else {}
    return {
        "double_stream_modulation_img.linear.weight": (18432, 3072), "context_embedder.weight": (3072, words),
        "single_transformer_blocks.0.attn.to_out.weight": (3072, 12288), "x_embedder.weight": (3072, 128), **guidance,
    }  # fmt: skip


def sd3(depth: int = 24, normed: bool = False) -> Shapes:
    """Return Stable Diffusion 3 under its own names; 3.5 is normed, its large one 38 deep."""
    norm: Shapes = {"joint_blocks.0.context_block.attn.ln_q.weight": (64,)} if normed else {}
    width = 64 * depth
    return {
        "joint_blocks.0.context_block.attn.qkv.weight": (3 * width, width), "x_embedder.proj.weight": (width, 16, 2, 2),
        "pos_embed": (1, 36864, width), **norm,
    }  # fmt: skip


def sd3_diffusers(depth: int = 24, normed: bool = False) -> Shapes:
    """Return Stable Diffusion 3 under diffusers' names."""
    norm: Shapes = {"transformer_blocks.0.attn.norm_q.weight": (64,)} if normed else {}
    width = 64 * depth
    return {
        "transformer_blocks.0.attn.add_q_proj.weight": (width, width), "pos_embed.proj.weight": (width, 16, 2, 2),
        **norm,
    }  # fmt: skip


CHROMA: Shapes = {
    "distilled_guidance_layer.in_proj.bias": (5120,), **_FLUX, "txt_in.weight": (3072, 4096),
    "img_in.weight": (3072, 64),
}  # fmt: skip
Z_IMAGE: Shapes = {
    "cap_embedder.1.weight": (3840, 2560), "layers.0.adaLN_modulation.0.weight": (15360, 256),
    "layers.0.attention.qkv.weight": (11520, 3840), "x_embedder.weight": (3840, 64),
}  # fmt: skip
Z_IMAGE_DIFFUSERS: Shapes = {
    "all_x_embedder.2-1.weight": (3840, 64), "layers.0.attention.to_q.weight": (3840, 3840),
    "cap_embedder.1.weight": (3840, 2560), "layers.0.adaLN_modulation.0.weight": (15360, 256),
}  # fmt: skip
LUMINA2: Shapes = {
    "cap_embedder.1.weight": (2304, 2304), "layers.0.adaLN_modulation.1.weight": (9216, 1024),
    "layers.0.attention.qkv.weight": (4608, 2304),
}  # fmt: skip
QWEN_IMAGE: Shapes = {
    "txt_norm.weight": (3584,), "img_in.weight": (3072, 64),
    "transformer_blocks.0.img_mlp.net.0.proj.weight": (12288, 3072),
    "transformer_blocks.0.attn.add_q_proj.weight": (3072, 3072), "proj_out.weight": (64, 3072),
}  # fmt: skip
PIXART: Shapes = {"t_block.1.weight": (6912, 1152), "y_embedder.y_proj.fc1.weight": (1152, 4096)}
PIXART_DIFFUSERS: Shapes = {
    "adaln_single.emb.timestep_embedder.linear_1.bias": (1152,), "pos_embed.proj.bias": (1152,),
    "caption_projection.linear_1.weight": (1152, 4096),
}  # fmt: skip
SANA: Shapes = {
    "attention_y_norm.weight": (2240,), "blocks.0.cross_attn.q_linear.weight": (2240, 2240),
    "t_block.1.weight": (13440, 2240), "y_embedder.y_proj.fc1.weight": (2240, 2304),
    "x_embedder.proj.weight": (2240, 32, 1, 1),
}  # fmt: skip
SANA_DIFFUSERS: Shapes = {
    "caption_norm.weight": (2240,), "patch_embed.proj.weight": (2240, 32, 1, 1),
    "time_embed.emb.timestep_embedder.linear_1.weight": (2240, 256),
}  # fmt: skip


def t5(inner: int = 10240, each: bool = False) -> Shapes:
    """Return T5-XXL, or UMT5 (`each` block has a bias of its own), or another."""
    width = 4096 if inner == 10240 else 2048
    made: Shapes = {"shared.weight": (32128, width)}
    for number in range(24):
        block = f"encoder.block.{number}.layer"
        made[f"{block}.0.SelfAttention.q.weight"] = (width, width)
        made[f"{block}.1.DenseReluDense.wi_0.weight"] = (inner, width)
        made[f"{block}.1.DenseReluDense.wi_1.weight"] = (inner, width)
        if each or number == 0:
            made[f"{block}.0.SelfAttention.relative_attention_bias.weight"] = (32, 64)
    return made


def language_model(
    width: int, normed: bool = False, keys_bias: int | None = None, layers: int = 2, base: str = "model."
) -> Shapes:
    """Return a language model: of Qwen 3's kind it is normed, of Qwen 2.5's its keys have a bias."""
    made: Shapes = {f"{base}embed_tokens.weight": (32000, width)}
    for number in range(layers):
        layer = f"{base}layers.{number}"
        made[f"{layer}.post_attention_layernorm.weight"] = (width,)
        made[f"{layer}.self_attn.k_proj.weight"] = (keys_bias or 1024, width)
        if normed:
            made[f"{layer}.self_attn.q_norm.weight"] = (128,)
        if keys_bias is not None:
            made[f"{layer}.self_attn.k_proj.bias"] = (keys_bias,)
    return made


def gemma(width: int = 2304, normed: bool = False, layers: int = 26) -> Shapes:
    """Return a language model of Gemma's kind."""
    made = language_model(width, normed, layers=layers)
    for number in range(layers):
        made[f"model.layers.{number}.post_feedforward_layernorm.weight"] = (width,)
    return made


def vae_of(channels: int, **more: tuple[int, ...]) -> Shapes:
    """Return a VAE that decodes latents of so many channels."""
    return {
        "decoder.conv_in.weight": (512, channels, 3, 3), "decoder.conv_in.bias": (512,),
        "encoder.conv_in.weight": (128, 3, 3, 3), **more,
    }  # fmt: skip


def all_in_one_flux() -> Shapes:
    """Return Flux.1 dev with all that it is drawn with, as people share it in fp8."""
    return {
        **under("model.diffusion_model.", flux()),
        **under("text_encoders.clip_l.transformer.", clip()),
        **under("text_encoders.t5xxl.transformer.", t5()),
        **under("vae.", vae_of(16)),
    }


def all_in_one_sd3(depth: int = 24, normed: bool = False) -> Shapes:
    """Return Stable Diffusion 3 with both text encoders of CLIP and its VAE; 3.5 as `sd3` has it."""
    return {
        **under("model.diffusion_model.", sd3(depth, normed)),
        **under("text_encoders.clip_l.transformer.", clip()),
        **under("text_encoders.clip_g.transformer.", clip(32, 1280, 5120)),
        **under("first_stage_model.", vae_of(16)),
    }
