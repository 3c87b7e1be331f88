"""Tokenizers that come with the program, for models whose single file has none: `tokenizers/` says from where."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent / "tokenizers"
# By the text encoder, under ComfyUI's names.
_OF_ENCODER = {
    "clip_l": "clip", "clip_h": "clip", "clip_g": "clip", "t5xxl": "t5",
    "qwen3_4b": "qwen", "qwen3_8b": "qwen", "qwen25_7b": "qwen",
}  # fmt: skip


def tokenizer_folder(name: str) -> Path:
    """Return the folder of a tokenizer: "clip", "t5" or "qwen"."""
    return _FOLDER / name


def tokenizer_file_of(text_encoder: str) -> Path | None:
    """Return the file from which the tokens of a text encoder ("clip_l") can be counted; None: none comes with it."""
    name = _OF_ENCODER.get(text_encoder)
    if name is None:
        return None
    folder = tokenizer_folder(name)
    whole = folder / "tokenizer.json"
    return whole if whole.is_file() else folder / "vocab.json"
