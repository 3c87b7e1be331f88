"""Autoencoders: from the names of original files to those of diffusers, and their configuration from their tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from diffusers.loaders.single_file_utils import convert_ldm_vae_checkpoint

from modules.engine.models.single_file.recorded import Tensors

# What the attention of the first folders of diffusers was called.
_OLD_ATTENTION = {".query.": ".to_q.", ".key.": ".to_k.", ".value.": ".to_v.", ".proj_attn.": ".to_out.0."}


def convert_vae(tensors: Tensors, config: Mapping[str, Any]) -> Tensors:
    """Return the tensors of an `AutoencoderKL` under diffusers' names."""
    if "decoder.mid.block_1.norm1.weight" in tensors:
        levels = [""] * sum(name.endswith(".block.0.norm1.weight") and ".up." in name for name in tensors)
        told = {**config, "down_block_types": levels, "up_block_types": levels}
        converted: Tensors = convert_ldm_vae_checkpoint(dict(tensors), told)
        return converted
    renamed: Tensors = {}
    for name, one in tensors.items():
        for old, new in _OLD_ATTENTION.items():
            name = name.replace(old, new)
        # Attention was a convolution of one pixel once.
        flat = ".attentions." in name and name.endswith(".weight") and one.ndim > 2
        renamed[name] = one.reshape(one.shape[:2]) if flat else one
    return renamed


def vae_config(tensors: Tensors) -> dict[str, Any]:
    """Return what the tensors, under diffusers' names, say of an `AutoencoderKL`; not the scale of its latents."""
    sides = {name.split(".")[2] for name in tensors if name.startswith("decoder.up_blocks.")}
    levels = len(sides)
    downs = [f"encoder.down_blocks.{place}.resnets" for place in range(levels)]
    layers = {name[len(downs[0]) + 1 :].partition(".")[0] for name in tensors if name.startswith(downs[0] + ".")}
    return {
        "block_out_channels": [tensors[f"{one}.0.conv1.weight"].shape[0] for one in downs],
        "down_block_types": ["DownEncoderBlock2D"] * levels,
        "up_block_types": ["UpDecoderBlock2D"] * levels,
        "layers_per_block": len(layers),
        "latent_channels": tensors["decoder.conv_in.weight"].shape[1],
        "use_quant_conv": "quant_conv.weight" in tensors,
        "use_post_quant_conv": "post_quant_conv.weight" in tensors,
    }
