"""Prompts for text encoders that know no weights, as T5 and language models: what they read, and what is lost."""

from __future__ import annotations

from collections.abc import Iterable

from modules.prompts.attention import Break, Piece, pieces_of
from modules.prompts.meaning import Meaning

_PARTS_SHOWN = 5
_LONGEST_SHOWN = 40


def text_without_weights(text: str) -> str:
    """Return the words of a prompt, without weights, escapes and BREAK, which becomes a space."""
    return "".join(" " if isinstance(piece, Break) else piece.text for piece in pieces_of(text))


def describe_lost_weights(meanings: Iterable[Meaning]) -> str | None:
    """Return what people are told of weights that such an encoder does not read; None: there are none."""
    lost: dict[str, None] = {}
    for text in dict.fromkeys(
        stretch.text for meaning in meanings for prompt in meaning.prompts for stretch in prompt.schedule
    ):
        for piece in pieces_of(text):
            if isinstance(piece, Break):
                lost["BREAK"] = None
            elif piece.weight != 1 and piece.text.strip():
                lost[_shown(piece)] = None
    if not lost:
        return None
    shown = ", ".join(list(lost)[:_PARTS_SHOWN])
    more = f" and {len(lost) - _PARTS_SHOWN} more" if len(lost) > _PARTS_SHOWN else ""
    return f"This model's text encoder takes no weights, so these words count as all others: {shown}{more}."


def _shown(piece: Piece) -> str:
    text = piece.text.strip(" ,\n")
    text = text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"
    return f"{text} ({piece.weight:.4g})"
