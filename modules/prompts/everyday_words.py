"""Read everyday words as the names that a model was trained on: "a cup of coffee" as "a cup of hot beverage".

A model's folder may say them in `words.json`, {"coffee": "hot beverage"}. A text is read in parts, as punctuation and
words such as "and" cut it. A part that holds a name, which the file maps to itself, is left as it is: "a sad robot" is
a robot, and so is a sad 🤖. Of any other, the last word that the file has is read as its name: a thing comes after what
is said of it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from modules.jobs.models.untrusted_file import read_object

FILE = "words.json"

_LONGEST = 200
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_SYMBOLS_FROM = "\u203c"  # What lies behind the punctuation of Europe: emoji, which are names too.
_CUTS = frozenset(
    ("and", "or", "with", "without", "on", "in", "at", "by", "under", "above", "below", "beside", "behind", "over")
)


@dataclass(frozen=True)
class _Found:
    """A text that the file knows, where it stands in what was typed, and the name that it stands for."""

    start: int
    end: int
    text: str
    name: str


class EverydayWords:
    """The names that words stand for."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = dict(names)
        self._longest = max((text.count(" ") + 1 for text in names), default=0)

    @property
    def names(self) -> Mapping[str, str]:
        """The names by the words that stand for them."""
        return self._names

    def spell_out(self, text: str, kept: Collection[str] = ()) -> str:
        """Return the text with names in the place of words; those of `kept` (embeddings) mean themselves."""
        if not self._names:
            return text
        spelled, place = "", 0
        for part in self._parts(text, frozenset(map(str.lower, kept))):
            if all(found.text != found.name for found in part):
                spelled += text[place : part[-1].start] + part[-1].name
                place = part[-1].end
        return spelled + text[place:]

    def _parts(self, text: str, kept: frozenset[str]) -> list[list[_Found]]:
        """Return what the file knows of each part of a text, in its order; without parts of which it knows nothing."""
        words = list(_WORD.finditer(text))
        parts: list[list[_Found]] = [[]]
        number = place = 0
        while number < len(words):
            _look_between(text, place, words[number].start(), parts)
            count, found = self._match(text, words, number)
            typed = words[number][0]
            if typed.lower() in kept:
                count, found = 1, _Found(*words[number].span(), typed, typed)
            if found is not None:
                parts[-1].append(found)
            elif typed.lower() in _CUTS:
                parts.append([])
            number += count
            place = words[number - 1].end()
        _look_between(text, place, len(text), parts)
        return [part for part in parts if part]

    def _match(self, text: str, words: list[re.Match[str]], number: int) -> tuple[int, _Found | None]:
        """Return the longest run of words from `number` on that the file knows, and of how many words it is."""
        start = words[number].start()
        for count in range(min(self._longest, len(words) - number), 0, -1):
            end = words[number + count - 1].end()
            typed = text[start:end].lower() if end - start <= _LONGEST else ""
            if typed in self._names:
                return count, _Found(start, end, typed, self._names[typed])
        return 1, None


def _look_between(text: str, start: int, end: int, parts: list[list[_Found]]) -> None:
    """Begin a new part after punctuation; a symbol is a name in its part, of which one says all."""
    for place in range(start, end):
        character = text[place]
        if character >= _SYMBOLS_FROM:
            if not parts[-1] or parts[-1][-1].text < _SYMBOLS_FROM:
                parts[-1].append(_Found(place, place + 1, character, character))
        elif character != " ":
            parts.append([])


NO_WORDS = EverydayWords({})


def read_words(folder: Path) -> EverydayWords:
    """Return what a model's folder says of words; nothing where it says nothing.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is damaged; the message goes on after the file's name.
    """
    try:
        names = read_object(folder / FILE)
    except FileNotFoundError:
        return NO_WORDS
    for text, name in names.items():
        if not isinstance(name, str) or not 0 < len(text) <= _LONGEST or not 0 < len(name) <= _LONGEST:
            raise ValueError(f"has no name for {text[:_LONGEST]!r}")
    return EverydayWords(names)
