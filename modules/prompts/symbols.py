"""Put words in the place of characters that a model knows by name: it was trained on "unicorn", not on 🦄.

A model's folder may say them in `symbols.json`, {"🦄": "unicorn"}. Prompt and infotext stay as they were typed; what
the text encoder reads is spelled out, and so is what the token counter counts.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path

from modules.jobs.models.untrusted_file import read_object
from modules.prompts.everyday_words import NO_WORDS, EverydayWords, read_words

FILE = "symbols.json"

_LONGEST_SYMBOL = 40
_LONGEST_NAME = 200
_SPELLED_AT_MOST = 500  # in one text, so that a text of nothing else does not become a book
_LOOKS = {0xFE0E: None, 0xFE0F: None}  # Whether a character is shown in colour or as text is no matter here.
_JOINER = "\u200d"
_TONES = frozenset(map(chr, range(0x1F3FB, 0x1F400)))
_DIGEST_LENGTH = 10  # hexadecimal digits, as of a model in an infotext


class Symbols:
    """The names of characters. A skin tone that has no name with its character is added to the name without it."""

    def __init__(self, names: Mapping[str, str], words: EverydayWords = NO_WORDS) -> None:
        self._words = words
        self._names = {symbol.translate(_LOOKS): name for symbol, name in names.items()}
        self._longest: dict[str, int] = {}  # of those that begin with a character, with a tone behind each
        for symbol in filter(None, self._names):
            self._longest[symbol[0]] = max(2 * len(symbol), self._longest.get(symbol[0], 0))

    @functools.cached_property
    def digest(self) -> str:
        """What tells these names, of characters and of words, from others; "" where there are none."""
        if not self._names and not self._words.names:
            return ""
        said = json.dumps([self._names, dict(self._words.names)], sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()[:_DIGEST_LENGTH]

    def spell_out(self, text: str, kept: Collection[str] = ()) -> str:
        """Return the text with names in the place of characters and of everyday words but those of `kept`.

        Characters that follow each other stand in a list.
        """
        return self._without_symbols(self._words.spell_out(text, kept))

    def _without_symbols(self, text: str) -> str:
        if self._longest.keys().isdisjoint(text):
            return text
        text = text.translate(_LOOKS)
        spelled, place, found, after_symbol = "", 0, 0, False
        while place < len(text):
            if found == _SPELLED_AT_MOST:
                return _beside(spelled, text[place:])
            length, name = self._match(text, place)
            if length:
                spelled = f"{spelled.rstrip()}, {name}" if after_symbol else _beside(spelled, name)
                place, found, after_symbol = place + length, found + 1, True
                continue
            character = text[place]
            place += 1
            if after_symbol and character in (_JOINER, " "):
                spelled += " " * (character == " ")
                continue
            spelled = _beside(spelled, character) if after_symbol else spelled + character
            after_symbol = False
        return spelled

    def _match(self, text: str, place: int) -> tuple[int, str]:
        """Return length and name of the longest sequence that begins at `place`; (0, "") where none does."""
        for length in range(min(self._longest.get(text[place], 0), len(text) - place), 0, -1):
            piece = text[place : place + length]
            if piece in self._names:
                return length, self._names[piece]
            tones = dict.fromkeys(character for character in piece if character in _TONES)
            bare = "".join(character for character in piece if character not in _TONES)
            if tones and bare in self._names:
                return length, ", ".join(
                    [self._names[bare], *(self._names[one] for one in tones if one in self._names)]
                )
        return 0, ""


NO_SYMBOLS = Symbols({})


def read_symbols(folder: Path) -> Symbols:
    """Return what a model's folder says of characters and of words (`everyday_words.py`).

    Raises:
        OSError: the file of characters cannot be read.
        ValueError: it is damaged; the message goes on after the file's name.
    """
    try:
        names = read_object(folder / FILE)
    except FileNotFoundError:
        names = {}
    for symbol, name in names.items():
        if not isinstance(name, str) or not 0 < len(symbol) <= _LONGEST_SYMBOL or not 0 < len(name) <= _LONGEST_NAME:
            raise ValueError(f"has no name for {symbol[:_LONGEST_SYMBOL]!r}")
    return Symbols(names, _words_of(folder))


def _words_of(folder: Path) -> EverydayWords:
    """Return what the folder says of words; nothing where that file is damaged, which the list of models tells."""
    try:
        return read_words(folder)
    except (OSError, ValueError):
        return NO_WORDS


@functools.lru_cache(maxsize=8)
def symbols_of(folder: Path, _stamp: str) -> Symbols:
    """Return the same as `read_symbols`, read once for each state of the folder; nothing where the file is damaged."""
    try:
        return read_symbols(folder)
    except (OSError, ValueError):
        return NO_SYMBOLS


def _beside(before: str, after: str) -> str:
    """Join two texts so that the last word of one and the first of the other stay two words."""
    apart = bool(before) and before[-1].isalnum() and after[:1].isalnum()
    return f"{before} {after}" if apart else before + after
