"""Flux.1 and Chroma: from the names of the original files to those of diffusers, and the configuration from shapes.

The converters of diffusers take it for granted that a block is 3072 wide.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch

from modules.engine.models.single_file.recorded import Tensors
from modules.engine.models.single_file.shapes import count_blocks

_CHANNELS_OF_A_HEAD = 128
_BLOCK = re.compile(r"(double|single)_blocks\.(\d+)\.(.+)\.(weight|bias|scale)")
_GUIDE = re.compile(r"distilled_guidance_layer\.(layers|norms)\.(\d+)\.(?:(in|out)_layer\.)?(weight|bias|scale)")
OUTSIDE = {
    "img_in": "x_embedder", "txt_in": "context_embedder", "final_layer.linear": "proj_out",
    "time_in.in_layer": "time_text_embed.timestep_embedder.linear_1",
    "time_in.out_layer": "time_text_embed.timestep_embedder.linear_2",
    "vector_in.in_layer": "time_text_embed.text_embedder.linear_1",
    "vector_in.out_layer": "time_text_embed.text_embedder.linear_2",
    "guidance_in.in_layer": "time_text_embed.guidance_embedder.linear_1",
    "guidance_in.out_layer": "time_text_embed.guidance_embedder.linear_2",
}  # fmt: skip
DOUBLE = {
    "img_mod.lin": "norm1.linear", "txt_mod.lin": "norm1_context.linear",
    "img_attn.norm.query_norm": "attn.norm_q", "img_attn.norm.key_norm": "attn.norm_k",
    "txt_attn.norm.query_norm": "attn.norm_added_q", "txt_attn.norm.key_norm": "attn.norm_added_k",
    "img_attn.proj": "attn.to_out.0", "txt_attn.proj": "attn.to_add_out",
    "img_mlp.0": "ff.net.0.proj", "img_mlp.2": "ff.net.2",
    "txt_mlp.0": "ff_context.net.0.proj", "txt_mlp.2": "ff_context.net.2",
}  # fmt: skip
SINGLE = {
    "modulation.lin": "norm.linear", "norm.query_norm": "attn.norm_q", "norm.key_norm": "attn.norm_k",
    "linear2": "proj_out",
}  # fmt: skip
# What one matrix of an original file holds, one below the other.
DOUBLE_JOINED = {
    "img_attn.qkv": ("attn.to_q", "attn.to_k", "attn.to_v"),
    "txt_attn.qkv": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
}
SINGLE_JOINED = ("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp")
_LAST_NORM = "final_layer.adaLN_modulation.1."


def convert_flux(tensors: Tensors, config: Mapping[str, Any]) -> Tensors:
    """Return the tensors of a Flux.1 or a Chroma under diffusers' names."""
    if not any(name.startswith("double_blocks.") for name in tensors):
        return tensors
    width = tensors["img_in.weight"].shape[0]
    converted: Tensors = {}
    for name, one in tensors.items():
        if match := _BLOCK.fullmatch(name):
            side, place, part, kind = match.groups()
            converted |= _block(side, place, part, "weight" if kind == "scale" else kind, one, width)
        elif match := _GUIDE.fullmatch(name):
            converted[_guide(*match.groups())] = one
        elif name.startswith(_LAST_NORM):
            # Shift and scale stand the other way round.
            shift, scale = one.chunk(2)
            converted["norm_out.linear." + name.removeprefix(_LAST_NORM)] = torch.cat([scale, shift])
        else:
            part, _, kind = name.rpartition(".")
            converted[f"{OUTSIDE.get(part, part)}.{kind}"] = one
    return converted


def flux_config(tensors: Tensors) -> dict[str, Any]:
    """Return what the tensors, under diffusers' names, say of a Flux.1."""
    return {
        **_common(tensors),
        "pooled_projection_dim": tensors["time_text_embed.text_embedder.linear_1.weight"].shape[1],
        "guidance_embeds": "time_text_embed.guidance_embedder.linear_1.weight" in tensors,
    }


def chroma_config(tensors: Tensors) -> dict[str, Any]:
    """Return what the tensors, under diffusers' names, say of a Chroma."""
    hidden, given = tensors["distilled_guidance_layer.in_proj.weight"].shape
    return {
        **_common(tensors),
        "approximator_num_channels": given,
        "approximator_hidden_dim": hidden,
        "approximator_layers": count_blocks(tensors, "distilled_guidance_layer.layers"),
    }


def _common(tensors: Tensors) -> dict[str, Any]:
    width, channels = tensors["x_embedder.weight"].shape
    given = tensors["proj_out.weight"].shape[0]
    return {
        "in_channels": channels,
        "out_channels": None if given == channels else given,
        "num_layers": count_blocks(tensors, "transformer_blocks"),
        "num_single_layers": count_blocks(tensors, "single_transformer_blocks"),
        "num_attention_heads": max(1, width // _CHANNELS_OF_A_HEAD),
        "joint_attention_dim": tensors["context_embedder.weight"].shape[1],
    }


def _block(side: str, place: str, part: str, kind: str, one: torch.Tensor, width: int) -> Tensors:
    stem = f"transformer_blocks.{place}." if side == "double" else f"single_transformer_blocks.{place}."
    if side == "double" and part in DOUBLE_JOINED:
        pieces = zip(DOUBLE_JOINED[part], one.chunk(3), strict=True)
    elif side == "single" and part == "linear1":
        rest = one.shape[0] - 3 * width
        pieces = zip(SINGLE_JOINED, torch.split(one, [width, width, width, rest]), strict=True)
    else:
        return {f"{stem}{(DOUBLE if side == 'double' else SINGLE).get(part, part)}.{kind}": one}
    return {f"{stem}{name}.{kind}": piece for name, piece in pieces}


def _guide(part: str, place: str, side: str | None, kind: str) -> str:
    stem = f"distilled_guidance_layer.{part}.{place}."
    if side is not None:
        stem += "linear_1." if side == "in" else "linear_2."
    return stem + ("weight" if kind == "scale" else kind)
