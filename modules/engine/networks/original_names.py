"""What the modules of a denoiser are called in the files of its authors: many LoRAs have these names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from torch import nn

from modules.engine.models.single_file.names_of_flux import DOUBLE, DOUBLE_JOINED, OUTSIDE, SINGLE, SINGLE_JOINED

Paths = frozenset[str]


class Original(NamedTuple):
    """A module under its authors' name, and what it is in diffusers: several `modules`, one below the other.

    `swapped`: its upper half is the lower one there.
    """

    name: str
    modules: tuple[str, ...]
    swapped: bool = False


def original_names(network: nn.Module) -> Iterator[Original]:
    """Yield the modules of a denoiser under the names of its authors; none where those are diffusers' own."""
    name_them = _NAMERS.get(type(network).__name__)
    if name_them is None:
        return
    modules = dict(network.named_modules())
    for one in name_them(frozenset(modules), getattr(network, "config", {})):
        if all(hasattr(modules.get(path), "weight") for path in one.modules):
            yield one


# --- UNets --------------------------------------------------------------------------------------------------------

_IN_A_RESNET = {
    "norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1", "norm2": "out_layers.0",
    "conv2": "out_layers.3", "conv_shortcut": "skip_connection",
}  # fmt: skip
_OUTSIDE_IN_UNET = {
    "conv_in": "input_blocks.0.0", "conv_norm_out": "out.0", "conv_out": "out.2",
    "time_embedding.linear_1": "time_embed.0", "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0", "add_embedding.linear_2": "label_emb.0.2",
}  # fmt: skip
_IN_UNET = re.compile(r"(down_blocks|up_blocks)\.(\d+)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)(?:\.(.+))?")
_IN_MIDDLE = re.compile(r"mid_block\.(resnets|attentions)\.(\d+)(?:\.(.+))?")


def _of_unet(paths: Paths, config: Mapping[str, Any]) -> Iterator[Original]:
    layers = config.get("layers_per_block", 2)
    for path in paths:
        if path in _OUTSIDE_IN_UNET:
            yield Original(_OUTSIDE_IN_UNET[path], (path,))
        elif found := _IN_MIDDLE.fullmatch(path):
            kind, place, rest = found.groups()
            number = 1 if kind == "attentions" else 2 * int(place)
            yield Original(f"middle_block.{number}.{_inner(kind, rest)}", (path,))
        elif isinstance(layers, int) and (found := _IN_UNET.fullmatch(path)):
            side, block, kind, place, rest = found.groups()
            yield Original(_in_block(paths, layers, side, int(block), kind, int(place), rest or ""), (path,))


def _in_block(paths: Paths, layers: int, side: str, block: int, kind: str, place: int, rest: str) -> str:
    """Return the name of a module in one of the blocks that lead down or up, of which each has so many layers."""
    each = layers + 1
    if side == "down_blocks":
        if kind == "downsamplers":
            return f"input_blocks.{1 + block * each + layers}.0.op"
        return f"input_blocks.{1 + block * each + place}.{int(kind == 'attentions')}.{_inner(kind, rest)}"
    if kind == "upsamplers":
        after = 2 if f"up_blocks.{block}.attentions.0" in paths else 1
        return f"output_blocks.{block * each + layers}.{after}.conv"
    return f"output_blocks.{block * each + place}.{int(kind == 'attentions')}.{_inner(kind, rest)}"


def _inner(kind: str, rest: str | None) -> str:
    return _IN_A_RESNET.get(rest or "", rest or "") if kind == "resnets" else rest or ""


# --- Transformers -------------------------------------------------------------------------------------------------

_LAST_NORM = Original("final_layer.adaLN_modulation.1", ("norm_out.linear",), swapped=True)
# What the LoRAs of XLabs call the parts of Flux' blocks.
_XLABS_DOUBLE = {"qkv1": "img_attn.qkv", "qkv2": "txt_attn.qkv", "proj1": "img_attn.proj", "proj2": "txt_attn.proj"}


