"""Textual inversions: vectors that a model's text encoders read in the place of a word's tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from modules.engine.models.loaded_model import LoadedModel
from modules.engine.models.weights_file import read_weights
from modules.errors import ModelError

# Under what the vectors of each text encoder stand, where a file has some for two.
_OF_ENCODER: Mapping[str, str] = {
    "clip_l": "clip_l", "text_encoders_0": "clip_l", "clip_g": "clip_g", "text_encoders_1": "clip_g",
}  # fmt: skip
_OF_A1111 = "string_to_param"
_FOR_ANY = "emb_params"
_ENCODERS = ("text_encoder", "text_encoder_2")

# (count, width) each, by "clip_l" and "clip_g"; or one alone under "emb_params", for an encoder of its width.
Vectors = Mapping[str, torch.Tensor]


def read_vectors(path: Path, progress: Callable[[float], None]) -> Vectors:
    """Return what a file has in any of the forms that A1111, diffusers and trainers write; `progress` may raise.

    Raises:
        ModelError: it cannot be read, or is no textual inversion.
    """
    try:
        return vectors_of(read_weights(path, progress))
    except ValueError as error:
        raise ModelError(f"{path} {error}: use another file.") from error


def vectors_of(held: Mapping[str, Any]) -> Vectors:
    """Return the vectors among the tensors of a file, float32.

    Raises:
        ValueError: there are none, or they are no vectors; the message goes on after the file's name.
    """
    inner = held.get(_OF_A1111)
    if isinstance(inner, Mapping):
        held = {_FOR_ANY: next(iter(inner.values()), None)}
    elif f"{_OF_A1111}.*" in held:  # as it lies in the files of LoRAs
        held = {_FOR_ANY: held[f"{_OF_A1111}.*"]}
    tensors = {name: one for name, one in held.items() if isinstance(one, torch.Tensor) and one.is_floating_point()}
    for_encoders = {_OF_ENCODER[name]: one for name, one in tensors.items() if name in _OF_ENCODER}
    if not for_encoders and _FOR_ANY in tensors:
        for_encoders = {_FOR_ANY: tensors[_FOR_ANY]}
    if not for_encoders and len(tensors) == 1:
        for_encoders = {_FOR_ANY: next(iter(tensors.values()))}  # diffusers has it under the word
    if not for_encoders:
        raise ValueError("holds no textual inversion")
    vectors = {name: (one[None] if one.ndim == 1 else one).to(torch.float32) for name, one in for_encoders.items()}
    if any(one.ndim != 2 or not torch.isfinite(one).all() for one in vectors.values()):
        raise ValueError("holds no vectors of numbers")
    if len({len(one) for one in vectors.values()}) > 1:
        raise ValueError("has more vectors for one text encoder than for the other")
    return vectors


def by_encoder(vectors: Vectors, model: LoadedModel) -> dict[str, torch.Tensor]:
    """Return the vectors by the text encoder of a model that reads them.

    Raises:
        ValueError: they are of another width than its words, or there are none for one of its encoders; the message
            goes on after the word.
    """
    pipeline = model.pipeline
    widths = {
        name: encoder.config.hidden_size
        for name in _ENCODERS
        if (encoder := getattr(pipeline, name, None)) is not None and "CLIP" in type(encoder).__name__
    }
    if not widths:
        raise ValueError(f"is read as plain text: {model.key.path.name} reads no textual inversions")
    named = dict(zip(("clip_l", "clip_g") if len(widths) > 1 else (_alone(vectors, widths),), widths, strict=True))
    found = {encoder: vectors[name] for name, encoder in named.items() if name in vectors}
    for encoder, width in widths.items():
        if encoder not in found:
            raise ValueError(f"is read as plain text: it has no vectors for the {encoder} of {model.key.path.name}")
        if found[encoder].shape[1] != width:
            raise ValueError(
                f"is read as plain text: it has vectors of {found[encoder].shape[1]:,} numbers, and "
                f"{model.key.path.name} reads {width:,}"
            )
    return found


def _alone(vectors: Vectors, widths: Mapping[str, int]) -> str:
    """Return under what the vectors for the only text encoder of a model stand."""
    (width,) = widths.values()
    in_turn = [name for name in ("clip_l", _FOR_ANY, "clip_g") if name in vectors]
    return next((name for name in in_turn if vectors[name].shape[1] == width), in_turn[0])
