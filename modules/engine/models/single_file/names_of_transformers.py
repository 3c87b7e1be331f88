"""The other transformers: from the names of the original files to those of diffusers, the configuration from shapes."""

from __future__ import annotations

from collections.abc import Mapping
from math import isqrt
from typing import Any

from diffusers.loaders.single_file_utils import (
    convert_flux2_transformer_checkpoint_to_diffusers,
    convert_sd3_transformer_checkpoint_to_diffusers,
    convert_z_image_transformer_checkpoint_to_diffusers,
)

from modules.engine.models.single_file.recorded import Tensors
from modules.engine.models.single_file.shapes import count_blocks

_CHANNELS_OF_A_HEAD = 128
_CHANNELS_OF_A_HEAD_IN_SD3 = 64
_PIXELS_OF_A_PATCH = 4  # two latents wide and two high
# The empty tensor by which ComfyUI's files of Qwen-Image-Edit 2511 say what they are.
_FIRST_STEP_OF_REFERENCES = "__index_timestep_zero__"


def convert_sd3(tensors: Tensors, config: Mapping[str, Any]) -> Tensors:
    """Return the tensors of a Stable Diffusion 3 under diffusers' names."""
    if "joint_blocks.0.x_block.attn.qkv.weight" not in tensors:
        return tensors
    converted: Tensors = convert_sd3_transformer_checkpoint_to_diffusers(dict(tensors))
    return converted


def sd3_config(tensors: Tensors) -> dict[str, Any]:
    """Return what the tensors, under diffusers' names, say of a Stable Diffusion 3."""
    width, words = tensors["context_embedder.weight"].shape
    layers = count_blocks(tensors, "transformer_blocks")
    dual = [place for place in range(layers) if f"transformer_blocks.{place}.attn2.to_q.weight" in tensors]
    return {
        "in_channels": tensors["pos_embed.proj.weight"].shape[1],
        "out_channels": tensors["proj_out.weight"].shape[0] // _PIXELS_OF_A_PATCH,
        "num_layers": layers,
        "num_attention_heads": max(1, tensors["pos_embed.proj.weight"].shape[0] // _CHANNELS_OF_A_HEAD_IN_SD3),
        "attention_head_dim": _CHANNELS_OF_A_HEAD_IN_SD3,
        "caption_projection_dim": width,
        "joint_attention_dim": words,
        "pooled_projection_dim": tensors["time_text_embed.text_embedder.linear_1.weight"].shape[1],
        "pos_embed_max_size": isqrt(tensors["pos_embed.pos_embed"].shape[1]),
        "dual_attention_layers": dual,
        "qk_norm": "rms_norm" if "transformer_blocks.0.attn.norm_q.weight" in tensors else None,
    }


def convert_z_image(tensors: Tensors, config: Mapping[str, Any]) -> Tensors:
    """Return the tensors of a Z-Image under diffusers' names."""
    if "x_embedder.weight" not in tensors:
        return tensors
    converted: Tensors = convert_z_image_transformer_checkpoint_to_diffusers(dict(tensors))
    return converted


def z_image_config(tensors: Tensors) -> dict[str, Any]:
    """Return what the tensors, under diffusers' names, say of a Z-Image."""
    width, words = tensors["cap_embedder.1.weight"].shape
    return {
        "in_channels": tensors["all_x_embedder.2-1.weight"].shape[1] // _PIXELS_OF_A_PATCH,
        "dim": width,
        "cap_feat_dim": words,
        "n_layers": count_blocks(tensors, "layers"),
        "n_refiner_layers": count_blocks(tensors, "noise_refiner"),
        "n_heads": max(1, width // _CHANNELS_OF_A_HEAD),
        "n_kv_heads": max(1, tensors["layers.0.attention.to_k.weight"].shape[0] // _CHANNELS_OF_A_HEAD),
    }


def convert_qwen_image(tensors: Tensors, config: Mapping[str, Any]) -> Tensors:
    """Return the tensors of a Qwen-Image, which has diffusers' names wherever it comes from."""
    return dict(tensors)


def qwen_image_config(tensors: Tensors) -> dict[str, Any]:
    """Return what the tensors say of a Qwen-Image."""
    width, channels = tensors["img_in.weight"].shape
    return {
        "in_channels": channels,
        "out_channels": tensors["proj_out.weight"].shape[0] // _PIXELS_OF_A_PATCH,
        "num_layers": count_blocks(tensors, "transformer_blocks"),
        "num_attention_heads": max(1, width // _CHANNELS_OF_A_HEAD),
        "joint_attention_dim": tensors["txt_norm.weight"].shape[0],
        "zero_cond_t": _FIRST_STEP_OF_REFERENCES in tensors,
        "use_additional_t_cond": "time_text_embed.addition_t_embedding.weight" in tensors,
    }


def convert_flux2(tensors: Tensors, config: Mapping[str, Any]) -> Tensors:
    """Return the tensors of a Flux.2 under diffusers' names."""
    if not any(name.startswith("double_blocks.") for name in tensors):
        return tensors
    converted: Tensors = convert_flux2_transformer_checkpoint_to_diffusers(dict(tensors))
    return converted


def flux2_config(tensors: Tensors) -> dict[str, Any]:
    """Return what the tensors, under diffusers' names, say of a Flux.2."""
    width, channels = tensors["x_embedder.weight"].shape
    given = tensors["proj_out.weight"].shape[0]
    stem = "time_guidance_embed."
    return {
        "in_channels": channels,
        "out_channels": None if given == channels else given,
        "num_layers": count_blocks(tensors, "transformer_blocks"),
        "num_single_layers": count_blocks(tensors, "single_transformer_blocks"),
        "num_attention_heads": max(1, width // _CHANNELS_OF_A_HEAD),
        "joint_attention_dim": tensors["context_embedder.weight"].shape[1],
        "timestep_guidance_channels": tensors[f"{stem}timestep_embedder.linear_1.weight"].shape[1],
        "mlp_ratio": tensors["transformer_blocks.0.ff.linear_out.weight"].shape[1] / width,
        "guidance_embeds": f"{stem}guidance_embedder.linear_1.weight" in tensors,
    }
