"""Tags that people complete while they write: files in the form of Danbooru's lists, `name,category,count,"aliases"`.

A row may stop after the name. Of a tag that stands in several files the first one counts.
"""

from __future__ import annotations

import bisect
import csv
import heapq
import io
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from modules.settings_file import stamp_of

MOST_TAGS = 500_000
_LARGEST_FILE = 64 * 1024 * 1024
_LONGEST_TAG = 200
_LONGEST_COUNT = 12  # digits
_SECONDS_BETWEEN_LOOKS = 2.0
_BRACKETS = str.maketrans({"(": r"\(", ")": r"\)", "[": r"\[", "]": r"\]"})


@dataclass(frozen=True)
class Tag:
    """A tag, how many pictures have it (0: not told), and the other name by which it was found, if it was."""

    name: str
    count: int
    alias: str = ""

    @property
    def text(self) -> str:
        """What stands for it in a prompt: spaces in place of underscores, and brackets that mean themselves."""
        return self.name.replace("_", " ").translate(_BRACKETS)


class Tags:
    """The tags of a folder's files, each read again when it has changed. Safe to use from several threads."""

    def __init__(self, folder: Path | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._clock = clock
        self._lock = threading.Lock()
        self._looked_at: float | None = None
        self._stamps: tuple[object, ...] = ()
        self._starts: list[str] = []
        self._tags: list[Tag] = []

    def starting_with(self, start: str, limit: int) -> list[Tag]:
        """Return the tags that begin with a text, also by another name of theirs, those of most pictures first.

        With nothing none does: who has written nothing is not to wait for half a million of them.
        """
        wanted = _plain(start)
        if not wanted:
            return []
        with self._lock:
            self._look()
            first = bisect.bisect_left(self._starts, wanted)
            last = bisect.bisect_left(self._starts, wanted + "\U0010ffff")
            found = heapq.nlargest(2 * limit, self._tags[first:last], key=lambda tag: (tag.count, not tag.alias))
        return list({tag.name: tag for tag in reversed(found)}.values())[::-1][:limit]

    def _look(self) -> None:
        now = self._clock()
        if self._looked_at is not None and now - self._looked_at < _SECONDS_BETWEEN_LOOKS:
            return
        self._looked_at = now
        paths = sorted(self._folder.glob("*.csv")) if self._folder is not None else []
        stamps = tuple((path, stamp_of(path)) for path in paths)
        if stamps == self._stamps:
            return
        self._stamps = stamps
        known: dict[str, Tag] = {}
        for path in paths:
            for tag in _tags_in(path):
                known.setdefault(_plain(tag.alias or tag.name), tag)
                if len(known) >= MOST_TAGS:
                    break
        self._starts = sorted(known)
        self._tags = [known[start] for start in self._starts]


def _tags_in(path: Path) -> Iterator[Tag]:
    """Yield the tags of a file, then those under other names; what is no tag is passed over."""
    try:
        if path.stat().st_size > _LARGEST_FILE:
            return
        text = path.read_bytes().decode("utf-8-sig", "replace")
    except OSError:
        return
    others: list[Tag] = []
    try:
        for row in csv.reader(io.StringIO(text)):
            name = row[0].strip() if row else ""
            if not name.isprintable() or not 0 < len(name) <= _LONGEST_TAG or name.startswith("#"):
                continue
            count = row[2].strip() if len(row) > 2 else ""
            yield (tag := Tag(name, int(count) if count.isdecimal() and len(count) <= _LONGEST_COUNT else 0))
            aliases = row[3].split(",") if len(row) > 3 else []
            others += (replace(tag, alias=alias.strip()) for alias in aliases if 0 < len(alias.strip()) <= _LONGEST_TAG)
    except csv.Error:
        pass  # What came before the broken line is of use.
    yield from others


def _plain(text: str) -> str:
    return text.strip().casefold().replace(" ", "_").replace("\\", "")