def _of_flux(paths: Paths, _config: Mapping[str, Any]) -> Iterator[Original]:
    for place in _places(paths, "transformer_blocks"):
        old, new = f"double_blocks.{place}.", f"transformer_blocks.{place}."
        joined = {**{name: (its,) for name, its in DOUBLE.items()}, **DOUBLE_JOINED}
        joined |= {short: joined[name] for short, name in _XLABS_DOUBLE.items()}
        yield from _in_place(old, new, joined)
    for place in _places(paths, "single_transformer_blocks"):
        old, new = f"single_blocks.{place}.", f"single_transformer_blocks.{place}."
        joined = {**{name: (its,) for name, its in SINGLE.items()}, "linear1": SINGLE_JOINED}
        joined |= {"qkv": SINGLE_JOINED[:3], "proj": joined["linear2"]}
        yield from _in_place(old, new, joined)
    yield from (Original(name, (its,)) for name, its in OUTSIDE.items())
    yield _LAST_NORM


_FLUX2_DOUBLE = {
    "img_attn.qkv": ("attn.to_q", "attn.to_k", "attn.to_v"), "img_attn.proj": ("attn.to_out.0",),
    "txt_attn.qkv": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"), "txt_attn.proj": ("attn.to_add_out",),
    "img_mlp.0": ("ff.linear_in",), "img_mlp.2": ("ff.linear_out",),
    "txt_mlp.0": ("ff_context.linear_in",), "txt_mlp.2": ("ff_context.linear_out",),
}  # fmt: skip
_FLUX2_SINGLE = {"linear1": ("attn.to_qkv_mlp_proj",), "linear2": ("attn.to_out",)}
_FLUX2_OUTSIDE = {
    "img_in": "x_embedder", "txt_in": "context_embedder", "final_layer.linear": "proj_out",
    "time_in.in_layer": "time_guidance_embed.timestep_embedder.linear_1",
    "time_in.out_layer": "time_guidance_embed.timestep_embedder.linear_2",
    "guidance_in.in_layer": "time_guidance_embed.guidance_embedder.linear_1",
    "guidance_in.out_layer": "time_guidance_embed.guidance_embedder.linear_2",
    "double_stream_modulation_img.lin": "double_stream_modulation_img.linear",
    "double_stream_modulation_txt.lin": "double_stream_modulation_txt.linear",
    "single_stream_modulation.lin": "single_stream_modulation.linear",
}  # fmt: skip


def _of_flux2(paths: Paths, _config: Mapping[str, Any]) -> Iterator[Original]:
    for place in _places(paths, "transformer_blocks"):
        yield from _in_place(f"double_blocks.{place}.", f"transformer_blocks.{place}.", _FLUX2_DOUBLE)
    for place in _places(paths, "single_transformer_blocks"):
        yield from _in_place(f"single_blocks.{place}.", f"single_transformer_blocks.{place}.", _FLUX2_SINGLE)
    yield from (Original(name, (its,)) for name, its in _FLUX2_OUTSIDE.items())
    yield _LAST_NORM


_SD3_BLOCK = {
    "x_block.attn.qkv": ("attn.to_q", "attn.to_k", "attn.to_v"), "x_block.attn.proj": ("attn.to_out.0",),
    "context_block.attn.qkv": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
    "context_block.attn.proj": ("attn.to_add_out",),
    "x_block.attn2.qkv": ("attn2.to_q", "attn2.to_k", "attn2.to_v"), "x_block.attn2.proj": ("attn2.to_out.0",),
    "x_block.adaLN_modulation.1": ("norm1.linear",),
    "x_block.mlp.fc1": ("ff.net.0.proj",), "x_block.mlp.fc2": ("ff.net.2",),
    "context_block.mlp.fc1": ("ff_context.net.0.proj",), "context_block.mlp.fc2": ("ff_context.net.2",),
}  # fmt: skip
_SD3_OUTSIDE = {
    "x_embedder.proj": "pos_embed.proj", "context_embedder": "context_embedder", "final_layer.linear": "proj_out",
    "t_embedder.mlp.0": "time_text_embed.timestep_embedder.linear_1",
    "t_embedder.mlp.2": "time_text_embed.timestep_embedder.linear_2",
    "y_embedder.mlp.0": "time_text_embed.text_embedder.linear_1",
    "y_embedder.mlp.2": "time_text_embed.text_embedder.linear_2",
}  # fmt: skip


