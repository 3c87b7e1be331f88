"""The hash that names a model's weights, remembered by size and time of its files."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from modules.errors import StorageError
from modules.jobs.models.untrusted_file import open_regular
from modules.paths import locked, write_atomically

_CHUNK_BYTES = 1 << 20
# Tells whether what is being hashed is not wanted any more, or not now.
Dropped = Callable[[], bool]


def _never() -> bool:
    return False


def hash_folder(folder: Path, files: Sequence[Path], dropped: Dropped = _never) -> str:
    """Return SHA-256 over the files' names within the folder and their bytes, so it is the same wherever it lies.

    Raises:
        OSError: one cannot be read.
        InterruptedError: it was `dropped`.
    """
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(path.stat().st_size.to_bytes(8, "little"))
        _add_file(digest, path, dropped)
    return digest.hexdigest()


def hash_file(path: Path, dropped: Dropped = _never) -> str:
    """Return SHA-256 of a whole file, as A1111 and Civitai show it.

    Raises:
        OSError: it cannot be read.
        InterruptedError: it was `dropped`.
    """
    digest = hashlib.sha256()
    _add_file(digest, path, dropped)
    return digest.hexdigest()


def hash_file_and_tensors(path: Path, dropped: Dropped = _never) -> tuple[str, str]:
    """Return SHA-256 of a whole file, and that of its tensors, of which Civitai's AutoV3 is the beginning.

    The second does not change with what a safetensors says in its header; of any other file it is the first.

    Raises:
        OSError: it cannot be read.
        InterruptedError: it was `dropped`.
    """
    whole, tensors = hashlib.sha256(), hashlib.sha256()
    left = _header_bytes(path)  # to leave out
    for chunk in _chunks(path, dropped):
        whole.update(chunk)
        tensors.update(chunk[left:])
        left = max(0, left - len(chunk))
    return whole.hexdigest(), tensors.hexdigest()


def _header_bytes(path: Path) -> int:
    """Return how long all that stands before the tensors is; 0: it is no safetensors."""
    with open_regular(path) as file:
        beginning = file.read(9)
    length = int.from_bytes(beginning[:8], "little")
    is_safetensors = beginning[8:] == b"{" and 8 + length <= path.stat().st_size
    return 8 + length if is_safetensors else 0


def _add_file(digest: hashlib._Hash, path: Path, dropped: Dropped) -> None:
    for chunk in _chunks(path, dropped):
        digest.update(chunk)


def _chunks(path: Path, dropped: Dropped) -> Iterator[bytes]:
    with open_regular(path) as file:
        while chunk := file.read(_CHUNK_BYTES):
            if dropped():
                raise InterruptedError(f"{path} is hashed later.")
            yield chunk


def old_hash_of(path: Path) -> str:
    """Return the eight digits by which A1111's first versions knew a file: of 64 KB behind its first MB; "": too short.

    Raises:
        OSError: it cannot be read.
    """
    with open_regular(path) as file:
        file.seek(0x100000)
        data = file.read(0x10000)
    return hashlib.sha256(data).hexdigest()[:8] if data else ""


class HashCache:
    """Hashes of files that did not change since. A cache file that is lost or damaged only costs the hashing again."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._read_at: tuple[int, int] | None = None
        self._known = self._read()

    def get(self, state: str) -> str | None:
        """Return the remembered hash of files in this state (`fingerprint`)."""
        with self._lock:
            if state not in self._known and self._stamp() != self._read_at:
                self._known = {**self._read(), **self._known}  # Another process has added some.
            return self._known.get(state)

    def put(self, state: str, digest: str) -> str:
        """Remember `digest` and return it."""
        with self._lock:
            self._known[state] = digest
            if self._path is not None:
                with contextlib.suppress(StorageError), locked(self._path):
                    # Another process may have added hashes since.
                    self._known = {**self._read(), **self._known}
                    text = json.dumps(self._known, indent=1, sort_keys=True)
                    write_atomically(self._path, text.encode(), sole_writer=True)
        return digest

    def _stamp(self) -> tuple[int, int] | None:
        try:
            status = None if self._path is None else self._path.stat()
        except OSError:
            return None
        return None if status is None else (status.st_mtime_ns, status.st_ino)

    def _read(self) -> dict[str, str]:
        if self._path is None:
            return {}
        self._read_at = self._stamp()
        try:
            known = json.loads(self._path.read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}
        return {str(key): str(value) for key, value in known.items()} if isinstance(known, dict) else {}


def fingerprint(files: Sequence[Path]) -> str:
    """Return what tells one state of files from another, by path, size and time.

    Raises:
        OSError: one of them is not there.
    """
    return _fingerprint([(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files])


def fingerprint_seen(path: Path, size_bytes: int, modified_ns: int) -> str:
    """Return the same of one file as it was seen a moment ago."""
    return _fingerprint([(str(path), size_bytes, modified_ns)])


def of_tensors(state: str) -> str:
    """Return under which state the hash of the tensors alone is remembered, of files in this state."""
    return f"tensors {state}"


def _fingerprint(facts: Sequence[tuple[str, int, int]]) -> str:
    return hashlib.sha256(repr(facts).encode()).hexdigest()
