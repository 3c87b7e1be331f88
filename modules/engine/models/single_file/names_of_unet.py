"""UNets: from the names of the original files to those of diffusers, and their configuration from their tensors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint

from modules.engine.models.single_file.recorded import Tensors
from modules.engine.models.single_file.shapes import count_blocks

_PREFIX = "model.diffusion_model."  # what diffusers looks for
_CHANNELS_OF_A_HEAD = 64
_BLOCKS_OF_A_LAYER = re.compile(r"attentions\.(\d+)\.transformer_blocks\.(\d+)\.norm1\.weight")


def convert_unet(tensors: Tensors, config: Mapping[str, Any]) -> Tensors:
    """Return the tensors under diffusers' names."""
    if "input_blocks.0.0.weight" not in tensors:
        return tensors
    told = {**config, "layers_per_block": _layers_of_an_original(tensors)}
    if "label_emb.0.0.weight" in tensors:
        told["addition_embed_type"] = "text_time"
    converted: Tensors = convert_ldm_unet_checkpoint({_PREFIX + name: one for name, one in tensors.items()}, told)
    if (guided := tensors.get("time_embed.cond_proj.weight")) is not None:
        converted["time_embedding.cond_proj.weight"] = guided
    return converted


def unet_config(tensors: Tensors) -> dict[str, Any]:
    """Return what the tensors, under diffusers' names, say of the network.

    Only the number of heads is nowhere to be seen: eight where the attention has convolutions around it, as in the
    first Stable Diffusion, and as many as there are times 64 channels in all later ones.
    """
    count = count_blocks(tensors, "down_blocks")
    blocks = [f"down_blocks.{place}" for place in range(count)]
    ups = [f"up_blocks.{place}" for place in range(count)]
    channels = [tensors[f"{block}.resnets.0.conv1.weight"].shape[0] for block in blocks]
    attended = [block for block in blocks if _attends(tensors, block)]
    key = f"{attended[0]}.attentions.0." if attended else "mid_block.attentions.0."
    linear = tensors[f"{key}proj_in.weight"].ndim == 2
    config: dict[str, Any] = {
        "in_channels": tensors["conv_in.weight"].shape[1],
        "out_channels": tensors["conv_out.weight"].shape[0],
        "block_out_channels": channels,
        "layers_per_block": count_blocks(tensors, f"{blocks[0]}.resnets"),
        "down_block_types": ["CrossAttnDownBlock2D" if _attends(tensors, one) else "DownBlock2D" for one in blocks],
        "up_block_types": ["CrossAttnUpBlock2D" if _attends(tensors, one) else "UpBlock2D" for one in ups],
        "mid_block_type": "UNetMidBlock2DCrossAttn" if _attends(tensors, "mid_block") else "UNetMidBlock2D",
        "cross_attention_dim": tensors[f"{key}transformer_blocks.0.attn2.to_k.weight"].shape[1],
        "use_linear_projection": linear,
        "attention_head_dim": [max(1, one // _CHANNELS_OF_A_HEAD) for one in channels] if linear else 8,
        **_depths(tensors, blocks, ups),
    }
    if "add_embedding.linear_1.weight" in tensors:
        config["addition_embed_type"] = "text_time"
        config["projection_class_embeddings_input_dim"] = tensors["add_embedding.linear_1.weight"].shape[1]
    if "time_embedding.cond_proj.weight" in tensors:
        config["time_cond_proj_dim"] = tensors["time_embedding.cond_proj.weight"].shape[1]
    return config


def _layers_of_an_original(tensors: Tensors) -> int:
    """Count the blocks before the first that halves the picture: `input_blocks.0` is the convolution before them."""
    place = 1
    while f"input_blocks.{place}.0.in_layers.0.weight" in tensors:
        place += 1
    return max(1, place - 1)


def _depths(tensors: Tensors, blocks: list[str], ups: list[str]) -> dict[str, Any]:
    """Return how many transformer blocks each attention has, where that is not one."""
    down = [_depths_of(tensors, block) for block in blocks]
    up = [_depths_of(tensors, block) for block in ups]
    mid = _depths_of(tensors, "mid_block")
    even = [row[0] if len(set(row)) == 1 else None for row in [one or [1] for one in down]]
    mirrored = all(not above or set(above) == {even[-1 - place]} for place, above in enumerate(up))
    if None not in even and mirrored and (not mid or mid[0] == even[-1] or not down[-1]):
        if mid and not down[-1]:
            even[-1] = mid[0]
        seen = {depth for depth, row in zip(even, down, strict=True) if row} | set(mid)
        return {"transformer_layers_per_block": seen.pop() if len(seen) == 1 else even}
    return {
        "transformer_layers_per_block": [one or [1] for one in down],
        "reverse_transformer_layers_per_block": [one or [1] for one in up],
    }


def _depths_of(tensors: Tensors, block: str) -> list[int]:
    found: dict[int, int] = {}
    for name in tensors:
        if name.startswith(block + ".") and (match := _BLOCKS_OF_A_LAYER.search(name)):
            found[int(match[1])] = max(found.get(int(match[1]), 0), int(match[2]) + 1)
    return [found[place] for place in sorted(found)]


def _attends(tensors: Tensors, block: str) -> bool:
    return f"{block}.attentions.0.proj_in.weight" in tensors