def _of_sd3(paths: Paths, _config: Mapping[str, Any]) -> Iterator[Original]:
    places = _places(paths, "transformer_blocks")
    for place in places:
        old, new = f"joint_blocks.{place}.", f"transformer_blocks.{place}."
        yield from _in_place(old, new, _SD3_BLOCK)
        name = f"{old}context_block.adaLN_modulation.1"
        yield Original(name, (f"{new}norm1_context.linear",), swapped=place == places[-1])
    yield from (Original(name, (its,)) for name, its in _SD3_OUTSIDE.items())
    yield _LAST_NORM


def _of_z_image(paths: Paths, _config: Mapping[str, Any]) -> Iterator[Original]:
    for path in paths:
        if path.endswith(".attention"):
            yield Original(f"{path}.qkv", (f"{path}.to_q", f"{path}.to_k", f"{path}.to_v"))
            yield Original(f"{path}.out", (f"{path}.to_out.0",))
        elif path.startswith(("all_final_layer.2-1", "all_x_embedder.2-1")):
            yield Original(path.removeprefix("all_").replace(".2-1", ""), (path,))


_LUMINA_BLOCK = {
    "attention.qkv": ("attn.to_q", "attn.to_k", "attn.to_v"), "attention.out": ("attn.to_out.0",),
    "feed_forward.w1": ("feed_forward.linear_1",), "feed_forward.w2": ("feed_forward.linear_2",),
    "feed_forward.w3": ("feed_forward.linear_3",), "adaLN_modulation.1": ("norm1.linear",),
}  # fmt: skip
_LUMINA_OUTSIDE = {
    "t_embedder.mlp.0": "time_caption_embed.timestep_embedder.linear_1",
    "t_embedder.mlp.2": "time_caption_embed.timestep_embedder.linear_2",
    "cap_embedder.1": "time_caption_embed.caption_embedder.1",
    "final_layer.adaLN_modulation.1": "norm_out.linear_1", "final_layer.linear": "norm_out.linear_2",
}  # fmt: skip


def _of_lumina2(paths: Paths, _config: Mapping[str, Any]) -> Iterator[Original]:
    for part in ("layers", "noise_refiner", "context_refiner"):
        for place in _places(paths, part):
            yield from _in_place(f"{part}.{place}.", f"{part}.{place}.", _LUMINA_BLOCK)
    yield from (Original(name, (its,)) for name, its in _LUMINA_OUTSIDE.items())


def _places(paths: Iterable[str], part: str) -> list[int]:
    """Return the numbers of the blocks in a list of these."""
    found = (path.removeprefix(part + ".") for path in paths if path.startswith(part + "."))
    return sorted(int(rest) for rest in found if rest.isdecimal())


def _in_place(old: str, new: str, modules: Mapping[str, tuple[str, ...]]) -> Iterator[Original]:
    for name, its in modules.items():
        yield Original(old + name, tuple(new + one for one in its))


_NAMERS: Mapping[str, Callable[[Paths, Mapping[str, Any]], Iterator[Original]]] = {
    "UNet2DConditionModel": _of_unet,
    "FluxTransformer2DModel": _of_flux,
    "ChromaTransformer2DModel": _of_flux,
    "Flux2Transformer2DModel": _of_flux2,
    "SD3Transformer2DModel": _of_sd3,
    "ZImageTransformer2DModel": _of_z_image,
    "Lumina2Transformer2DModel": _of_lumina2,
}
