"""Write flow models as single files, as `original_keys.py` does with Stable Diffusion."""

from __future__ import annotations

import re

import torch

from tests.engine import original_keys
from tests.engine.original_keys import Tensors

_FLUX = {
    "time_text_embed.timestep_embedder.linear_1": "time_in.in_layer",
    "time_text_embed.timestep_embedder.linear_2": "time_in.out_layer",
    "time_text_embed.text_embedder.linear_1": "vector_in.in_layer",
    "time_text_embed.text_embedder.linear_2": "vector_in.out_layer",
    "time_text_embed.guidance_embedder.linear_1": "guidance_in.in_layer",
    "time_text_embed.guidance_embedder.linear_2": "guidance_in.out_layer",
    "time_guidance_embed.timestep_embedder.linear_1": "time_in.in_layer",
    "time_guidance_embed.timestep_embedder.linear_2": "time_in.out_layer",
    "double_stream_modulation_img.linear": "double_stream_modulation_img.lin",
    "double_stream_modulation_txt.linear": "double_stream_modulation_txt.lin",
    "single_stream_modulation.linear": "single_stream_modulation.lin",
    "context_embedder": "txt_in", "x_embedder": "img_in", "proj_out": "final_layer.linear",
    "norm_out.linear": "final_layer.adaLN_modulation.1",
}  # fmt: skip
_DOUBLE = {
    "norm1.linear": "img_mod.lin", "norm1_context.linear": "txt_mod.lin", "attn.norm_q": "img_attn.norm.query_norm",
    "attn.norm_k": "img_attn.norm.key_norm", "attn.norm_added_q": "txt_attn.norm.query_norm",
    "attn.norm_added_k": "txt_attn.norm.key_norm", "attn.to_out.0": "img_attn.proj", "attn.to_add_out": "txt_attn.proj",
    "ff.net.0.proj": "img_mlp.0", "ff.net.2": "img_mlp.2", "ff_context.net.0.proj": "txt_mlp.0",
    "ff_context.net.2": "txt_mlp.2", "ff.linear_in": "img_mlp.0", "ff.linear_out": "img_mlp.2",
    "ff_context.linear_in": "txt_mlp.0", "ff_context.linear_out": "txt_mlp.2",
}  # fmt: skip
_SINGLE = {
    "norm.linear": "modulation.lin", "attn.norm_q": "norm.query_norm", "attn.norm_k": "norm.key_norm",
    "proj_out": "linear2", "attn.to_qkv_mlp_proj": "linear1", "attn.to_out": "linear2",
}  # fmt: skip
_JOINED = {
    "attn.to_q": ("img_attn.qkv", 0), "attn.to_k": ("img_attn.qkv", 1), "attn.to_v": ("img_attn.qkv", 2),
    "attn.add_q_proj": ("txt_attn.qkv", 0), "attn.add_k_proj": ("txt_attn.qkv", 1),
    "attn.add_v_proj": ("txt_attn.qkv", 2),
}  # fmt: skip
_JOINED_IN_SINGLE = {
    "attn.to_q": ("linear1", 0), "attn.to_k": ("linear1", 1), "attn.to_v": ("linear1", 2), "proj_mlp": ("linear1", 3),
}  # fmt: skip
_SD3 = {
    "pos_embed.pos_embed": "pos_embed", "pos_embed.proj": "x_embedder.proj",
    "time_text_embed.timestep_embedder.linear_1": "t_embedder.mlp.0",
    "time_text_embed.timestep_embedder.linear_2": "t_embedder.mlp.2",
    "time_text_embed.text_embedder.linear_1": "y_embedder.mlp.0",
    "time_text_embed.text_embedder.linear_2": "y_embedder.mlp.2",
    "proj_out": "final_layer.linear", "norm_out.linear": "final_layer.adaLN_modulation.1",
}  # fmt: skip
_SD3_BLOCK = {
    "norm1.linear": "x_block.adaLN_modulation.1", "norm1_context.linear": "context_block.adaLN_modulation.1",
    "attn.norm_q": "x_block.attn.ln_q", "attn.norm_k": "x_block.attn.ln_k",
    "attn.norm_added_q": "context_block.attn.ln_q", "attn.norm_added_k": "context_block.attn.ln_k",
    "attn2.norm_q": "x_block.attn2.ln_q", "attn2.norm_k": "x_block.attn2.ln_k",
    "attn.to_out.0": "x_block.attn.proj", "attn2.to_out.0": "x_block.attn2.proj",
    "attn.to_add_out": "context_block.attn.proj", "ff.net.0.proj": "x_block.mlp.fc1", "ff.net.2": "x_block.mlp.fc2",
    "ff_context.net.0.proj": "context_block.mlp.fc1", "ff_context.net.2": "context_block.mlp.fc2",
}  # fmt: skip
_SD3_JOINED = {
    **{f"attn.to_{letter}": ("x_block.attn.qkv", place) for place, letter in enumerate("qkv")},
    **{f"attn2.to_{letter}": ("x_block.attn2.qkv", place) for place, letter in enumerate("qkv")},
    **{f"attn.add_{letter}_proj": ("context_block.attn.qkv", place) for place, letter in enumerate("qkv")},
}
_Z_IMAGE = {
    "all_final_layer.2-1.": "final_layer.", "all_x_embedder.2-1.": "x_embedder.",
    ".attention.to_out.0.": ".attention.out.", ".attention.norm_k.": ".attention.k_norm.",
    ".attention.norm_q.": ".attention.q_norm.",
}  # fmt: skip
_WAN = {
    ".norm1.gamma": ".residual.0.gamma", ".conv1.": ".residual.2.", ".norm2.gamma": ".residual.3.gamma",
    ".conv2.": ".residual.6.", ".conv_shortcut.": ".shortcut.",
}  # fmt: skip


