"""Texts beside pictures: broken into lines, and as small as they must be to fit."""

from __future__ import annotations

import functools
import itertools
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from modules.images.fonts import Font, font_files_for, font_of, has_letter

SMALLEST = 6  # pixels; smaller letters are a grey line
_MOST_CHARACTERS = 400  # of a text; a whole prompt would leave no room for pictures
_SHRINKS_BY = 0.85
_LINE_HEIGHT = 1.3  # of the letters' size
_WHOLE_WORDS_UNTIL = 0.7  # of the size that letters are to have
_LETTERS_KEPT = 5000  # of a font
_JOINT = re.compile(r"(?<=[_./\\-])")
_LOOKS = re.compile("[\ufe0e\ufe0f]")  # says of the letter before it whether it is a picture, and is drawn by no font
_MORE = "…"


class Ruler:
    """Tells how long texts are, letter by letter: a thousand legends are broken in many ways until they fit.

    A letter is written in the first of the `files` of fonts that has it. Letters that are drawn closer together or as
    one are a little shorter than that.
    """

    def __init__(self, size: int, files: Sequence[str]) -> None:
        self._files = files
        self._fonts = [font_of(size, file) for file in files]
        self._lengths: dict[str, float] = {}

    def runs(self, text: str) -> Iterator[tuple[str, Font]]:
        """Yield the parts of a text that are written in one font, with that font."""
        for font, letters in itertools.groupby(text, self._font_of):
            yield "".join(letters), font

    def length(self, text: str) -> float:
        """Return how many pixels a text takes on one line."""
        return sum(map(self._of_letter, text))

    def _of_letter(self, letter: str) -> float:
        length = self._lengths.get(letter)
        if length is None:
            if len(self._lengths) >= _LETTERS_KEPT:
                self._lengths.clear()
            length = self._lengths[letter] = self._measured(letter)
        return length

    def _measured(self, letter: str) -> float:
        return self._font_of(letter).getlength(letter)

    def _font_of(self, letter: str) -> Font:
        if len(self._fonts) == 1:
            return self._fonts[0]
        having = (font for file, font in zip(self._files, self._fonts, strict=True) if has_letter(file, letter))
        return next(having, self._fonts[0])


@functools.lru_cache(maxsize=64)
def ruler_of(size: int, files: tuple[str, ...] = ("",)) -> Ruler:
    """Return what measures texts in letters of so many pixels."""
    return Ruler(size, files)


@dataclass(frozen=True)
class Legend:
    """A text in lines that fit a width, in letters of so many pixels."""

    lines: tuple[str, ...]
    size: int
    font_files: tuple[str, ...] = ("",)

    @property
    def height(self) -> int:
        """How many pixels its lines take; 0 without a text."""
        return round(len(self.lines) * self.size * _LINE_HEIGHT)

    @functools.cached_property
    def width(self) -> int:
        """How many pixels its longest line takes."""
        return round(max(map(ruler_of(self.size, self.font_files).length, self.lines), default=0.0))

    def draw(self, sheet: Image.Image, box: tuple[int, int, int, int], colour: str) -> None:
        """Write it into the middle of a box (left, top, width, height)."""
        left, top, width, height = box
        ruler, drawing = ruler_of(self.size, self.font_files), ImageDraw.Draw(sheet)
        y = top + (height - self.height) / 2
        for line in self.lines:
            runs = [(text, font, font.getlength(text)) for text, font in ruler.runs(line)]
            x = left + (width - sum(length for *_, length in runs)) / 2
            for text, font, length in runs:
                # All of a line stands on that of the first font.
                sink = _ascent(font_of(self.size, self.font_files[0])) - _ascent(font)
                drawing.text((round(x), round(y + sink)), text, fill=colour, font=font)
                x += length
            y += self.size * _LINE_HEIGHT


def _ascent(font: Font) -> int:
    return font.getmetrics()[0] if isinstance(font, ImageFont.FreeTypeFont) else 0


def legend(text: str, size: int, width: int, height: int, font_file: str = "") -> Legend:
    """Return a text in a box of so many pixels: letters of `size`, or smaller ones until it fits.

    Words stay whole as long as letters are not much smaller. What does not fit even so is cut off. Fonts of this
    machine write the letters that `font_file` lacks.
    """
    words = unicodedata.normalize("NFC", " ".join(_LOOKS.sub("", text[:_MOST_CHARACTERS]).split()))
    if not words:
        return Legend((), size)
    files = font_files_for(words, font_file)
    largest = size
    while True:
        is_small = size <= max(SMALLEST, largest * _WHOLE_WORDS_UNTIL)
        made = Legend(tuple(_lines(words, ruler_of(size, files), width, is_small)), size, files)
        if size <= SMALLEST or (made.height <= height and made.width <= width):
            break
        size = max(SMALLEST, int(size * _SHRINKS_BY))
    room = max(1, int(height / (size * _LINE_HEIGHT)))
    if len(made.lines) <= room:
        return made
    return Legend((*made.lines[: room - 1], made.lines[room - 1][:-1] + _MORE), size, files)


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
