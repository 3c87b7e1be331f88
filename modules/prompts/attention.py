"""Weights of words: `(more)`, `(more:1.3)`, `[less]`, by A1111's rules."""

from __future__ import annotations

import functools
import itertools
import re
from dataclasses import dataclass
from typing import NamedTuple

DEEPEST = 50
"""Brackets of a kind that count within each other; those within more weigh nothing. (1.1 to the 50th is 117.)"""
LARGEST_WEIGHT = 1e6
"""A written weight that is beyond it is taken as so much."""

_MORE = 1.1
_LESS = 1 / 1.1
_TOKEN = re.compile(
    r"""\\[\\()[\]]?               # a letter that means itself
    | :\s*([+-]?[.0-9]+)\s*\)      # the weight at the end of a bracket
    | [][()]
    | [^][()\\:]+
    | :
    """,
    re.VERBOSE,
)
_BREAK_WORD = re.compile(r"\bBREAK\b")
_BREAK = "BREAK"
_BREAK_WEIGHT = -1.0


class Piece(NamedTuple):
    """A part of a prompt, and the weight of its tokens."""

    text: str
    weight: float = 1.0


@dataclass(frozen=True)
class Break:
    """The word BREAK: what follows begins a new chunk of tokens."""


@functools.lru_cache(maxsize=128)
def pieces_of(text: str, emphasis: str = "Original") -> tuple[Piece | Break, ...]:
    """Return the parts of a prompt with their weights, in order; none of them is empty.

    `emphasis` is A1111's mode. "None" takes brackets, backslashes and BREAK as text; "Ignore" reads them and gives
    weight 1 to all; what "Original" and "No norm" make of the embeddings is no matter here. Brackets that do not close
    count to the end of the prompt. A BREAK in weighed brackets is a word, as in A1111. Never fails; linear in the
    text's length.
    """
    if emphasis == "None":
        return (Piece(text),) if text else ()
    reader = _Reader()
    for token in _TOKEN.finditer(text):
        reader.read(token[0], token[1])
    pieces: list[Piece | Break] = []
    for said, weight in reader.end():
        if said == _BREAK and weight == _BREAK_WEIGHT:
            pieces.append(Break())
        elif said:
            pieces.append(Piece(said, 1.0 if emphasis == "Ignore" else weight))
    return tuple(pieces)


def text_without_weights(text: str) -> str:
    """Return the words of a prompt alone, for encoders that know no weights; BREAK becomes a space."""
    return "".join(" " if isinstance(piece, Break) else piece.text for piece in pieces_of(text))


class _Reader:
    """Reads a prompt from left to right; weights are multiplied in the order in which brackets close.

    Where a bracket opens, the number of parts before it is remembered; None: it is too deep to count.
    """

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._weights: list[float] = []
        self._open: dict[str, list[int | None]] = {"(": [], "[": []}

    def read(self, token: str, weight: str | None) -> None:
        """Take the next token, with the number in it if it has one."""
        if token in self._open:
            brackets = self._open[token]
            brackets.append(len(self._texts) if len(brackets) < DEEPEST else None)
        elif token.startswith("\\"):
            self._add(token[1:], 1.0)
        elif weight is not None and self._open["("]:
            multiplier = _number(weight)
            if multiplier is None:
                self._add_words(token[:-1])
            self._close("(", _MORE if multiplier is None else multiplier)
        elif token == ")" and self._open["("]:
            self._close("(", _MORE)
        elif token == "]" and self._open["["]:
            self._close("[", _LESS)
        else:
            self._add_words(token)

    def end(self) -> list[tuple[str, float]]:
        """Return the parts; those of one weight that follow each other are one, and a BREAK has weight -1."""
        for opening, multiplier in (("(", _MORE), ("[", _LESS)):
            for start in self._open[opening]:
                self._multiply(start, multiplier)
        runs = itertools.groupby(zip(self._weights, self._texts, strict=True), key=lambda part: part[0])
        return [("".join(text for _, text in run), weight) for weight, run in runs]

    def _add(self, text: str, weight: float) -> None:
        self._texts.append(text)
        self._weights.append(weight)

    def _add_words(self, text: str) -> None:
        if _BREAK not in text:
            self._add(text, 1.0)
            return
        first, *others = _BREAK_WORD.split(text)
        self._add(first.rstrip() if others else first, 1.0)
        for number, other in enumerate(others, start=1):
            self._add(_BREAK, _BREAK_WEIGHT)
            self._add(other.lstrip() if number == len(others) else other.strip(), 1.0)

    def _close(self, opening: str, multiplier: float) -> None:
        self._multiply(self._open[opening].pop(), multiplier)

    def _multiply(self, start: int | None, multiplier: float) -> None:
        if start is not None:
            self._weights[start:] = [weight * multiplier for weight in self._weights[start:]]


def _number(text: str) -> float | None:
    """Return a written weight, within what can be counted with; None: it is no number (1.2.3)."""
    try:
        return min(max(float(text), -LARGEST_WEIGHT), LARGEST_WEIGHT)
    except ValueError:
        return None
