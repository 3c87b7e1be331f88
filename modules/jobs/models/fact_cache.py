"""What was found in models' files, remembered between starts: a header that did not change is not read again."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from modules.errors import StorageError
from modules.jobs.models.shelf import Listed
from modules.jobs.models.untrusted_file import read_bounded
from modules.paths import ROOT, locked, write_atomically

_MOST_BYTES = 64_000_000
_MOST_ENTRIES = 50_000
_SAVES_AGAIN_SECONDS = 10.0
# What is found depends on these too: with another version of them all is read anew.
_RULES = (ROOT / "modules" / "jobs", ROOT / "modules" / "prompts")

T = TypeVar("T", bound=Listed)


class FactCache:
    """Facts about files by kind, path and stamp. Safe to use from several threads, and by several processes.

    `path` is a file of lines: the rules by which was found what follows, then kind and path, stamp, and facts, each as
    JSON with a tab between them, so that a start parses what it asks for alone. A file that is lost, damaged or of
    other rules only costs the reading again; so does a line of it. None remembers nothing.
    """

    def __init__(self, path: Path | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._path, self._clock = path, clock
        self._lock = threading.Lock()
        self._rules = _state_of_rules() if path is not None else ""
        self._lines: dict[bytes, bytes] | None = None  # read when somebody asks
        self._used: set[bytes] = set()
        self._changed = False
        self._saved_at = clock()

    def get(self, kind: str, path: Path, stamp: str) -> object | None:
        """Return the facts about a file in this state, None when it is not known in it."""
        key = _key_of(kind, path)
        with self._lock:
            found = self._known().get(key, b"").partition(b"\t")
            if found[0] != _json(stamp):
                return None
            self._used.add(key)
        try:
            facts: object = json.loads(found[2])
        except (ValueError, RecursionError):
            return None
        return facts

    def put(self, kind: str, path: Path, stamp: str, facts: object) -> None:
        """Remember facts about a file in this state, until `save` for this process alone."""
        if self._path is None or not stamp:
            return
        key = _key_of(kind, path)
        found = _json(stamp) + b"\t" + _json(facts)
        with self._lock:
            self._used.add(key)
            if self._known().get(key) != found:
                self._known()[key] = found
                self._changed = True

    def save(self, at_once: bool = True) -> None:
        """Write what is new, unless that is not `at_once` and was done a moment ago. A full disk loses nothing."""
        with self._lock:
            due = at_once or self._clock() - self._saved_at >= _SAVES_AGAIN_SECONDS
            if self._path is None or not self._changed or not due:
                return
            self._changed = False
            self._saved_at = self._clock()
        with contextlib.suppress(StorageError), locked(self._path):
            theirs = self._read()  # Another process may have written since.
            with self._lock:
                known = self._lines = _bounded({**theirs, **self._known()}, self._used)
                lines = [key + b"\t" + found for key, found in known.items()]
            write_atomically(self._path, b"\n".join([self._first_line(), *lines]), sole_writer=True)

    def _known(self) -> dict[bytes, bytes]:
        if self._lines is None:
            self._lines = self._read()
        return self._lines

    def _first_line(self) -> bytes:
        return _json({"rules": self._rules})

    def _read(self) -> dict[bytes, bytes]:
        if self._path is None:
            return {}
        try:
            first, *lines = read_bounded(self._path, _MOST_BYTES).split(b"\n")
        except (OSError, ValueError):
            return {}
        if first != self._first_line():
            return {}
        parts = (line.partition(b"\t") for line in lines)
        return {key: found for key, _tab, found in parts if found}


class Remembered(Generic[T]):
    """The models of one class and kind in a cache. Their names, paths and hashes are known elsewhere."""

    def __init__(self, cache: FactCache, kind: str, of: type[T]) -> None:
        self._cache, self._kind, self._form = cache, kind, _form_of(of)

    def recall(self, name: str, path: Path, stamp: str, sha256: str | None) -> T | None:
        """Return what was found in this state of a file, None when that is not known any more."""
        facts = self._cache.get(self._kind, path, stamp)
        if not isinstance(facts, dict):
            return None
        try:
            one = self._form.validate_python({**facts, "name": name, "path": path, "sha256": sha256})
        except ValidationError:
            return None
        return one if (one.stamp, one.problem) == (stamp, None) else None

    def keep(self, one: T) -> T:
        """Remember and return it. What has a problem is looked at anew each time."""
        if one.problem is None and one.stamp:
            facts = self._form.dump_python(one, mode="json", exclude={"name", "path", "sha256"})
            self._cache.put(self._kind, one.path, one.stamp, facts)
        return one


@functools.cache  # it takes milliseconds to make, and there is one for each kind of file
def _form_of(of: type[T]) -> TypeAdapter[T]:
    return TypeAdapter(of)


def _key_of(kind: str, path: Path) -> bytes:
    return _json([kind, str(path)])


def _json(value: object) -> bytes:
    return json.dumps(value).encode()  # no tab and no line break is left in it as such


def _bounded(lines: dict[bytes, bytes], used: set[bytes]) -> dict[bytes, bytes]:
    """Return no more than is kept: those that were asked for in this run before the others, and the newest."""
    if len(lines) <= _MOST_ENTRIES:
        return lines
    order = sorted(lines, key=lambda key: key in used)  # stable: of two that are alike the newer one stays
    return {key: lines[key] for key in order[-_MOST_ENTRIES:]}


def _state_of_rules() -> str:
    """Return what tells one version of the program's rules from another, and one place of the program."""
    facts: list[tuple[str, int, int]] = []
    for folder in _RULES:
        for path in sorted(folder.rglob("*.py")):
            with contextlib.suppress(OSError):
                status = path.stat()
                facts.append((str(path), status.st_size, status.st_mtime_ns))
    return hashlib.sha256(repr(facts).encode()).hexdigest()
