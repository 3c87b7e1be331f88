"""A list of secrets, each stored as a hash, in a file that several processes read and change."""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from modules.credentials.private_file import read_private, write_private
from modules.paths import locked

SECRET_BYTES = 32
Entry = dict[str, Any]


class SecretList:
    """Entries by the SHA-256 of their secret, which is long and random: no slow hash is needed. Any thread.

    The file is looked at again whenever it changed, so that what another process writes counts at once.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._seen: tuple[int, int, int] | None = None
        self._entries: dict[str, Entry] = {}

    def add(self, entry: Entry, keep: Callable[[Entry], bool] = lambda entry: True, most: int = 1000) -> str:
        """Store an entry and return its secret, which is told once and kept nowhere. Others than `keep` are dropped.

        Raises:
            StorageError: it cannot be written.
        """
        secret = secrets.token_urlsafe(SECRET_BYTES)
        with self._changing() as entries:
            left = [(key, one) for key, one in entries.items() if keep(one)][-(most - 1) :]
            entries.clear()
            entries.update(left)
            entries[_key(secret)] = entry
        return secret

    def remove(self, unwanted: Callable[[Entry], bool]) -> int:
        """Remove entries and return how many those were.

        Raises:
            StorageError: it cannot be written.
        """
        with self._changing() as entries:
            gone = [key for key, one in entries.items() if unwanted(one)]
            for key in gone:
                del entries[key]
        return len(gone)

    def forget(self, secret: str) -> None:
        """Remove the entry of a secret.

        Raises:
            StorageError: it cannot be written.
        """
        with self._changing() as entries:
            entries.pop(_key(secret), None)

    def find(self, secret: str) -> Entry | None:
        """Return the entry of a secret. Only hashes are compared, so the time tells nothing of the secret."""
        return self._current().get(_key(secret))

    def entries(self) -> list[Entry]:
        """Return all entries, the oldest first."""
        return list(self._current().values())

    def _current(self) -> dict[str, Entry]:
        with self._lock:
            try:
                status = self._path.stat()
            except OSError:
                self._seen, self._entries = None, {}
                return self._entries
            seen = (status.st_mtime_ns, status.st_size, status.st_ino)
            if seen != self._seen:
                self._seen, self._entries = seen, _parsed(read_private(self._path))
            return self._entries

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Entry]]:
        with locked(self._path):
            entries = _parsed(read_private(self._path))
            yield entries
            write_private(self._path, json.dumps(entries).encode())


def _key(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


def _parsed(data: bytes | None) -> dict[str, Entry]:
    """Return the entries in a file. What makes no sense lets nobody in."""
    try:
        found = json.loads(data or b"{}")
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {key: one for key, one in found.items() if isinstance(one, dict)}
