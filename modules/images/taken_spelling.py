"""What a picture's models read for its words, where they read other names for them today: the picture may differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from modules.images.models_by_name import find_model
from modules.jobs.models.checkpoint import Checkpoint
from modules.prompts.symbols import symbols_of


def changed_spelling(spelling: Mapping[str, str], checkpoints: Sequence[Checkpoint]) -> list[tuple[str, str, str]]:
    """Return what is told of models that a picture was drawn with, by these digests of their names, and why.

    Of one that is not here, or cannot be used, nothing is: that is told with the checkpoint.
    """
    left: list[tuple[str, str, str]] = []
    for name, digest in spelling.items():
        model = find_model(name, "", checkpoints)
        if model is None or model.problem is not None or symbols_of(model.path, model.stamp).digest == digest:
            continue
        why = (
            "reads other names for words of its prompts than when this picture was drawn (words.json and symbols.json "
            "in its folder), so that another picture may come of the same settings"
        )
        left.append(("Checkpoint", model.name, why))
    return left
