"""Whether the database under its name is the one that was opened, and whether something of it was gone at the start.

SQLite notices neither: it goes on with a file that has no name any more, makes a new one where one was, and does not
miss a log. So a word beside the database says whether it is open, and its file is compared with the opened one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from modules.errors import StorageError
from modules.paths import locked, set_aside

Identity = tuple[int, int]
COMPANIONS = ("-wal", "-shm")


class DatabaseReplaced(StorageError):  # noqa: N818
    """The file that is open is not the one under its name any more: this process works on what nobody else sees."""


class DatabaseFile:
    """The files of a database, seen from outside."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._log = path.with_name(f"{path.name}-wal")
        self._word = path.with_name(f"{path.name}.state")
        self._opened: tuple[Identity, Identity | None] | None = None
        self.log_is_lost = False  # the file itself is still the one that was opened

    def missing(self) -> str | None:
        """Return in words what is gone since the database was last open; None when nothing is. Before it is opened."""
        word = self._read_word()
        if word is None:
            return None  # the first start
        if not self._path.exists():
            return f"{self._path.name} was gone: the queue starts empty, pictures are untouched."
        if not self._path.stat().st_size:
            return f"{self._path.name} was empty: the queue starts empty, pictures are untouched."
        if word == "open" and not self._log.exists():
            return (
                f"{self._log.name} was gone, and the program had not ended in order: "
                "what happened last may be missing, such as jobs that were sent in the minutes before."
            )
        return None

    def clear_the_way(self) -> None:
        """Set aside what is left of a database that is gone or empty, before it is opened.

        Processes that have it open still hold these files, and a new database beside them cannot be made.

        Raises:
            StorageError: the folder does not allow it.
        """
        left = [self._path.with_name(self._path.name + suffix) for suffix in COMPANIONS]
        empty = self._path.exists() and not self._path.stat().st_size
        if (empty and self._read_word() is not None) or (not self._path.exists() and any(one.exists() for one in left)):
            set_aside(self._path, COMPANIONS)

    def opened(self) -> None:
        """Remember which files these are, and say that they are in use. With the database open and its lock held."""
        self._opened = (_identity(self._path) or (0, 0), _identity(self._log))
        self._write_word("open")

    @contextlib.contextmanager
    def closing(self) -> Iterator[None]:
        """Close connections inside: a log that is gone then is no loss, since the last one to close takes it away."""
        self._opened = None  # a thread that still writes is not told that somebody deleted it
        if self._read_word() == "open":
            self._write_word("closing")
        yield
        self.closed()

    def closed(self) -> None:
        """Say whether the database is still in use: somebody has it open if its log is there."""
        if not self._path.parent.is_dir():
            return  # deleted while it was open: it is not to come back with nothing but a lock in it
        try:
            with locked(self._path):
                if self._path.exists():
                    self._write_word("open" if self._log.exists() else "closed")
        except StorageError:
            self._forget_word()

    def check(self) -> None:
        """Compare the files under their names with those that were opened.

        Raises:
            DatabaseReplaced: they are others, or gone.
        """
        if self._opened is None:
            return
        file, log = self._opened
        same_file = _identity(self._path) == file
        self.log_is_lost = same_file and log is not None and _identity(self._log) != log
        if not same_file or self.log_is_lost:
            raise DatabaseReplaced(
                f"{self._path} was deleted, moved or replaced while it was open: "
                "server and engine start anew on what is there now."
            )

    def _read_word(self) -> str | None:
        try:
            return self._word.read_text(encoding="ascii", errors="replace").strip() or None
        except OSError:
            return None

    def _write_word(self, word: str) -> None:
        try:
            if self._read_word() != word:
                self._word.write_text(word, encoding="ascii")
        except OSError:
            self._forget_word()

    def _forget_word(self) -> None:
        """Rather know nothing than something wrong: without the word the next start tells less, and that is all."""
        with contextlib.suppress(OSError):
            self._word.unlink(missing_ok=True)


def _identity(path: Path) -> Identity | None:
    """Tell one file from another; one that was emptied is another, except for a log, which often is empty."""
    try:
        status = path.stat()
    except OSError:
        return None
    if not status.st_size and not path.name.endswith("-wal"):
        return None
    return status.st_dev, status.st_ino
