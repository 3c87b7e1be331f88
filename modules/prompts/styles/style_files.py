"""The styles that there are: those of one or several files, each read again when it has changed."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from modules.errors import InvalidRequest, SteadyError, StorageError
from modules.paths import locked
from modules.prompts.styles.csv_file import BrokenStyles, is_style, read_file, styles_in, write_file
from modules.prompts.styles.style import Style
from modules.settings_file import stamp_of

NAME_LONGEST, TEXT_LONGEST = 200, 10_000
# As A1111's clients say that there is none.
NONE = ("", "None")
_LISTED_AT_MOST = 12
_MAGIC = re.compile(r"[*?[]")
# A1111's list parts files by such entries, and clients may send them back.
_DIVIDER = re.compile(r"-{3,} .* -{3,}")

_Stamp = tuple[int, int, int] | None


class Listed(NamedTuple):
    """A style, and the file that it is in."""

    style: Style
    path: Path


class _Read(NamedTuple):
    stamp: _Stamp
    styles: tuple[Style, ...]
    fault: str | None


class StyleFiles:
    """The styles of files in order; of a name that stands twice the last one counts, as with A1111.

    `patterns` are paths whose last part may hold wildcards. New styles go into the first of them. Safe to use from
    several threads and processes.
    """

    def __init__(self, patterns: Sequence[Path] = ()) -> None:
        self._patterns = tuple(patterns)
        self._files: dict[Path, _Read] = {}
        self._lock = threading.Lock()

    def all(self) -> tuple[Listed, ...]:
        """Return all styles as they are now, in the order of their files."""
        found: dict[str, Listed] = {}
        for path in self._paths():
            for style in self._read(path).styles:
                found[style.name] = Listed(style, path)
        return tuple(found.values())

    def styles(self) -> tuple[Style, ...]:
        """Return the same without their files."""
        return tuple(one.style for one in self.all())

    def problems(self) -> tuple[str, ...]:
        """Return what is wrong with files, in words."""
        return tuple(fault for path in self._paths() if (fault := self._read(path).fault) is not None)

    def find(self, names: Sequence[str]) -> tuple[Style, ...]:
        """Return the styles of these names, in their order.

        Raises:
            InvalidRequest: there is none of such a name.
        """
        wanted = [name for name in names if name not in NONE and not _DIVIDER.fullmatch(name)]
        if not wanted:
            return ()
        known = {style.name: style for style in self.styles()}
        missing = next((name for name in wanted if name not in known), None)
        if missing is None:
            return tuple(known[name] for name in wanted)
        listed, more = ", ".join(list(known)[:_LISTED_AT_MOST]), len(known) - _LISTED_AT_MOST
        remedy = f"use one of {listed}" + (f" and {more} more" if more > 0 else "") if known else "leave styles out"
        wrong = "".join(f" {problem}" for problem in self.problems())
        raise InvalidRequest(f"Style {missing!r} not found: {remedy}.{wrong}", "styles")

    def save(self, style: Style, replaces: str = "") -> None:
        """Write a style into its file, a new one into the first. `replaces` is the name that it had before.

        Raises:
            InvalidRequest: it cannot be kept: its name or its texts are not possible, or there is another of that name.
            BrokenStyles: its file is to be mended first.
            StorageError: the file cannot be written, and is as it was.
        """
        _check(style)
        where = {one.style.name: one.path for one in self.all()}
        before = replaces or style.name
        if replaces and replaces not in where:
            raise InvalidRequest(f"There is no style {replaces!r} any more: save it as a new one.", "replaces")
        if before != style.name and style.name in where:
            raise InvalidRequest(f"There is a style {style.name!r} already: choose another name.", "name")

        def change(rows: list[dict[str, str]]) -> list[dict[str, str]]:
            texts = {"name": style.name, "prompt": style.prompt, "negative_prompt": style.negative_prompt}
            last = _last_of(before, rows)
            if last is None:
                return [*rows, texts]
            changed = {key: value for key, value in rows[last].items() if key != "text"} | texts
            return [*rows[:last], changed, *rows[last + 1 :]]

        self._change(where.get(before, self._first()), change)

    def delete(self, name: str) -> None:
        """Take a style out of its file.

        Raises:
            InvalidRequest: there is none of this name.
            BrokenStyles, StorageError: as `save`.
        """
        path = next((one.path for one in self.all() if one.style.name == name), None)
        if path is None:
            raise InvalidRequest(f"There is no style {name!r} any more.", "name")
        self._change(path, lambda rows: [row for row in rows if not (is_style(row) and row["name"] == name)])

    def _change(self, path: Path, change: Callable[[list[dict[str, str]]], list[dict[str, str]]]) -> None:
        path = path.resolve()  # What a link points to is changed, not the link.
        with locked(path):
            content = read_file(path)
            if content.problem is not None:
                raise BrokenStyles(f"{content.problem} Nothing was written: mend the file first.")
            write_file(path, content._replace(rows=tuple(change(list(content.rows)))))

    def _first(self) -> Path:
        if not self._patterns:
            raise InvalidRequest("There is no file for styles: start with --styles-file PATH.")
        return next(iter(_matching(self._patterns[0])), self._patterns[0])

    def _paths(self) -> Iterator[Path]:
        seen = dict.fromkeys(path for pattern in self._patterns for path in _matching(pattern))
        return iter(seen)

    def _read(self, path: Path) -> _Read:
        """Return the styles of a file; where it cannot be read none, and what is wrong with it."""
        stamp = stamp_of(path)
        with self._lock:
            known = self._files.get(path)
            if known is not None and known.stamp == stamp:
                return known
            try:
                content = read_file(path)
            except StorageError as error:
                return _Read(stamp, (), str(error))  # It may be lent to us by now, with the same stamp.
            except SteadyError as error:
                self._files[path] = _Read(stamp, (), str(error))
            else:
                self._files[path] = _Read(stamp, tuple(styles_in(content)), content.problem)
            return self._files[path]


def _matching(pattern: Path) -> list[Path]:
    """Return the files of a path with wildcards by name; of one without it itself, be it there or not."""
    if not _MAGIC.search(pattern.name) or pattern.exists():
        return [pattern]
    return sorted(path for path in pattern.parent.glob(pattern.name) if path.is_file())


def _last_of(name: str, rows: Sequence[dict[str, str]]) -> int | None:
    places = [place for place, row in enumerate(rows) if is_style(row) and row["name"] == name]
    return places[-1] if places else None


def _check(style: Style) -> None:
    if not style.name.strip() or style.name in NONE or style.name != style.name.strip():
        raise InvalidRequest("A style needs a name, without spaces around it.", "name")
    if style.name.startswith("#"):
        raise InvalidRequest(f"The name {style.name!r} begins with #, which makes it a note: choose another.", "name")
    if len(style.name) > NAME_LONGEST or "\n" in style.name or "\r" in style.name:
        raise InvalidRequest(f"A style's name is one line of at most {NAME_LONGEST} characters.", "name")
    for field, text in (("prompt", style.prompt), ("negative_prompt", style.negative_prompt)):
        if len(text) > TEXT_LONGEST:
            raise InvalidRequest(f"This has {len(text):,} characters: shorten it to {TEXT_LONGEST:,}.", field)
    for field, text in (("name", style.name), ("prompt", style.prompt), ("negative_prompt", style.negative_prompt)):
        if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
            raise InvalidRequest("This has a character that no file can hold: take it out.", field)
