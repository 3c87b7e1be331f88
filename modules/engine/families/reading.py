"""How the words of a prompt are read: by which syntax, and with which embeddings."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import torch

from modules.jobs.kinds.base import Emphasis, Syntax
from modules.prompts.attention import Break, Piece, pieces_of
from modules.prompts.chunks import COMMA_BACKTRACK
from modules.prompts.symbols import NO_SYMBOLS, Symbols


class Text(NamedTuple):
    """What a prompt says for some steps, and all that it says in the course of them: CLIP weighs that as one."""

    said: str
    among: tuple[str, ...] = ()

    @property
    def together(self) -> tuple[str, ...]:
        """All texts that are weighed with this one, and it."""
        return self.among or (self.said,)


# One for all pictures that are drawn at once, or one for each of them.
Texts = tuple[Text, ...]


def as_many(prompts: Texts, negative_prompts: Texts) -> tuple[Texts, Texts]:
    """Return both with as many texts: where one of them has one for all pictures, it is that of each."""
    count = max(len(prompts), len(negative_prompts))
    return prompts * (count // len(prompts)), negative_prompts * (count // len(negative_prompts))


@dataclass(frozen=True, eq=False)
class Embedding:
    """A textual inversion: vectors that stand in the place of a word's tokens.

    `vectors` by the name of the text encoder in the pipeline ("text_encoder_2"), (count, width) each, and as many for
    all; an encoder that is not there reads the word as it is written. `hash` tells it from another of the same name.
    """

    hash: str
    vectors: Mapping[str, torch.Tensor]

    @property
    def length(self) -> int:
        """How many tokens it takes."""
        return max(len(one) for one in self.vectors.values())


@dataclass(frozen=True)
class Reading:
    """How words are read. `syntax`, `emphasis` and `comma_backtrack` are those of a job's words.

    `symbols` are what the model reads for characters, and `embeddings` what stands for words.
    """

    syntax: Syntax = "plain"
    emphasis: Emphasis = "Original"
    comma_backtrack: int = COMMA_BACKTRACK
    symbols: Symbols = NO_SYMBOLS
    embeddings: Mapping[str, Embedding] = field(default_factory=dict)

    @property
    def key(self) -> Hashable:
        """What tells apart how the same text is read, by one model."""
        embeddings = tuple(sorted((word, one.hash) for word, one in self.embeddings.items()))
        return self.syntax, self.emphasis, self.comma_backtrack, embeddings

    def pieces(self, text: str) -> tuple[Piece | Break, ...]:
        """Return the parts of a text with their weights."""
        if self.syntax == "plain":
            return (Piece(self.symbols.spell_out(text, self.embeddings)),)
        return tuple(
            one if isinstance(one, Break) else one._replace(text=self.symbols.spell_out(one.text, self.embeddings))
            for one in pieces_of(text, self.emphasis)
        )

    def words_alone(self, text: str) -> str:
        """Return a text without weights and breaks, for text encoders that take none."""
        return "".join(" " if isinstance(one, Break) else one.text for one in self.pieces(text))

    def has_weights(self, text: str) -> bool:
        """Tell whether some words of a text count more or less than others."""
        return any(not isinstance(one, Break) and one.weight != 1 for one in self.pieces(text))
