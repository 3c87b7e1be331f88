"""T5 and Qwen: from the names that files have to those of transformers, and their configuration from their tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modules.engine.models.single_file.recorded import Tensors
from modules.engine.models.single_file.shapes import count_blocks

_CHANNELS_OF_A_HEAD_IN_T5 = 64
_CHANNELS_OF_A_HEAD = 128
_BLOCK_OF_T5 = "encoder.block.0.layer.0.SelfAttention."


def convert_t5(tensors: Tensors, config: Mapping[str, Any]) -> Tensors:
    """Return the tensors of a T5 under the names of `T5EncoderModel`."""
    converted = dict(tensors)
    if "shared.weight" not in converted and "encoder.embed_tokens.weight" in converted:
        converted["shared.weight"] = converted["encoder.embed_tokens.weight"]
    return converted


def t5_config(tensors: Tensors) -> dict[str, Any]:
    """Return what the tensors say of a T5."""
    vocabulary, width = tensors["shared.weight"].shape
    return {
        "vocab_size": vocabulary,
        "d_model": width,
        "d_kv": _CHANNELS_OF_A_HEAD_IN_T5,
        "d_ff": tensors["encoder.block.0.layer.1.DenseReluDense.wi_0.weight"].shape[0],
        "num_layers": count_blocks(tensors, "encoder.block"),
        "num_heads": max(1, tensors[f"{_BLOCK_OF_T5}q.weight"].shape[0] // _CHANNELS_OF_A_HEAD_IN_T5),
        "relative_attention_num_buckets": tensors[f"{_BLOCK_OF_T5}relative_attention_bias.weight"].shape[0],
    }


def convert_qwen3(tensors: Tensors, config: Mapping[str, Any]) -> Tensors:
    """Return the tensors of a Qwen3 under the names of `Qwen3ForCausalLM`."""
    return {name if name.startswith(("model.", "lm_head.")) else f"model.{name}": one for name, one in tensors.items()}


def qwen3_config(tensors: Tensors) -> dict[str, Any]:
    """Return what the tensors say of a Qwen3."""
    attention = "model.layers.0.self_attn."
    head = tensors[f"{attention}q_norm.weight"].shape[0]
    return {
        **_decoder(tensors, "model.", head),
        "head_dim": head,
        "tie_word_embeddings": "lm_head.weight" not in tensors,
    }


def convert_qwen25_vl(tensors: Tensors, config: Mapping[str, Any]) -> Tensors:
    """Return the tensors of a Qwen2.5-VL under the names of `Qwen2_5_VLForConditionalGeneration`.

    What sees pictures is left out: words are read without it.
    """
    converted: Tensors = {}
    for name, one in tensors.items():
        bare = name.removeprefix("model.")
        if name.startswith("lm_head."):
            converted[name] = one
        elif not bare.startswith("visual."):
            converted[f"model.language_model.{bare.removeprefix('language_model.')}"] = one
    return converted


def qwen25_vl_config(tensors: Tensors) -> dict[str, Any]:
    """Return what the tensors say of a Qwen2.5-VL, without what sees pictures."""
    stem = "model.language_model."
    rope = {"rope_type": "default", "rope_theta": 1_000_000.0, "mrope_section": [16, 24, 24]}
    text = {**_decoder(tensors, stem, _CHANNELS_OF_A_HEAD), "rope_parameters": rope, "rms_norm_eps": 1e-6}
    return {
        "text_config": {**text, "max_position_embeddings": 128_000},
        "vision_config": {"depth": 0, "out_hidden_size": text["hidden_size"]},
        "tie_word_embeddings": "lm_head.weight" not in tensors,
    }


def _decoder(tensors: Tensors, stem: str, head: int) -> dict[str, Any]:
    vocabulary, width = tensors[f"{stem}embed_tokens.weight"].shape
    return {
        "vocab_size": vocabulary,
        "hidden_size": width,
        "intermediate_size": tensors[f"{stem}layers.0.mlp.gate_proj.weight"].shape[0],
        "num_hidden_layers": count_blocks(tensors, f"{stem}layers"),
        "num_attention_heads": max(1, tensors[f"{stem}layers.0.self_attn.q_proj.weight"].shape[0] // head),
        "num_key_value_heads": max(1, tensors[f"{stem}layers.0.self_attn.k_proj.weight"].shape[0] // head),
    }
