"""How wide the words are that a model reads: what a LoRA or a textual inversion was made for has the same width."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.families import label_of
from modules.jobs.models.model_file import ModelFile
from modules.jobs.models.untrusted_file import read_object

# Of single files: what the text encoders of the family give, side by side.
_OF_FAMILY: Mapping[str, int] = {"sd1": 768, "sd2": 1024, "sdxl": 2048, "sdxl-refiner": 1280, "sd3": 2048}
_ENCODERS = ("text_encoder", "text_encoder_2")  # what a third one reads with, a T5, takes no textual inversions
# Families whose models take the LoRAs of another one too.
_TAKES: Mapping[str, tuple[str, ...]] = {"chroma": ("flux",)}


def takes_embeddings(checkpoint: Checkpoint) -> bool:
    """Tell whether a model's text encoders read vectors in place of words."""
    return checkpoint.family in _OF_FAMILY or (checkpoint.family == "" and checkpoint.kind == "folder")


def why_lora_does_not_fit(lora: ModelFile, checkpoint: Checkpoint) -> str | None:
    """Return for which models a LoRA is, where that is not this one; None: it may fit."""
    family, own = lora.family, checkpoint.family
    if family and own and family != own and family not in _TAKES.get(own, ()):
        return f"it is for {label_of(family)}, and {checkpoint.name} is {_label(checkpoint)}"
    width, needed = None if lora.network is None else lora.network.width, words_width(checkpoint)
    if width is not None and needed is not None and width != needed:
        return f"it is for words {width:,} numbers wide, and those of {checkpoint.name} are {needed:,}"
    return None


def why_embedding_does_not_fit(embedding: ModelFile, checkpoint: Checkpoint) -> str | None:
    """Return for which models a textual inversion is, where that is not this one; None: it may fit."""
    if not takes_embeddings(checkpoint):
        return f"{checkpoint.name} is {_label(checkpoint)}, which reads none"
    width, needed = None if embedding.network is None else embedding.network.width, vectors_width(checkpoint)
    if width is not None and needed is not None and width != needed:
        what = f"it is for {label_of(embedding.family)}, with" if embedding.family else "it has"
        return f"{what} vectors of {width:,} numbers, and {checkpoint.name} reads {needed:,}"
    return None


def words_width(checkpoint: Checkpoint) -> int | None:
    """Return how wide the words are that the cross attention of a UNet is given; None: that is not known."""
    if checkpoint.kind == "file":
        return _OF_FAMILY.get(checkpoint.family) if checkpoint.family != "sd3" else None
    return _side(_config(checkpoint.path / "unet", checkpoint.stamp), "cross_attention_dim")


def vectors_width(checkpoint: Checkpoint) -> int | None:
    """Return how wide the vectors of one token are in all text encoders together; None: that is not known."""
    if checkpoint.kind == "file":
        return _OF_FAMILY.get(checkpoint.family)
    sides = (_side(_config(checkpoint.path / name, checkpoint.stamp), "hidden_size") for name in _ENCODERS)
    known = [side for side in sides if side is not None]
    return sum(known) or None


def _label(checkpoint: Checkpoint) -> str:
    return label_of(checkpoint.family, checkpoint.variant) or "of a kind that is not known"


def _side(config: Mapping[str, Any], name: str) -> int | None:
    value = config.get(name)
    return value if type(value) is int else None


@functools.lru_cache(maxsize=256)
def _config(folder: Path, _stamp: str) -> Mapping[str, Any]:
    try:
        return read_object(folder / "config.json")
    except (OSError, ValueError):
        return {}
