"""Texts beside pictures: broken into lines, and as small as they must be to fit."""

from __future__ import annotations

import functools
import re
import unicodedata
from dataclasses import dataclass

from PIL import Image, ImageDraw

from modules.images.fonts import Font, font_file_for, font_of

SMALLEST = 6  # pixels; smaller letters are a grey line
_MOST_CHARACTERS = 400  # of a text; a whole prompt would leave no room for pictures
_SHRINKS_BY = 0.85
_LINE_HEIGHT = 1.3  # of the letters' size
_WHOLE_WORDS_UNTIL = 0.7  # of the size that letters are to have
_LETTERS_KEPT = 5000  # of a font
_JOINT = re.compile(r"(?<=[_./\\-])")
_MORE = "…"


class Ruler:
    """Tells how long texts are in a font, letter by letter: a thousand legends are broken in many ways until they fit.

    Letters that are drawn closer together or as one are a little shorter than that.
    """

    def __init__(self, font: Font) -> None:
        self._font = font
        self._lengths: dict[str, float] = {}

    def length(self, text: str) -> float:
        """Return how many pixels a text takes on one line."""
        return sum(map(self._of_letter, text))

    def _of_letter(self, letter: str) -> float:
        length = self._lengths.get(letter)
        if length is None:
            if len(self._lengths) >= _LETTERS_KEPT:
                self._lengths.clear()
            length = self._lengths[letter] = self._font.getlength(letter)
        return length


@functools.lru_cache(maxsize=64)
def ruler_of(size: int, path: str = "") -> Ruler:
    """Return what measures texts in `font_of` the same."""
    return Ruler(font_of(size, path))


@dataclass(frozen=True)
class Legend:
    """A text in lines that fit a width, in letters of so many pixels."""

    lines: tuple[str, ...]
    size: int
    font_file: str = ""

    @property
    def height(self) -> int:
        """How many pixels its lines take; 0 without a text."""
        return round(len(self.lines) * self.size * _LINE_HEIGHT)

    @functools.cached_property
    def width(self) -> int:
        """How many pixels its longest line takes."""
        return round(max(map(ruler_of(self.size, self.font_file).length, self.lines), default=0.0))

    def draw(self, sheet: Image.Image, box: tuple[int, int, int, int], colour: str) -> None:
        """Write it into the middle of a box (left, top, width, height)."""
        left, top, width, height = box
        font, drawing = font_of(self.size, self.font_file), ImageDraw.Draw(sheet)
        y = top + (height - self.height) / 2
        for line in self.lines:
            x = left + (width - font.getlength(line)) / 2
            drawing.text((round(x), round(y)), line, fill=colour, font=font)
            y += self.size * _LINE_HEIGHT


def legend(text: str, size: int, width: int, height: int, font_file: str = "") -> Legend:
    """Return a text in a box of so many pixels: letters of `size`, or smaller ones until it fits.

    Words stay whole as long as letters are not much smaller. What does not fit even so is cut off. A font of this
    machine takes the place of one that lacks letters of the text.
    """
    words = unicodedata.normalize("NFC", " ".join(text[:_MOST_CHARACTERS].split()))
    if not words:
        return Legend((), size, font_file)
    font_file = font_file_for(words, font_file)
    largest = size
    while True:
        is_small = size <= max(SMALLEST, largest * _WHOLE_WORDS_UNTIL)
        made = Legend(tuple(_lines(words, ruler_of(size, font_file), width, is_small)), size, font_file)
        if size <= SMALLEST or (made.height <= height and made.width <= width):
            break
        size = max(SMALLEST, int(size * _SHRINKS_BY))
    room = max(1, int(height / (size * _LINE_HEIGHT)))
    if len(made.lines) <= room:
        return made
    return Legend((*made.lines[: room - 1], made.lines[room - 1][:-1] + _MORE), size, font_file)


def _lines(text: str, ruler: Ruler, width: int, breaks_words: bool) -> list[str]:
    """Break a text at its spaces, and words that are longer than a line where names have a joint, or anywhere."""
    lines: list[str] = [""]
    used = 0.0
    for word in text.split(" "):
        more = f" {word}" if lines[-1] else word
        length = ruler.length(more)
        if used + length <= width:
            lines[-1] += more
            used += length
            continue
        pieces = _broken(word, ruler, width) if breaks_words else [word]
        lines[-1:] = [lines[-1], *pieces] if lines[-1] else pieces
        used = ruler.length(lines[-1])
    return lines


def _broken(word: str, ruler: Ruler, width: int) -> list[str]:
    """Return the pieces of a word that each fit a line; a letter at least."""
    pieces = [""]
    used = 0.0
    for part in _JOINT.split(word):
        for piece in [part] if ruler.length(part) <= width else part:
            length = ruler.length(piece)
            if pieces[-1] and used + length > width:
                pieces.append("")
                used = 0.0
            pieces[-1] += piece
            used += length
    return pieces
