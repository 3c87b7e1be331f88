"""Tell text encoders, under ComfyUI's names for them. Several differ in nothing but their width."""

from __future__ import annotations

from collections.abc import Mapping

from modules.jobs.models.detection.tensors import Tensors

# Where the layers of a language model may be: ComfyUI's and most files, those that see, and bare ones.
_LANGUAGE = ("model.", "model.language_model.", "language_model.model.", "")
_QWEN3 = {2560: "qwen3_4b", 4096: "qwen3_8b", 2048: "qwen3_2b", 1024: "qwen3_06b", 5120: "qwen3_14b"}
_OTHERS = {5120: "mistral3_24b", 3072: "ministral3_3b", 4096: "llama31_8b"}
_QWEN25 = {512: "qwen25_7b", 256: "qwen25_3b"}  # by the width of its keys
# The layers of CLIP tell the models of OpenAI and OpenCLIP apart: 12, 24 and 32.
_CLIP = {12: "clip_l", 23: "clip_h", 24: "clip_h", 32: "clip_g"}
_GGUF: Mapping[str, Mapping[int, str]] = {
    "qwen3": _QWEN3,
    "qwen2vl": {3584: "qwen25_7b", 2048: "qwen25_3b"},
    "qwen3vl": {2560: "qwen3vl_4b", 4096: "qwen3vl_8b"},
    "gemma2": {2304: "gemma2_2b"},
    "gemma3": {2560: "gemma3_4b", 3840: "gemma3_12b"},
    "llama": _OTHERS,
    "mistral3": _OTHERS,
}
_LONG_CLIP_TOKENS = 248


def find_encoder(tensors: Tensors, architecture: str = "") -> tuple[str, str] | None:
    """Return which text encoder it is, and its variant; None where it is none that is known.

    `architecture` is what a GGUF file says of itself.
    """
    kind = (
        _find_clip(tensors) or _find_t5(tensors) or _find_language_model(tensors) or _find_gguf(tensors, architecture)
    )
    if kind is None:
        return None
    places = tensors.side(
        0, "text_model.embeddings.position_embedding.weight", "embeddings.position_embedding.weight",
        "positional_embedding",
    )  # fmt: skip
    return kind, ("long" if kind == "clip_l" and places == _LONG_CLIP_TOKENS else "")


def is_image_encoder(tensors: Tensors) -> bool:
    """Tell whether it is the half of CLIP or SigLIP that sees, alone."""
    return tensors.has_any("vision_model.encoder.layers.0.mlp.fc1.weight", "visual.transformer.resblocks.0.ln_1.weight")


def _find_clip(tensors: Tensors) -> str | None:
    for base, after in (
        ("text_model.encoder.layers.", ".mlp.fc1.weight"),
        ("encoder.layers.", ".mlp.fc1.weight"),
        ("transformer.resblocks.", ".mlp.c_fc.weight"),
    ):
        layers = tensors.blocks(base, after)
        if layers and not (base == "encoder.layers." and "embeddings.token_embedding.weight" not in tensors):
            return _CLIP.get(layers, f"clip of {layers} layers")
    return None


def _find_t5(tensors: Tensors) -> str | None:
    first = "encoder.block.0.layer."
    width = tensors.side(0, f"{first}1.DenseReluDense.wi_1.weight", "enc.blk.0.ffn_up.weight")
    if width is None:
        return "t5xxl_old" if tensors.has(f"{first}1.DenseReluDense.wi.weight") else None
    each = tensors.has_any(
        "encoder.block.1.layer.0.SelfAttention.relative_attention_bias.weight", "enc.blk.1.attn_rel_b.weight"
    )  # fmt: skip
    match width:
        case 10240:
            return "umt5xxl" if each else "t5xxl"
        case 5120:
            return "pile_t5xl"
    return f"t5 of width {width}"


def _find_language_model(tensors: Tensors) -> str | None:
    for base in _LANGUAGE:
        norm = f"{base}layers.0.post_attention_layernorm.weight"
        if norm in tensors:
            return _language_model(tensors, base, tensors.side(0, norm) or 0)
    return None


def _language_model(tensors: Tensors, base: str, width: int) -> str:
    layer = f"{base}layers.0."
    normed = f"{layer}self_attn.q_norm.weight" in tensors
    if f"{layer}post_feedforward_layernorm.weight" in tensors:
        if f"{base}layers.47.self_attn.q_norm.weight" in tensors:
            return "gemma3_12b"
        return "gemma3_4b" if normed else "gemma2_2b"
    seeing = "model.visual.merger.linear_fc2.weight"
    if tensors.has_any(seeing, "model.visual.deepstack_merger_list.0.norm.weight"):
        return "qwen3vl_4b" if tensors.side(0, seeing) == 2560 else "qwen3vl_8b"
    keys = tensors.side(0, f"{layer}self_attn.k_proj.bias")
    if keys is not None:
        return _QWEN25.get(keys, f"qwen2.5 with keys of width {keys}")
    if normed:
        return _QWEN3.get(width, f"qwen3 of width {width}")
    return _OTHERS.get(width, f"a language model of width {width}")


def _find_gguf(tensors: Tensors, architecture: str) -> str | None:
    """Return which language model it is under the names of llama.cpp."""
    width = tensors.side(1, "token_embd.weight")
    if width is None or "blk.0.attn_q.weight" not in tensors:
        return None
    known = _GGUF.get(architecture, {})
    return known.get(width, f"{architecture[:20] or 'a language model'} of width {width}")
