"""Write models as single files: the names of their tensors as the programs have them that the models were made with.

The inverse of what diffusers converts, written anew for the tests.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

Tensors = dict[str, torch.Tensor]

_RESNET = {
    "norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1", "norm2": "out_layers.0",
    "conv2": "out_layers.3", "conv_shortcut": "skip_connection",
}  # fmt: skip
_UNET = {
    "time_embedding.linear_1": "time_embed.0", "time_embedding.linear_2": "time_embed.2",
    "time_embedding.cond_proj": "time_embed.cond_proj", "conv_in": "input_blocks.0.0", "conv_norm_out": "out.0",
    "conv_out": "out.2", "add_embedding.linear_1": "label_emb.0.0", "add_embedding.linear_2": "label_emb.0.2",
}  # fmt: skip
_MIDDLE = {"resnets.0": "0", "attentions.0": "1", "resnets.1": "2"}
_VAE_ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}
_OPEN_CLIP = {
    "embeddings.token_embedding.weight": "token_embedding.weight",
    "embeddings.position_embedding.weight": "positional_embedding",
    "final_layer_norm.weight": "ln_final.weight", "final_layer_norm.bias": "ln_final.bias",
}  # fmt: skip
_OPEN_CLIP_LAYER = {
    "layer_norm1": "ln_1", "layer_norm2": "ln_2", "mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj",
    "self_attn.out_proj": "attn.out_proj",
}  # fmt: skip


def write(path: Path, parts: Mapping[str, Tensors], **extra: torch.Tensor) -> Path:
    """Write the tensors of all parts, each under its prefix, and return the path."""
    tensors = {prefix + name: one.contiguous().clone() for prefix, part in parts.items() for name, one in part.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors | extra, path)
    return path


def unet(state: Tensors, layers: int = 2) -> Tensors:
    """Return a UNet's tensors under the names of the original Stable Diffusion."""
    return {_unet_name(name, layers, state): one for name, one in state.items()}


def _unet_name(name: str, layers: int, state: Tensors) -> str:
    for new, old in _UNET.items():
        if name.startswith(new + "."):
            return name.replace(new, old, 1)
    if name.startswith("mid_block."):
        rest = name.removeprefix("mid_block.")
        for new, old in _MIDDLE.items():
            if rest.startswith(new + "."):
                return _resnet(f"middle_block.{old}.{rest[len(new) + 1 :]}")
    side, level, kind, place, rest = re.fullmatch(r"(down|up)_blocks\.(\d+)\.(\w+)\.(\d+)\.(.*)", name).groups()  # type: ignore[union-attr]
    if side == "down":
        first = 1 + int(level) * (layers + 1)
        if kind == "downsamplers":
            return f"input_blocks.{first + layers}.0.op.{rest.removeprefix('conv.')}"
        return _resnet(f"input_blocks.{first + int(place)}.{0 if kind == 'resnets' else 1}.{rest}")
    first = int(level) * (layers + 1)
    if kind == "upsamplers":
        attends = f"up_blocks.{level}.attentions.0.proj_in.weight" in state
        return f"output_blocks.{first + layers}.{2 if attends else 1}.{rest}"
    return _resnet(f"output_blocks.{first + int(place)}.{0 if kind == 'resnets' else 1}.{rest}")


def _resnet(name: str) -> str:
    if re.match(r"(middle_block\.[02]|\w+_blocks\.\d+\.0)\.", name):
        for new, old in _RESNET.items():
            name = name.replace(f".{new}.", f".{old}.")
    return name


def vae(state: Tensors) -> Tensors:
    """Return the tensors of an autoencoder under the original names, its attention as convolutions of one pixel."""
    levels = 1 + max(int(name.split(".")[2]) for name in state if name.startswith("decoder.up_blocks."))
    renamed: Tensors = {}
    for name, one in state.items():
        name = name.replace("conv_norm_out", "norm_out").replace("conv_shortcut", "nin_shortcut")
        name = re.sub(r"down_blocks\.(\d+)\.resnets", r"down.\1.block", name)
        name = re.sub(r"down_blocks\.(\d+)\.downsamplers\.0", r"down.\1.downsample", name)
        name = re.sub(r"up_blocks\.(\d+)\.resnets", lambda match: f"up.{levels - 1 - int(match[1])}.block", name)
        name = re.sub(
            r"up_blocks\.(\d+)\.upsamplers\.0", lambda match: f"up.{levels - 1 - int(match[1])}.upsample", name
        )
        name = re.sub(r"mid_block\.resnets\.(\d)", lambda match: f"mid.block_{int(match[1]) + 1}", name)
        if "mid_block.attentions.0." in name:
            for new, old in _VAE_ATTENTION.items():
                name = name.replace(f"mid_block.attentions.0.{new}.", f"mid.attn_1.{old}.")
            one = one[:, :, None, None] if one.ndim == 2 else one
        renamed[name] = one
    return renamed


def clip(state: Tensors) -> Tensors:
    """Return CLIP's tensors under the names that transformers once had, with the positions that it once counted."""
    bare = {name.removeprefix("text_model."): one for name, one in state.items() if name != "text_projection.weight"}
    renamed = {f"text_model.{name}": one for name, one in bare.items()}
    return renamed | {"text_model.embeddings.position_ids": torch.arange(77)[None]}


def open_clip(state: Tensors, last_layer: bool = False) -> Tensors:
    """Return CLIP's tensors under OpenCLIP's names; with a last layer that is not used, as SD 2 has it."""
    bare = {name.removeprefix("text_model."): one for name, one in state.items()}
    renamed: Tensors = {"logit_scale": torch.tensor(4.6)}
    thirds: dict[str, list[torch.Tensor]] = {}
    for name, one in bare.items():
        if name == "text_projection.weight":
            renamed["text_projection"] = one.T
            continue
        if name in _OPEN_CLIP:
            renamed[_OPEN_CLIP[name]] = one
            continue
        name = name.replace("encoder.layers.", "transformer.resblocks.")
        if match := re.fullmatch(r"(.*)\.self_attn\.([qkv])_proj\.(weight|bias)", name):
            thirds.setdefault(f"{match[1]}.attn.in_proj_{match[3]}", [one] * 3)["qkv".index(match[2])] = one
            continue
        for new, old in _OPEN_CLIP_LAYER.items():
            name = name.replace(new, old)
        renamed[name] = one
    renamed |= {name: torch.cat(parts) for name, parts in thirds.items()}
    if last_layer:
        count = 1 + max(int(name.split(".")[2]) for name in renamed if name.startswith("transformer.resblocks."))
        first = "transformer.resblocks.0."
        more = {
            name.replace(first, f"transformer.resblocks.{count}."): one + 1
            for name, one in renamed.items()
            if name.startswith(first)
        }
        renamed |= more
    return renamed


def state_of(network: Any) -> Tensors:
    """Return a network's tensors under the names of diffusers or transformers."""
    state: Tensors = network.state_dict()
    return state
