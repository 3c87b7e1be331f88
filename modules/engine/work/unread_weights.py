"""What people are told of weights in prompts where the model takes none."""

from __future__ import annotations

from collections.abc import Iterator

from modules.engine.models.loaded_model import LoadedModel
from modules.engine.work.wording import Wording
from modules.jobs.kinds.base import Words
from modules.prompts.attention import Break, pieces_of

_PARTS_SHOWN = 5
_LONGEST_SHOWN = 40


def describe_unread_weights(model: LoadedModel, wording: Wording, words: Words) -> str | None:
    """Return what to tell of words that are to count more or less than others; None: there are none, or they do."""
    if words.syntax == "plain" or model.family.takes_weights:
        return None
    parts = list(dict.fromkeys(_weighed_parts(wording, words)))
    if not parts:
        return None
    shown = ", ".join(parts[:_PARTS_SHOWN])
    more = f" and {len(parts) - _PARTS_SHOWN} more" if len(parts) > _PARTS_SHOWN else ""
    return f"{model.key.path.name} takes no weights, so these words count as much as all others: {shown}{more}."


def _weighed_parts(wording: Wording, words: Words) -> Iterator[str]:
    for _until, scene in wording.scenes:
        for texts in (*scene.prompts, scene.negatives):
            for text in texts:
                for piece in pieces_of(text.said, words.emphasis):
                    if not isinstance(piece, Break) and piece.weight != 1 and (said := piece.text.strip(" ,")):
                        yield said if len(said) <= _LONGEST_SHOWN else said[: _LONGEST_SHOWN - 1] + "…"
