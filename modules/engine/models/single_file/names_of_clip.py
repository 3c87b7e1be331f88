"""CLIP's text encoders: from the names of OpenCLIP and of older files to those of transformers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from modules.engine.models.single_file.recorded import Recorded, Tensors

_OPEN_CLIP = {
    "token_embedding.weight": "embeddings.token_embedding.weight",
    "positional_embedding": "embeddings.position_embedding.weight",
    "ln_final.weight": "final_layer_norm.weight",
    "ln_final.bias": "final_layer_norm.bias",
}
_IN_A_LAYER = {
    "ln_1.": "layer_norm1.", "ln_2.": "layer_norm2.", "mlp.c_fc.": "mlp.fc1.", "mlp.c_proj.": "mlp.fc2.",
    "attn.out_proj.": "self_attn.out_proj.",
}  # fmt: skip
_LAYERS = "transformer.resblocks."
_CHANNELS_OF_A_HEAD = 64
_PROJECTION = "text_projection"


def convert_clip(tensors: Tensors, config: Mapping[str, Any]) -> Tensors:
    """Return the tensors under the names of `CLIPTextModel`, those of its projection beside them.

    `penultimate` in `config`: the model is read one layer before its end, so that the last layer is left out.
    `identity_projection`: files without a projection are of a model whose projection changes nothing.
    """
    if any(name.startswith(_LAYERS) for name in tensors):
        return _from_open_clip(tensors, bool(config.get("penultimate")))
    converted = {name.removeprefix("text_model."): one for name, one in tensors.items()}
    converted.pop("embeddings.position_ids", None)
    converted.pop("logit_scale", None)
    if _PROJECTION in converted:
        converted[_PROJECTION + ".weight"] = converted.pop(_PROJECTION).T
    if config.get("identity_projection") and _PROJECTION + ".weight" not in converted:
        width = converted["final_layer_norm.weight"].shape[0]
        converted[_PROJECTION + ".weight"] = Recorded.by(torch.eye, width)
    return converted


def clip_config(tensors: Tensors) -> dict[str, Any]:
    """Return what the tensors, under the names of `CLIPTextModel`, say of the network."""
    vocabulary, width = tensors["embeddings.token_embedding.weight"].shape
    layers = {name.split(".")[2] for name in tensors if name.startswith("encoder.layers.")}
    projection = tensors.get(_PROJECTION + ".weight")
    return {
        "vocab_size": vocabulary,
        "hidden_size": width,
        "intermediate_size": tensors["encoder.layers.0.mlp.fc1.weight"].shape[0],
        "num_hidden_layers": len(layers),
        "num_attention_heads": max(1, width // _CHANNELS_OF_A_HEAD),
        "max_position_embeddings": tensors["embeddings.position_embedding.weight"].shape[0],
        "projection_dim": width if projection is None else projection.shape[0],
    }


def _from_open_clip(tensors: Tensors, penultimate: bool) -> Tensors:
    converted = {new: tensors[old] for old, new in _OPEN_CLIP.items() if old in tensors}
    if _PROJECTION in tensors:
        converted[_PROJECTION + ".weight"] = tensors[_PROJECTION].T
    elif _PROJECTION + ".weight" in tensors:
        converted[_PROJECTION + ".weight"] = tensors[_PROJECTION + ".weight"]
    layers = {int(name[len(_LAYERS) :].partition(".")[0]) for name in tensors if name.startswith(_LAYERS)}
    left_out = f"{max(layers)}." if penultimate else None
    for name, one in tensors.items():
        rest = name.removeprefix(_LAYERS)
        if rest == name or (left_out and rest.startswith(left_out)):
            continue
        for old, new in _IN_A_LAYER.items():
            rest = rest.replace("." + old, "." + new)
        place, _, part = rest.partition(".")
        if part.startswith("attn.in_proj_"):
            kind = part.removeprefix("attn.in_proj_")
            for letter, third in zip("qkv", torch.chunk(one, 3), strict=True):
                converted[f"encoder.layers.{place}.self_attn.{letter}_proj.{kind}"] = third
        else:
            converted[f"encoder.layers.{rest}"] = one
    return converted
