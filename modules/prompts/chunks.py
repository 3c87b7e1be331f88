"""Cut the tokens of a prompt into the chunks that CLIP takes, as A1111 does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from modules.prompts.attention import Break

CHUNK_TOKENS = 75
"""What CLIP takes at once, without its start and end marks."""
COMMA_BACKTRACK = 20
"""A1111's setting `comma_padding_backtrack`, as it comes."""


class Vectors(NamedTuple):
    """An embedding in the place of tokens: its name, and how many vectors it has."""

    name: str
    length: int


class WeighedToken(NamedTuple):
    """A token's id, or an embedding, and its weight."""

    token: int | Vectors
    weight: float = 1.0


class Marks(NamedTuple):
    """Ids of a tokenizer: start, end, what fills up a chunk after the end, and the comma; None: it has no comma."""

    start: int
    end: int
    pad: int
    comma: int | None


class PlacedVectors(NamedTuple):
    """An embedding within a chunk; `at` counts from the start mark, which is 0."""

    at: int
    vectors: Vectors


class Chunk(NamedTuple):
    """What CLIP reads at once: ids and weights, 77 each with the marks. `used` are the tokens between these.

    Where an embedding is placed the ids are 0.
    """

    ids: tuple[int, ...]
    weights: tuple[float, ...]
    embeddings: tuple[PlacedVectors, ...]
    used: int


def chunks_of(
    tokens: Iterable[WeighedToken | Break], marks: Marks, backtrack: int = COMMA_BACKTRACK
) -> tuple[Chunk, ...]:
    """Return the chunks of a prompt's tokens, at least one.

    If a chunk is full and a comma is among its last `backtrack` tokens, what follows the comma goes into the next one;
    0: never. An embedding goes whole into the next chunk where it does not fit; of one with more vectors than a chunk
    takes, the first 75 are used. A BREAK ends a chunk, even an empty one; at the end of a prompt it does nothing more.
    """
    chunks: list[Chunk] = []
    slots: list[_Slot] = []
    comma: int | None = None  # where the last comma stands among the slots

    def next_chunk(slots_of_next: list[_Slot]) -> None:
        nonlocal slots, comma
        chunks.append(_closed(slots, marks))
        slots, comma = slots_of_next, None

    for token in tokens:
        if isinstance(token, Break):
            next_chunk([])
            continue
        what, weight = token
        full = len(slots) == CHUNK_TOKENS
        if full and what != marks.comma and comma is not None and len(slots) - comma <= backtrack:
            following = slots[comma + 1 :]
            del slots[comma + 1 :]
            next_chunk(following)
        count = min(what.length, CHUNK_TOKENS) if isinstance(what, Vectors) else 1
        if len(slots) + count > CHUNK_TOKENS:
            next_chunk([])
        elif what == marks.comma:  # one that begins a chunk because it did not fit is no place to break at
            comma = len(slots)
        slots += [(what, weight), *[(None, weight)] * (count - 1)]
    if slots or not chunks:
        next_chunk([])
    return tuple(chunks)


_Slot: TypeAlias = "tuple[int | Vectors | None, float]"  # None: the vector of an embedding that began before


def _closed(slots: list[_Slot], marks: Marks) -> Chunk:
    free = CHUNK_TOKENS - len(slots)
    ids = [what if isinstance(what, int) else 0 for what, _ in slots]
    return Chunk(
        (marks.start, *ids, marks.end, *[marks.pad] * free),
        (1.0, *(weight for _, weight in slots), *[1.0] * (free + 1)),
        tuple(PlacedVectors(at, what) for at, (what, _) in enumerate(slots, start=1) if isinstance(what, Vectors)),
        len(slots),
    )
