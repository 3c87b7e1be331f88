"""The wildcards that there are: those of several folders, each file read again when it has changed."""

from __future__ import annotations

import fnmatch
import os
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from modules.prompts.dynamic.values import Values
from modules.prompts.dynamic.wildcard_file import TEXTS, TREES, BrokenWildcards, read_wildcards
from modules.settings_file import stamp_of

MOST_FILES = 50_000
_MOST_LEVELS = 16
_SECONDS_BETWEEN_LOOKS = 1.0
# A folder that was changed so lately may be changed again without telling it by its time.
_STILL_CHANGING_NS = 2_000_000_000
_UNSURE, _GONE = 0, -1
_MAGIC = re.compile(r"[*?\[]")

_Stamp = tuple[int, int, int] | None


class _Read(NamedTuple):
    stamp: _Stamp
    wildcards: Mapping[str, Values]
    fault: str | None


class Wildcards:
    """The wildcards of folders in order; of a name that stands twice the first one counts.

    Names are those of files without ending, with the folders above them, and those in trees; large and small letters
    are the same. Safe to use from several threads.
    """

    def __init__(self, folders: Sequence[Path] = (), clock: Callable[[], float] = time.monotonic) -> None:
        self.folders = tuple(folders)
        self._clock = clock
        self._lock = threading.RLock()  # what is known at a moment asks for the content of files
        self._read: dict[Path, _Read] = {}
        self._last: tuple[float, KnownWildcards] | None = None
        self._files: dict[Path, tuple[str, str]] = {}
        self._changed_at: dict[Path, int] = {}  # by folder, when the files were looked for

    def now(self) -> KnownWildcards:
        """Return the wildcards as they are now, within a second."""
        with self._lock:
            now = self._clock()
            if self._last is None or now - self._last[0] >= _SECONDS_BETWEEN_LOOKS:
                if self._last is None or any(_changed_at(one) != at for one, at in self._changed_at.items()):
                    self._look()
                self._last = (now, KnownWildcards(self._files, self._content))
            return self._last[1]

    def _look(self) -> None:
        self._changed_at = {}
        self._files = {path: names for folder in self.folders for path, names in _files_in(folder, self._changed_at)}
        self._read = {path: read for path, read in self._read.items() if path in self._files}

    def _content(self, path: Path) -> _Read:
        """Return what a file holds; one that is large is read once, and others wait meanwhile."""
        stamp = stamp_of(path)
        with self._lock:
            known = self._read.get(path)
            if known is None or known.stamp != stamp:
                try:
                    known = _Read(stamp, read_wildcards(path), None)
                except BrokenWildcards as error:
                    known = _Read(stamp, {}, str(error))
                self._read[path] = known
            return known


class KnownWildcards:
    """The wildcards as they were at one moment, for one job: what was looked up once stays."""

    def __init__(self, files: Mapping[Path, tuple[str, str]], content: Callable[[Path], _Read]) -> None:
        self._content = content
        self._found: dict[str, Values | None] = {}
        self._where: dict[str, tuple[str, Path, str]] = {}  # by the name in small letters: name, file, name in there
        self._ending: dict[str, list[str]] = {}  # names in small letters, by their last part
        self.problems: list[str] = []
        for path, (folder, stem) in files.items():
            for inner in self._inner_names(path, stem):
                name = f"{folder}/{inner}" if folder else inner
                self._where.setdefault(name.casefold(), (name, path, inner))
        for small in self._where:
            self._ending.setdefault(small.rpartition("/")[2], []).append(small)

    @property
    def names(self) -> tuple[str, ...]:
        """All names, in alphabetical order."""
        return tuple(sorted((name for name, _, _ in self._where.values()), key=str.casefold))

    def values(self, name: str) -> Values | None:
        """Return the lines of a wildcard. `*` and the like stand for any letters: then those of all that fit.

        A name that is nowhere is looked for in all folders. None: there is none.
        """
        if name not in self._found:
            wanted = name.casefold()
            if _MAGIC.search(name):
                found = self._matching(wanted) or self._matching(f"*/{wanted}")
            else:
                found = [wanted] if wanted in self._where else self._within_folders(wanted)
            self._found[name] = _together([values for one in found if (values := self._lines(one)) is not None])
        return self._found[name]

    def _inner_names(self, path: Path, stem: str) -> Iterable[str]:
        """Return the names in a file; of a text nothing is read for that."""
        if path.suffix.lower() in TEXTS:
            return (stem,)
        read = self._content(path)
        if read.fault is not None:
            self.problems.append(read.fault)
        return read.wildcards

    def _lines(self, wanted: str) -> Values | None:
        _, path, inner = self._where[wanted]
        return self._content(path).wildcards.get(inner)

    def _within_folders(self, name: str) -> list[str]:
        return sorted(one for one in self._ending.get(name.rpartition("/")[2], ()) if one.endswith(f"/{name}"))

    def _matching(self, pattern: str) -> list[str]:
        fits = re.compile(fnmatch.translate(pattern.replace("**/", "*")))
        return sorted(name for name in self._where if fits.match(name))


def _together(lists: Sequence[Values]) -> Values | None:
    """Return the lines of several, each once."""
    if len(lists) <= 1:
        return lists[0] if lists else None
    weights: dict[str, float] = {}
    for values in lists:
        for number, text in enumerate(values.texts):
            weights.setdefault(text, 1.0 if values.weights is None else values.weights[number])
    return Values(weights, weights.values())


def _files_in(root: Path, changed_at: dict[Path, int]) -> Iterator[tuple[Path, tuple[str, str]]]:
    """Yield the files of a folder with the name of the folder that each is in. Links are followed, each place once.

    When each folder was changed is noted in `changed_at`.
    """
    seen: set[str] = set()
    left, folders = MOST_FILES, [(root, "", 0)]
    while folders:
        folder, name, level = folders.pop()
        real = os.path.realpath(folder)
        if real in seen or level > _MOST_LEVELS:
            continue
        seen.add(real)
        at = _changed_at(folder)  # before it is listed
        changed_at[folder] = _UNSURE if time.time_ns() - at < _STILL_CHANGING_NS else at
        for entry in _entries(folder):
            if entry.name.startswith("."):
                continue
            path = folder / entry.name
            if entry.is_dir():
                folders.append((path, f"{name}/{entry.name}" if name else entry.name, level + 1))
            elif path.suffix.lower() in TEXTS + TREES:
                left -= 1
                if left < 0:
                    return
                yield path, (name, path.stem)


def _changed_at(folder: Path) -> int:
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return _GONE


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as listing:
            return sorted(listing, key=lambda entry: entry.name)
    except OSError:
        return []
