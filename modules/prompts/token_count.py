"""Count the tokens of a prompt as they are encoded: without what is syntax, and in chunks where the model has these."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from modules.prompts.attention import Break, pieces_of, text_without_weights
from modules.prompts.chunks import CHUNK_TOKENS, COMMA_BACKTRACK, Marks, Vectors, WeighedToken, chunks_of
from modules.prompts.comments import without_comments
from modules.prompts.meaning import meaning_of
from modules.prompts.token_names import TokenNames, names_by_tokens
from modules.prompts.tokens import token_ids

_STEPS = 20
_MOST_LETTERS = 20_000  # of one prompt; a key may be pressed each moment


class TokenCount(NamedTuple):
    """Tokens of a prompt, those of each chunk, and how many fit before another begins: "9 / 75".

    A chunk that others follow counts as full, as A1111 has it. A model without chunks has no `limit`: "9".
    """

    used: int
    limit: int | None = None
    chunks: tuple[int, ...] = ()

    def __str__(self) -> str:
        return str(self.used) if self.limit is None else f"{self.used} / {self.limit}"


@dataclass(frozen=True)
class Reading:
    """How a prompt is read: `chunked` by CLIP, which alone knows weights. `embeddings` are vectors by name.

    `spell_out` puts words in the place of characters; `steps` are those that a change waits for.
    """

    chunked: bool = True
    negative: bool = False
    comments: bool = True
    emphasis: str = "Original"
    comma_backtrack: int = COMMA_BACKTRACK
    old_editing: bool = False
    steps: int = _STEPS
    embeddings: Mapping[str, int] = field(default_factory=dict)
    spell_out: Callable[[str], str] = str


def count_tokens(tokenizer_file: Path, text: str, reading: Reading = Reading()) -> TokenCount:
    """Count the tokens of a prompt; of texts that take turns, or are added up, those of the longest.

    Raises:
        ModelError: the tokenizer's file cannot be read.
    """
    said = without_comments(text).strip() if reading.comments else text.strip()
    meaning = meaning_of(said, reading.steps, old=reading.old_editing, negative=reading.negative)
    texts = _longest(dict.fromkeys(stretch.text for prompt in meaning.prompts for stretch in prompt.schedule))
    if not reading.chunked:
        spoken = [reading.spell_out(text_without_weights(one)) for one in texts]
        return TokenCount(max(len(ids) for ids in token_ids(tokenizer_file, spoken)))
    names = names_by_tokens(tokenizer_file, tuple(reading.embeddings))
    counts = (_count(tokenizer_file, one, reading, names) for one in texts)
    return max(counts, key=lambda count: count.used)


def _longest(texts: Iterable[str]) -> list[str]:
    """Return the texts of which one has most tokens: all, or where these are very many letters the longest ones."""
    ordered = sorted(texts, key=len, reverse=True)
    sums = itertools.accumulate(len(text) for text in ordered)
    return [text for text, sum_ in zip(ordered, sums, strict=True) if text is ordered[0] or sum_ <= _MOST_LETTERS]


def _count(tokenizer_file: Path, text: str, reading: Reading, names: TokenNames) -> TokenCount:
    pieces = pieces_of(text, reading.emphasis)
    spoken = ["" if isinstance(piece, Break) else reading.spell_out(piece.text) for piece in pieces]
    *tokens, of_comma = token_ids(tokenizer_file, [*spoken, ","])
    units: list[WeighedToken | Break] = []
    for piece, ids in zip(pieces, tokens, strict=True):
        units += [piece] if isinstance(piece, Break) else _named(ids, names, reading.embeddings)
    marks = Marks(start=-1, end=-1, pad=-1, comma=of_comma[0] if len(of_comma) == 1 else None)
    chunks = tuple(chunk.used for chunk in chunks_of(units, marks, reading.comma_backtrack))
    return TokenCount(CHUNK_TOKENS * (len(chunks) - 1) + chunks[-1], CHUNK_TOKENS * len(chunks), chunks)


def _named(tokens: list[int], names: TokenNames, lengths: Mapping[str, int]) -> Iterator[WeighedToken]:
    """Yield tokens, with embeddings in the place of those that are their names."""
    place = 0
    while place < len(tokens):
        found = names.at(tokens, place)
        if found is None:
            yield WeighedToken(tokens[place])
            place += 1
        else:
            name, length = found
            yield WeighedToken(Vectors(name, lengths[name]))
            place += length
