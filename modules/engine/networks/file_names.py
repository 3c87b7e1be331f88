"""The names that tensors have in files of LoRAs and their kin, taken apart: which network, which module, which part."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

# How the parts of an adapter are called here, by the ends of their names. The first that fits counts.
_ENDS: Mapping[str, str] = {
    ".lora_down.weight": "down", ".lora_up.weight": "up", ".lora_mid.weight": "mid",
    ".lora_A.default.weight": "down", ".lora_B.default.weight": "up",
    ".lora_A.weight": "down", ".lora_B.weight": "up", ".lora_A": "down", ".lora_B": "up",
    ".lora.down.weight": "down", ".lora.up.weight": "up",
    ".lora_linear_layer.down.weight": "down", ".lora_linear_layer.up.weight": "up",
    ".lora_B.default.bias": "up_bias", ".lora_B.bias": "up_bias", ".lora_up.bias": "up_bias",
    ".lora_magnitude_vector.default.weight": "dora_scale", ".lora_magnitude_vector.weight": "dora_scale",
    ".lora_magnitude_vector.default": "dora_scale", ".lora_magnitude_vector": "dora_scale",
    **{
        f".{part}": part
        for part in (
            "alpha", "dora_scale", "diff", "diff_b", "w_norm", "b_norm", "set_weight", "reshape_weight",
            "hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "hada_t1", "hada_t2",
            "lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b", "lokr_t2",
            "oft_blocks", "oft_diag", "rescale", "on_input",
        )
    },
    **{f".{part}.weight": part for part in ("a1", "a2", "b1", "b2", "bm")},
    ".weight": "weight",
}  # fmt: skip
# What stands before the path of a module, and which network that is of. The first that fits counts.
_BEGINNINGS: Mapping[str, str] = {
    "lora_te1_": "te1", "lora_te2_": "te2", "lora_te3_": "te3", "lora_te_": "te1",
    "lora_unet_": "denoiser", "lora_transformer_": "denoiser", "lycoris_": "denoiser",
    "text_encoder_2.": "te2", "text_encoder_3.": "te3", "text_encoder.": "te1",
    "text_encoders.clip_g.": "te2", "text_encoders.t5xxl.": "te3", "text_encoders.clip_l.": "te1",
    "text_encoders.clip_h.": "te1", "unet.": "denoiser", "transformer.": "denoiser",
    "model.diffusion_model.": "denoiser", "diffusion_model.": "denoiser",
}  # fmt: skip
_SAVED_BY_PEFT = "base_model.model."
_ONE_OF_SEVERAL_ENCODERS = re.compile(r"text_encoders\.[^.]+\.")
# "…attn1.processor.to_q_lora.down.weight", of the first LoRAs of diffusers; with a number in those of XLabs.
_OF_PROCESSOR = re.compile(r"(.+\.)(\w+?)_lora([12]?)\.(down|up)\.weight")
_WITHIN_AN_ENCODER = ("transformer_", "text_model_", "model_language_model_", "language_model_", "model_")
# A textual inversion that lies in the file of a LoRA, by the word that stands for it.
_BUNDLED = re.compile(r"bundle_emb\.(.+?)\.(string_to_param\.\*|emb_params|clip_l|clip_g|t5\w*)")


class PartName(NamedTuple):
    """A part of what changes a module. `network`: "denoiser", or "te1" to "te3"; `path` with _ for each dot."""

    network: str
    path: str
    part: str


def part_of(name: str) -> PartName | None:
    """Return what a tensor of a LoRA's file is; None: nothing that is known."""
    if found := _OF_PROCESSOR.fullmatch(name):
        before, what, number, side = found.groups()
        return _named(f"{before.replace('processor.', '')}{what}{number}", side)
    for end, part in _ENDS.items():
        if name.endswith(end):
            return _named(name.removesuffix(end), part)
    return None


def bundled_part(name: str) -> tuple[str, str] | None:
    """Return the word and the tensor's own name where it is of a textual inversion in the file of a LoRA."""
    found = _BUNDLED.fullmatch(name)
    return None if found is None else (found[1], found[2])


def path_in_encoder(path: str) -> str:
    """Return the path of a module of a text encoder, with _ for dots, without what differs from place to place."""
    for beginning in _WITHIN_AN_ENCODER:
        path = path.removeprefix(beginning)
    return path


def _named(stem: str, part: str) -> PartName:
    stem = stem.removeprefix(_SAVED_BY_PEFT)
    network, rest = "denoiser", stem
    for beginning, its in _BEGINNINGS.items():
        if stem.startswith(beginning):
            network, rest = its, stem.removeprefix(beginning)
            break
    else:
        if found := _ONE_OF_SEVERAL_ENCODERS.match(stem):
            network, rest = "te1", stem[found.end() :]
    path = rest.replace(".", "_")
    return PartName(network, path if network == "denoiser" else path_in_encoder(path), part)