class _Joining:
    """Collects tensors, and those that are one matrix in an original file."""

    def __init__(self) -> None:
        self.made: Tensors = {}
        self._parts: dict[str, dict[int, torch.Tensor]] = {}

    def add(self, name: str, place: int, one: torch.Tensor) -> None:
        self._parts.setdefault(name, {})[place] = one

    def all(self) -> Tensors:
        joined = {name: torch.cat([parts[place] for place in sorted(parts)]) for name, parts in self._parts.items()}
        return self.made | joined


def swapped(one: torch.Tensor) -> torch.Tensor:
    """Return the tensor with its halves the other way round."""
    return torch.cat(list(reversed(one.chunk(2))))


def flux(state: Tensors) -> Tensors:
    """Return the tensors of a Flux.1, a Flux.2 or a Chroma under the names of Black Forest Labs."""
    joining = _Joining()
    for name, one in state.items():
        stem, _, kind = name.rpartition(".")
        if match := re.fullmatch(r"(single_)?transformer_blocks\.(\d+)\.(.+)", stem):
            prefix, table = ("single_blocks", _SINGLE) if match[1] else ("double_blocks", _DOUBLE)
            joined = (_JOINED_IN_SINGLE if match[1] else _JOINED).get(match[3])
            if joined is not None:
                joining.add(f"{prefix}.{match[2]}.{joined[0]}.{kind}", joined[1], one)
                continue
            part = table[match[3]]
            kind = "scale" if part.endswith("_norm") else kind
            joining.made[f"{prefix}.{match[2]}.{part}.{kind}"] = one
        elif match := re.fullmatch(r"(distilled_guidance_layer\.(?:layers|norms)\.\d+)(?:\.linear_([12]))?", stem):
            part = {None: "scale", "1": f"in_layer.{kind}", "2": f"out_layer.{kind}"}[match[2]]
            joining.made[f"{match[1]}.{part}"] = one
        else:
            joining.made[f"{_FLUX.get(stem, stem)}.{kind}"] = swapped(one) if stem == "norm_out.linear" else one
    return joining.all()


def sd3(state: Tensors) -> Tensors:
    """Return the tensors of a Stable Diffusion 3 under Stability's names."""
    joining = _Joining()
    last = max(int(name.split(".")[1]) for name in state if name.startswith("transformer_blocks."))
    for name, one in state.items():
        stem, _, kind = name.rpartition(".")
        if match := re.fullmatch(r"transformer_blocks\.(\d+)\.(.+)", stem):
            prefix = f"joint_blocks.{match[1]}."
            if match[2] in _SD3_JOINED:
                part, place = _SD3_JOINED[match[2]]
                joining.add(f"{prefix}{part}.{kind}", place, one)
                continue
            turned = match[2] == "norm1_context.linear" and int(match[1]) == last
            joining.made[f"{prefix}{_SD3_BLOCK[match[2]]}.{kind}"] = swapped(one) if turned else one
        elif name in _SD3:
            joining.made[_SD3[name]] = one
        else:
            joining.made[f"{_SD3.get(stem, stem)}.{kind}"] = swapped(one) if stem == "norm_out.linear" else one
    return joining.all()


def z_image(state: Tensors) -> Tensors:
    """Return the tensors of a Z-Image under its authors' names."""
    joining = _Joining()
    for name, one in state.items():
        if match := re.fullmatch(r"(.*\.attention)\.to_([qkv])\.weight", name):
            joining.add(f"{match[1]}.qkv.weight", "qkv".index(match[2]), one)
            continue
        for new, old in _Z_IMAGE.items():
            name = name.replace(new, old)
        joining.made[name] = one
    return joining.all()


def flux2_vae(state: Tensors) -> Tensors:
    """Return the tensors of Flux.2's autoencoder under the names of Black Forest Labs."""
    counted = {name: one for name, one in state.items() if name.startswith("bn.")}
    plain = original_keys.vae({name: one for name, one in state.items() if name not in counted})
    moved = {"quant_conv.": "encoder.quant_conv.", "post_quant_conv.": "decoder.post_quant_conv."}
    renamed: Tensors = {}
    for name, one in plain.items():
        for new, old in moved.items():
            name = old + name.removeprefix(new) if name.startswith(new) else name
        renamed[name] = one
    return renamed | counted


def wan_vae(state: Tensors) -> Tensors:
    """Return the tensors of Qwen-Image's autoencoder under the names of Wan's."""
    return {_wan_name(name): one for name, one in state.items()}


def _wan_name(name: str) -> str:
    name = re.sub(r"^quant_conv\.", "conv1.", name)
    name = re.sub(r"^post_quant_conv\.", "conv2.", name)
    name = re.sub(r"coder\.conv_in\.", "coder.conv1.", name)
    name = name.replace("coder.norm_out.", "coder.head.0.").replace("coder.conv_out.", "coder.head.2.")
    name = re.sub(r"mid_block\.resnets\.(\d)", lambda match: f"middle.{2 * int(match[1])}", name)
    name = name.replace("mid_block.attentions.0", "middle.1").replace("encoder.down_blocks.", "encoder.downsamples.")
    name = re.sub(
        r"up_blocks\.(\d)\.resnets\.(\d)", lambda match: f"upsamples.{4 * int(match[1]) + int(match[2])}", name
    )
    name = re.sub(r"up_blocks\.(\d)\.upsamplers\.0", lambda match: f"upsamples.{4 * int(match[1]) + 3}", name)
    if re.search(r"\.(middle|downsamples|upsamples)\.", name):
        for new, old in _WAN.items():
            name = name.replace(new, old)
    return name
