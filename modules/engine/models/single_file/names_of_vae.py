"""Autoencoders: from the names of original files to those of diffusers, and their configuration from their tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from diffusers.loaders.single_file_utils import convert_ldm_vae_checkpoint, convert_wan_vae_to_diffusers

from modules.engine.models.single_file.recorded import Tensors
from modules.engine.models.single_file.shapes import count_blocks

# What the attention of the first folders of diffusers was called.
_OLD_ATTENTION = {".query.": ".to_q.", ".key.": ".to_k.", ".value.": ".to_v.", ".proj_attn.": ".to_out.0."}
# What stands inside a half in the files of Flux.2, and beside it in all others.
_OUTER = {"encoder.quant_conv": "quant_conv", "decoder.post_quant_conv": "post_quant_conv"}


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
    levels = count_blocks(tensors, "decoder.up_blocks")
    downs = [f"encoder.down_blocks.{place}.resnets" for place in range(levels)]
    return {
        "block_out_channels": [tensors[f"{one}.0.conv1.weight"].shape[0] for one in downs],
        "down_block_types": ["DownEncoderBlock2D"] * levels,
        "up_block_types": ["UpDecoderBlock2D"] * levels,
        "layers_per_block": count_blocks(tensors, downs[0]),
        "latent_channels": tensors["decoder.conv_in.weight"].shape[1],
        "use_quant_conv": "quant_conv.weight" in tensors,
        "use_post_quant_conv": "post_quant_conv.weight" in tensors,
    }


def convert_flux2_vae(tensors: Tensors, config: Mapping[str, Any]) -> Tensors:
    """Return the tensors of Flux.2's autoencoder, which counts its latents too, under diffusers' names."""
    moved: Tensors = {}
    for name, one in tensors.items():
        stem, _, kind = name.rpartition(".")
        moved[f"{_OUTER.get(stem, stem)}.{kind}"] = one
    counted = {name: one for name, one in moved.items() if name.startswith("bn.")}
    return convert_vae({name: one for name, one in moved.items() if name not in counted}, config) | counted


def flux2_vae_config(tensors: Tensors) -> dict[str, Any]:
    """Return what the tensors, under diffusers' names, say of Flux.2's autoencoder, whose halves may differ in size."""
    config = vae_config(tensors)
    levels = len(config["block_out_channels"])
    decoder = [tensors[f"decoder.up_blocks.{place}.resnets.0.conv1.weight"].shape[0] for place in range(levels)][::-1]
    return config if decoder == config["block_out_channels"] else {**config, "decoder_block_out_channels": decoder}


def convert_qwen_image_vae(tensors: Tensors, config: Mapping[str, Any]) -> Tensors:
    """Return the tensors of Qwen-Image's autoencoder, which is Wan's, under diffusers' names."""
    if "decoder.middle.0.residual.0.gamma" not in tensors:
        return tensors
    converted: Tensors = convert_wan_vae_to_diffusers(dict(tensors))
    return converted


def qwen_image_vae_config(tensors: Tensors) -> dict[str, Any]:
    """Return what the tensors, under diffusers' names, say of Qwen-Image's autoencoder."""
    return {
        "base_dim": tensors["encoder.conv_in.weight"].shape[0],
        "z_dim": tensors["post_quant_conv.weight"].shape[0],
        "input_channels": tensors["encoder.conv_in.weight"].shape[1],
    }
