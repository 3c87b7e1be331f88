"""What was found in folders with models, as it is known: named, looked up by any of its names, and fresh.

A look at the folders takes milliseconds with thousands of files, since only what is new or has changed is read. Where
that is much, it is read later (`complete`), or when somebody asks for it by name.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from modules.jobs.models.names import Names
from modules.jobs.models.places import Place
from modules.jobs.models.scan import FolderState, Found, Scan, state_of_folder

_READ_AT_ONCE = 50
_TELLS_AGAIN_SECONDS = 1.0  # of what is read later, since each news makes all lists anew
_READ_SECONDS = 0.1
_LOOKS_AGAIN_SECONDS = 1.0
_SHARE_OF_LOOKING = 10  # a look that took a second is not made again within ten


class Listed(Protocol):
    """What a shelf holds. `stamp` tells one state of its files from another; "": it was not read, or cannot be."""

    @property
    def name(self) -> str: ...
    @property
    def path(self) -> Path: ...
    @property
    def stamp(self) -> str: ...
    @property
    def problem(self) -> str | None: ...
    @property
    def names(self) -> Sequence[str]: ...


T = TypeVar("T", bound=Listed)


class Shelf(Generic[T]):
    """The models of some places, by name. Safe to use from several threads.

    `find` returns what lies in the places now, `read` looks at one of it, `unread` stands for one that is to be read
    later, `stamp_of` tells the state of a model's files now. `recall` may know what was in a file in this state before.
    """

    def __init__(
        self,
        find: Callable[[], Iterable[tuple[Place, Scan]]],
        read: Callable[[str, Found], T],
        unread: Callable[[str, Found], T],
        stamp_of: Callable[[Path], str],
        recall: Callable[[str, Found], T | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._find, self._read, self._unread, self._stamp_of = find, read, unread, stamp_of
        self._recall, self._clock = recall, clock
        self._lock = threading.Lock()
        self._looking = threading.Lock()  # Held before `_lock`, by who looks at the folders.
        self._known: dict[str, T] | None = None
        self._found: dict[str, Found] = {}
        self._to_read: dict[str, T] = {}
        self._read_since: list[tuple[T, T]] = []  # (before, after), not told of yet
        self._told_at = clock()
        self._names: Names[T] | None = None
        self._looked_at = self._look_took = 0.0
        self._revision = 0
        self._listed: dict[str, FolderState] = {}

    @property
    def revision(self) -> int:
        """A number that grows whenever something is known otherwise than before."""
        with self._lock:
            return self._revision

    def list(self) -> tuple[T, ...]:
        """Return all by name, as they were at the last look."""
        return self._index().all

    def refresh(self) -> None:
        """Look at the folders again."""
        with self._looking:
            self._look()

    def refresh_if_due(self) -> None:
        """Look at the folders again if something came or went, or if the last look was a while ago.

        A look at many models takes time, and anybody may ask for names that are not known.
        """
        with self._looking:
            wait = max(_LOOKS_AGAIN_SECONDS, self._look_took * _SHARE_OF_LOOKING)
            due = self._known is None or self._clock() - self._looked_at >= wait
            if due or self.has_news():
                self._look()

    def has_news(self) -> bool:
        """Tell whether something came into a folder or went since the last look: much cheaper than to look again."""
        return any(state_of_folder(folder) != state for folder, state in self._listed.items())

    def find(self, name: str) -> T | None:
        """Return what is called so, as its files are now; None: there is none. What has changed is read again."""
        found = self._index().find(name)
        if found is not None:
            found = self.as_it_is(found)
        if found is None:
            self.refresh_if_due()
            found = self._index().find(name)
            found = found and self.as_it_is(found)
        return found

    def known(self, name: str) -> T | None:
        """Return what has exactly this name, as it was at the last look."""
        with self._lock:
            return None if self._known is None else self._known.get(name)

    def as_it_is(self, known: T) -> T | None:
        """Return one that is known as its files are now, None when it is gone."""
        with self._lock:
            found = self._found.get(known.name)
        if found is None or not _is_there(known.path):
            return None
        if known.stamp and known.stamp == self._stamp_of(known.path) and not (found.folder and known.problem):
            return known
        now = self._read(known.name, found)
        self.replace(known, now)
        return now

    def replace(self, before: T, after: T) -> bool:
        """Put one in the place of another, unless that was read anew meanwhile."""
        with self._lock:
            if self._known is None or self._known.get(before.name) is not before:
                return False
            self._to_read.pop(before.name, None)
            if after != before:  # What is equal stays the same object, since the index knows that one.
                self._known[before.name] = after
                self._names = None
                self._revision += 1
            return True

    def complete(self, seconds: float) -> bool:
        """Read for so long what was left for later; tell whether more is left.

        What was read is known once a second, and when all is read.
        """
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            with self._lock:
                if not self._to_read:
                    break
                name, known = next(iter(self._to_read.items()))
                found = self._found[name]
            now = self._read(name, found)
            with self._lock:
                if self._to_read.get(name) is known:
                    del self._to_read[name]
                self._read_since.append((known, now))
        with self._lock:
            left = bool(self._to_read)
        if not left or self._clock() - self._told_at >= _TELLS_AGAIN_SECONDS:
            self._tell_what_was_read()
        return left

    def _tell_what_was_read(self) -> None:
        with self._lock:
            for before, after in self._read_since:
                if self._known is not None and self._known.get(before.name) is before:
                    self._known[before.name] = after
                    self._names = None
            self._revision += bool(self._read_since)
            self._read_since = []
            self._told_at = self._clock()

    def _index(self) -> Names[T]:
        with self._lock:
            if self._names is not None:
                return self._names
            known = None if self._known is None else tuple(self._known.values())
            revision = self._revision
        if known is None:
            with self._looking:
                if self._known is None:
                    self._look()
            return self._index()
        names = Names(known)
        with self._lock:
            if self._revision == revision:
                self._names = names
        return names

    def _look(self) -> None:
        began = self._clock()
        self._tell_what_was_read()
        before, found_before, waiting = self._known or {}, self._found, self._to_read
        by_path = {one.path: one for one in before.values()}
        known: dict[str, T] = {}
        found: dict[str, Found] = {}
        to_read: dict[str, T] = {}
        seen: set[str] = set()
        ends, read = time.monotonic() + _READ_SECONDS, 0
        scans = list(self._find())
        self._listed = {folder: state for _place, scan in scans for folder, state in scan.folders.items()}
        for place, one in ((place, one) for place, scan in scans for one in scan.found):
            if one.identity in seen:
                continue
            seen.add(one.identity)
            name = _free_name(one.name, place, known)
            found[name] = one
            old = by_path.get(one.path)
            old = old if old is not None and old.name == name else None
            if old is not None and self._is_as(old, one):
                known[name] = old
            elif (recalled := self._recall(name, one)) is not None:
                known[name] = recalled
            elif read < _READ_AT_ONCE or time.monotonic() < ends:
                known[name] = self._read(name, one)
                read += 1
            elif old is not None and waiting.get(name) is old and found_before.get(name) == one:
                known[name] = to_read[name] = old
            else:
                known[name] = to_read[name] = self._unread(name, one)
        in_order = dict(sorted(known.items(), key=lambda item: (item[0].casefold(), item[0])))
        self._looked_at = self._clock()
        self._look_took = self._looked_at - began
        self._keep(before, in_order, found, to_read)

    def _keep(self, before: dict[str, T], known: dict[str, T], found: dict[str, Found], to_read: dict[str, T]) -> None:
        with self._lock:
            for name, one in (self._known or {}).items():
                # What was read while the folders were looked at is newer than that look.
                if one is not before.get(name) and known.get(name) is before.get(name) and name in known:
                    known[name] = one
                    to_read.pop(name, None)
            if self._known is None or list(self._known.items()) != list(known.items()):
                self._revision += 1
                self._names = None
            self._known, self._found, self._to_read = known, found, to_read

    def _is_as(self, known: T, found: Found) -> bool:
        """Tell whether what is known of a model is still so."""
        if not found.folder:
            return bool(known.stamp) and known.stamp == found.stamp
        return known.problem is None and known.stamp == self._stamp_of(known.path) != ""


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return True


def _free_name(name: str, place: Place, taken: dict[str, T]) -> str:
    """Return the name, with that of its models folder before it where another has it already."""
    for candidate in (name, f"{place.root.name}/{name}", f"{place.root.name}/{place.folder.name}/{name}"):
        free = readable(candidate)
        if free not in taken:
            return free
    number = 2
    while f"{free} ({number})" in taken:
        number += 1
    return f"{free} ({number})"


def readable(text: str) -> str:
    """Return text that can be sent: names on disk may hold bytes that are no UTF-8."""
    return text.encode(errors="replace").decode()
