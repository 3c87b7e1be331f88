"""Tell families whose denoiser is a UNet: by the width of their words and of what they are told beside them."""

from __future__ import annotations

import re

from modules.jobs.models.detection.found import Core, Layout
from modules.jobs.models.detection.tensors import Tensors

_WORDS = re.compile(r"(?:input|down)_blocks\..*transformer_blocks\.(\d+)\.attn2\.to_k\.weight")
# Of Stable Diffusion XL: how many blocks the deepest transformer has.
_DEPTHS = {4: "ssd-1b", 2: "vega", 5: "koala", 6: "koala"}
_OWN_NOISE = ("playground", "cosxl")
_CHANNELS = {
    "sd1": {4: "", 9: "inpaint", 8: "instruct"},
    "sd2": {4: "", 9: "inpaint", 5: "depth", 7: "upscaler"},
    "sdxl": {4: "", 9: "inpaint", 8: "instruct"},
    "sdxl-refiner": {4: ""},
}


def find_unet(tensors: Tensors, whole: Tensors) -> Core | None:
    """Return the family of a UNet, None where it is none. `whole` has the markers that stand beside it."""
    cascade = _find_cascade(tensors)
    if cascade is not None:
        return cascade
    first = tensors.shape("input_blocks.0.0.weight")
    layout: Layout = "original"
    if not first and tensors.has("conv_in.weight", "time_embedding.linear_1.weight"):
        first, layout = tensors.shape("conv_in.weight"), "diffusers"
    if len(first) != 4:
        return None
    if tensors.ends(".time_stack.0.norm1.weight", ".temporal_transformer_blocks.0.norm1.weight"):
        return Core("StableVideoDiffusionPipeline", layout, label="Stable Video Diffusion", video=True)
    width, depth = _words(tensors)
    family = _family(width, _label_width(tensors))
    if family is None:
        return Core("", layout, label=f"a UNet for words of {width} numbers")
    return _variant(family, tensors, whole, layout, first[1], depth)


def _words(tensors: Tensors) -> tuple[int | None, int]:
    """Return how many numbers each token of the words has, and how many blocks the deepest transformer."""
    width, depth = None, 0
    for name in tensors:
        if name.endswith(".attn2.to_k.weight") and (match := _WORDS.fullmatch(name)):
            width = tensors.side(1, name) if width is None else width
            depth = max(depth, int(match[1][:4]) + 1)
    return width, depth


def _label_width(tensors: Tensors) -> int | None:
    """Return how many numbers it is told beside the words, such as the picture's size."""
    return tensors.side(
        1, "label_emb.0.0.weight", "add_embedding.linear_1.weight", "class_embedding.linear_1.weight"
    )  # fmt: skip


def _family(width: int | None, told: int | None) -> str | None:
    match width, told:
        case 2048, 2816:
            return "sdxl"
        case 1280, 2560:
            return "sdxl-refiner"
        case 2048, 5632:
            return "KolorsPipeline"
        case 1024, None | 1536 | 2048:
            return "sd2"
        case 768, None:
            return "sd1"
    return None


def _variant(family: str, tensors: Tensors, whole: Tensors, layout: Layout, channels: int, depth: int) -> Core:
    if family not in _CHANNELS:
        return Core(family, layout, label="Kolors")
    variant = _CHANNELS[family].get(channels)
    if variant is None:
        return Core(family, layout, later=f"takes {channels} channels, which no model of its family here does")
    if family == "sd2" and variant == "" and _label_width(tensors) is not None:
        variant = "unclip"
    elif family == "sdxl" and variant == "":
        variant = _variant_of_sdxl(whole, depth)
    elif family == "sdxl" and whole.has_any("edm_vpred.sigma_max"):
        variant = "instruct"
    if variant in _OWN_NOISE:
        return Core(family, layout, variant, later="has noise levels of its own (EDM), which no single file brings")
    if variant == "" and tensors.has_any("time_embed.cond_proj.weight", "time_embedding.cond_proj.weight"):
        variant = "lcm-full"
    return Core(family, layout, variant)


def _variant_of_sdxl(whole: Tensors, depth: int) -> str:
    if whole.has("edm_mean", "edm_std"):
        return "playground"
    if "edm_vpred.sigma_max" in whole:
        return "cosxl"
    return _DEPTHS.get(depth, "")


def _find_cascade(tensors: Tensors) -> Core | None:
    if tensors.has_any("clip_txt_mapper.weight"):
        return Core("StableCascadeCombinedPipeline", "original", label="Stable Cascade (stage C)")
    if tensors.has_any("down_blocks.1.0.channelwise.0.weight"):
        return Core("StableCascadeCombinedPipeline", "original", label="Stable Cascade (stage B)")
    return None
