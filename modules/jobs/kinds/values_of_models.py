"""A model as a picture's file and its infotext name it."""

from __future__ import annotations

from typing import Any

from modules.jobs.kinds.base import Saving, Source


def beside(name: str, checkpoint: Source) -> dict[str, Any]:
    """Return the files beside a model that it is drawn with, where there are any."""
    if not checkpoint.parts:
        return {}
    return {name: {part: {"name": file.name, "hash": file.hash} for part, file in checkpoint.parts.items()}}


def titled(model: Source, saving: Saving) -> str | None:
    """Return a model's name and short hash, as far as the settings want models told; None: not at all."""
    name = model.name if saving.add_model_name_to_info else ""
    digest = f"[{model.short_hash}]" if saving.add_model_hash_to_info else ""
    return f"{name} {digest}".strip() or None
