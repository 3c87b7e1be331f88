"""Fonts that write a text: the usual one, that of a file, or one of this machine that has letters which these lack."""

from __future__ import annotations

import functools
import os
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

from PIL import ImageFont

_MOST_FILES = 5_000  # that are looked at by their names
_MOST_TRIED = 150  # that are opened for the letters of a text
_PROBE_SIZE = 16  # pixels
_MOST_OF_A_TEXT = 3  # fonts: its own words, those of another writing, emoji
_NOT_A_CHARACTER = "\U0010ffff"  # what no font has: it shows how a font draws what it lacks
_ENDINGS = (".ttf", ".otf", ".ttc", ".otc")
# Fonts for reading that have many letters, the first of them before others; as their files' names begin.
_KNOWN = (
    *("dejavusans", "notosans-", "notosans[", "liberationsans", "freesans", "segoeui", "arial", "sfns", "helvetica"),
    *("notosanscjk", "sourcehansans", "wqy", "droidsansfallback", "pingfang", "hiragino", "applesdgothic"),
    *("msyh", "yugoth", "meiryo", "malgun", "arialunicode", "arial unicode", "unifont"),
)
_STYLES = ("bold", "italic", "oblique", "light", "thin", "black", "mono", "condensed", "narrow", "serif", "math")

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@functools.lru_cache(maxsize=256)
def font_of(size: int, path: str = "") -> Font:
    """Return a font of so many pixels: that of a file, or Pillow's own where there is none, or it cannot be read."""
    if path and Path(path).is_file():
        try:
            return ImageFont.truetype(path, size)
        except OSError:
            pass  # no font, or one of pictures that have a size of their own
    return ImageFont.load_default(size)


@functools.lru_cache(maxsize=1024)
def font_file_for(text: str, font_file: str = "") -> str:
    """Return the file of the font in which `text` is written; "" is Pillow's own.

    It is `font_file` where that has all letters of the text, else the font of this machine that has most of them.
    """
    letters = frozenset(filter(_is_drawn, unicodedata.normalize("NFC", text)))
    best, fewest = font_file, _count_lacking(font_file, letters)
    others = chain(("",), islice(_files_of_this_machine(), _MOST_TRIED)) if fewest else ()
    for other in others:
        lacks = _count_lacking(other, letters)
        if lacks < fewest:
            best, fewest = other, lacks
        if not fewest:
            break
    return best


@functools.lru_cache(maxsize=1024)
def font_files_for(text: str, font_file: str = "") -> tuple[str, ...]:
    """Return the fonts that write `text` together: `font_file_for` all of it, then those of letters which it lacks."""
    files: list[str] = []
    left = text
    while left and len(files) < _MOST_OF_A_TEXT:
        best = font_file_for(left, font_file)
        if best in files:  # nobody has the others
            break
        files.append(best)
        left = "".join(letter for letter in dict.fromkeys(left) if _is_drawn(letter) and not has_letter(best, letter))
    return tuple(files) or (font_file,)


def _is_drawn(letter: str) -> bool:
    """Tell whether a font needs a picture of its own for it: no space, no mark of control, nothing put onto another."""
    return unicodedata.category(letter)[0] not in "ZCM"


def _count_lacking(path: str, letters: frozenset[str]) -> int:
    return sum(not has_letter(path, letter) for letter in letters)


@functools.lru_cache(maxsize=16_384)
def has_letter(path: str, letter: str) -> bool:
    """Tell whether a font draws a letter as anything else than what it lacks."""
    font = font_of(_PROBE_SIZE, path)
    if not isinstance(font, ImageFont.FreeTypeFont):
        return letter.isascii()
    drawn, lacking = (font.getmask(one) for one in (letter, _NOT_A_CHARACTER))
    return (drawn.size, bytes(drawn)) != (lacking.size, bytes(lacking))


@functools.cache
def _files_of_this_machine() -> Sequence[str]:
    """Return the files of fonts of this machine, those first that are for reading and have many letters."""
    return sorted(islice(_font_files(), _MOST_FILES), key=_rank)


def _rank(path: str) -> tuple[int, int, str]:
    name = Path(path).name.lower()
    known = next((place for place, begin in enumerate(_KNOWN) if name.startswith(begin)), len(_KNOWN))
    return sum(style in name for style in _STYLES), known, path


def _font_files() -> Iterator[str]:
    for folder in font_folders():
        for parent, folders, names in os.walk(folder):
            folders.sort()
            yield from (str(Path(parent, name)) for name in sorted(names) if name.lower().endswith(_ENDINGS))


def font_folders() -> list[Path]:
    """Return the folders in which this system keeps its fonts and the user's own, whether they are there or not."""
    home = Path.home()
    if sys.platform == "darwin":
        return [home / "Library/Fonts", Path("/Library/Fonts"), Path("/System/Library/Fonts")]
    if sys.platform == "win32":
        local, windows = (Path(os.environ.get(name) or home) for name in ("LOCALAPPDATA", "WINDIR"))
        return [local / "Microsoft" / "Windows" / "Fonts", windows / "Fonts"]
    own = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    return [own / "fonts", home / ".fonts", Path("/usr/local/share/fonts"), Path("/usr/share/fonts")]
