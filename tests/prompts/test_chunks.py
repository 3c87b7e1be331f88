"""Tokens go into chunks of 75, and what follows a comma near the end goes into the next one whole."""

from __future__ import annotations

from modules.prompts.attention import Break
from modules.prompts.chunks import Chunk, Marks, PlacedVectors, Vectors, WeighedToken, chunks_of

COMMA = 267
MARKS = Marks(start=49406, end=49407, pad=0, comma=COMMA)


def words(count: int, token: int = 5) -> list[WeighedToken | Break]:
    return [WeighedToken(token)] * count


def said(chunk: Chunk) -> tuple[int, ...]:
    assert (chunk.ids[0], chunk.ids[chunk.used + 1]) == (MARKS.start, MARKS.end)
    assert set(chunk.ids[chunk.used + 2 :]) <= {MARKS.pad}
    assert len(chunk.ids) == len(chunk.weights) == 77
    return chunk.ids[1 : chunk.used + 1]


def used(tokens: list[WeighedToken | Break], backtrack: int = 20) -> list[int]:
    return [len(said(chunk)) for chunk in chunks_of(tokens, MARKS, backtrack)]


def test_a_prompt_has_at_least_one_chunk() -> None:
    (chunk,) = chunks_of([], MARKS)
    assert chunk == Chunk((MARKS.start, MARKS.end, *[MARKS.pad] * 75), (1.0,) * 77, (), 0)
    assert used(words(75)) == [75]
    assert used(words(76)) == [75, 1]
    assert used(words(150)) == [75, 75]


def test_weights_stand_beside_their_tokens() -> None:
    (chunk,) = chunks_of([WeighedToken(7, 1.3), WeighedToken(8, 0.5)], MARKS)
    assert said(chunk) == (7, 8)
    assert chunk.weights == (1.0, 1.3, 0.5, *[1.0] * 74)


def test_break_ends_a_chunk_and_counts_nothing_at_the_end() -> None:
    assert used([*words(3), Break(), *words(4)]) == [3, 4]
    assert used([*words(3), Break()]) == [3]
    assert used([Break()]) == [0]
    assert used([Break(), Break(), *words(1)]) == [0, 0, 1]


def test_what_follows_a_comma_near_the_end_goes_on_in_the_next_chunk() -> None:
    comma = [WeighedToken(COMMA)]
    assert used([*words(55), *comma, *words(19), *words(1)]) == [56, 20]  # the comma is the 20th from the end
    assert used([*words(54), *comma, *words(20), *words(1)]) == [75, 1]
    assert used([*words(55), *comma, *words(20)], backtrack=0) == [75, 1]
    assert used([*words(60), *comma, *words(14), *words(1)], backtrack=15) == [61, 15]
    assert used([*words(59), *comma, *words(15), *words(1)], backtrack=15) == [75, 1]
    assert used([*words(60), *comma, *words(14)]) == [75]  # it fits
    # A comma that is itself too much begins the next chunk, and is no place to break at.
    assert used([*words(75), *comma, *words(75)]) == [75, 75, 1]
    assert used([*words(60), *comma, *words(14), *comma, *words(1)]) == [75, 2]
    # Weights go along.
    chunks = chunks_of([*words(60), *comma, *[WeighedToken(9, 1.5)] * 15], MARKS)
    assert (said(chunks[1]), chunks[1].weights) == ((9,) * 15, (1.0, *[1.5] * 15, *[1.0] * 61))
    assert chunks[0].weights == (1.0,) * 77


def test_embeddings_take_their_vectors_and_are_never_split() -> None:
    style = Vectors("style", 8)
    first, second = chunks_of([*words(70), WeighedToken(style, 1.2), *words(1)], MARKS)
    assert said(first) == (5,) * 70
    assert first.embeddings == ()
    assert said(second) == (*[0] * 8, 5)
    assert second.embeddings == (PlacedVectors(1, style),)
    assert second.weights[:10] == (1.0, *[1.2] * 8, 1.0)
    (whole,) = chunks_of([*words(67), WeighedToken(style)], MARKS)
    assert whole.embeddings == (PlacedVectors(68, style),)
    # It goes along with what follows a comma.
    first, second = chunks_of([*words(60), WeighedToken(COMMA), *words(2), WeighedToken(style), *words(5)], MARKS)
    assert (first.used, first.embeddings, second.embeddings) == (61, (), (PlacedVectors(3, style),))
    (huge,) = chunks_of([WeighedToken(Vectors("huge", 100))], MARKS)
    assert (huge.used, huge.embeddings) == (75, (PlacedVectors(1, Vectors("huge", 100)),))
