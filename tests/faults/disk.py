"""A disk that fails at a chosen write: the power goes, the process is killed, or there is no space left.

Every write under a folder that this process makes with Python or SQLite is a *point* with a number: making a folder,
opening a file to write, writing the first half of some bytes, the rest of them, fsync, rename, and the commit of a
transaction. Between two points nothing is written, so a fault at every point is a fault at every moment.

Of a process that ends nothing but its files is left. So one run shows what each end of it would leave, at every point:
a copy of the files as they are then.
"""

import builtins
import contextlib
import errno
import io
import os
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

Fault = Literal["kill", "power", "full"]
TIMES_FULL = 3  # how many writes in a row fail before somebody frees space
_WRITING = frozenset("wax+")


class Disk:
    """The writes under `root` from `install` on. `points` names them, and their numbers begin with 1.

    From number `full_at` on there is no space left: that write and the next two are refused. With `copies`, a folder,
    each point leaves there, as "power-NUMBER", what is on the disk if the power goes then: what no fsync made lasting
    is taken back, which is renames, new folders, the bytes of files. Each fsync leaves "kill-NUMBER" as well: all that
    the system was given.
    """

    def __init__(self, root: Path, full_at: int = 0, copies: Path | None = None) -> None:
        self.root = str(root)
        self.points: list[str] = []
        self._full_at = full_at
        self._copies = copies
        # Held from a point until its write is done: a copy has each write whole or not at all.
        self._lock = threading.RLock()
        self._unsynced: dict[str, None] = {}
        self._undo: list[tuple[str, Callable[[Path], None]]] = []
        self._lasting: dict[str, int] = {}
        self._true: dict[str, Any] = {}

    def install(self) -> None:
        """Stand between this process and its disk from now on, for ever: it is a process made for that."""
        self._lasting = {str(path): path.stat().st_size for path in Path(self.root).rglob("*-wal")}
        true_open, true_os_open = io.open, os.open
        self._true = {"open": true_open, "replace": os.replace, "fsync": os.fsync, "mkdir": os.mkdir}
        connect, disk = sqlite3.connect, self

        class Connection(sqlite3.Connection):
            """Tells the disk of its commits."""

            path = ""

            def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
                if sql != "COMMIT" or not self.in_transaction:
                    with disk._lock if "checkpoint" in sql else contextlib.nullcontext():
                        return super().execute(sql, *parameters)
                with disk._lock:
                    disk.commit(self.path, lambda: super(Connection, self).execute("ROLLBACK"))
                    try:
                        return super().execute(sql)
                    finally:
                        disk.committed(self.path)

            def close(self) -> None:
                with disk._lock:
                    super().close()
                    disk.closed(self.path)

        def connect_told(path: Any, *more: Any, **named: Any) -> Any:
            connection = connect(path, *more, **({"factory": Connection} | named))
            connection.path = os.fspath(path)
            return connection

        def open_told(file: Any, mode: str = "r", *more: Any, **named: Any) -> Any:
            if isinstance(file, int) or not _WRITING & set(mode) or not self._is_ours(file):
                return true_open(file, mode, *more, **named)
            return self._open(os.fspath(file), lambda: true_open(file, mode, *more, **named))

        def os_open_told(path: Any, flags: int, *more: Any, **named: Any) -> int:
            if not flags & os.O_CREAT or not self._is_ours(path):
                return true_os_open(path, flags, *more, **named)
            with self._lock:
                self.point(f"open {self._short(path)}")
                return true_os_open(path, flags, *more, **named)

        told: dict[ModuleType, dict[str, Callable[..., Any]]] = {
            sqlite3: {"connect": connect_told},
            builtins: {"open": open_told},
            io: {"open": open_told},
            os: {"open": os_open_told, "replace": self._replace, "rename": self._replace, "mkdir": self._mkdir,
                 "fsync": self._fsync, "fdatasync": self._fsync},
        }  # fmt: skip
        for module, functions in told.items():
            for name, function in functions.items():
                setattr(module, name, function)

    def point(self, name: str, refuse: Callable[[], None] | None = None) -> None:
        """Count a write that comes now, and let the fault happen if it is its turn. `refuse` raises for a full disk."""
        with self._lock:
            self.points.append(name)
            number = len(self.points)
            if self._copies is not None:
                self._lose(self._copy(f"power-{number}"), number)
                if name.startswith("fsync"):
                    self._copy(f"kill-{number}")
            if self._full_at and self._full_at <= number < self._full_at + TIMES_FULL:
                if refuse is not None:
                    refuse()
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def commit(self, path: str, roll_back: Callable[[], object]) -> None:
        """A transaction is about to be written."""

        def refuse() -> None:
            roll_back()
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error

        self.point(f"commit {self._short(path)}", refuse)

    def committed(self, path: str) -> None:
        """A database has a log now, which stays as far as it was synced."""
        self._lasting.setdefault(f"{path}-wal", 0)

    def closed(self, path: str) -> None:
        """The last one to close puts the log into the file, and the next one begins anew."""
        if not Path(f"{path}-wal").exists():
            self._lasting.pop(f"{path}-wal", None)

    def write(self, path: str, write: Callable[[Any], int], flush: Callable[[], None], data: Any) -> int:
        """Write in two halves with a point before each."""
        half = len(data) // 2
        with self._lock:
            self.point(f"write {self._short(path)}")
            write(data[:half])
            flush()
        with self._lock:
            self.point(f"write the rest of {self._short(path)}")
            write(data[half:])
        return len(data)

    def _open(self, path: str, really: Callable[[], Any]) -> Any:
        with self._lock:
            self.point(f"open {self._short(path)}")
            self._unsynced[path] = None
            return _Told(really(), path, self)

    def _replace(self, source: Any, target: Any, **named: Any) -> None:
        replace = self._true["replace"]
        source, target = os.fspath(source), os.fspath(target)
        if not self._is_ours(target):
            replace(source, target, **named)
            return
        with self._lock:
            self.point(f"rename to {self._short(target)}")
            old = Path(target).read_bytes() if Path(target).is_file() else None
            replace(source, target, **named)
            if source in self._unsynced:
                del self._unsynced[source]
                self._unsynced[target] = None

            def undo(copy: Path) -> None:
                replace(self._in(copy, target), self._in(copy, source))
                if old is not None:
                    self._in(copy, target).write_bytes(old)

            self._undo.append((str(Path(target).parent), undo))

    def _fsync(self, descriptor: int) -> None:
        path = str(Path(f"/proc/self/fd/{descriptor}").readlink())
        if not self._is_ours(path):
            self._true["fsync"](descriptor)
            return
        with self._lock:
            self.point(f"fsync {self._short(path)}")
            self._true["fsync"](descriptor)
            self._unsynced.pop(path, None)
            if path in self._lasting:
                self._lasting[path] = Path(path).stat().st_size
            self._undo = [(folder, undo) for folder, undo in self._undo if folder != path]

    def _mkdir(self, path: Any, *more: Any, **named: Any) -> None:
        if not self._is_ours(path) or Path(path).is_dir() or not Path(path).parent.is_dir():
            self._true["mkdir"](path, *more, **named)
            return
        path = os.fspath(path)
        with self._lock:
            self.point(f"make folder {self._short(path)}")
            self._true["mkdir"](path, *more, **named)
            self._undo.append(
                (str(Path(path).parent), lambda copy: shutil.rmtree(self._in(copy, path), ignore_errors=True))
            )

    def _copy(self, name: str) -> Path:
        """Copy the folder and what stands beside it under its name; return where the copy is.

        Another process reads the files: one that closes them lets go of SQLite's locks on them.
        """
        assert self._copies is not None
        copy = self._copies / name
        # What another thread removes meanwhile is not in the copy.
        subprocess.run(["cp", "-r", self.root, copy], check=False, stderr=subprocess.DEVNULL)
        for beside in Path(self.root).parent.glob(f"{Path(self.root).name}.*"):
            shutil.copyfile(beside, copy.with_name(name + beside.suffix))
        return copy

    def _lose(self, copy: Path, number: int) -> None:
        """Take back what no fsync made lasting; of unsynced bytes keep half, and leave half a page in the log."""
        for path in self._unsynced:
            if (there := self._in(copy, path)).is_file():
                os.truncate(there, there.stat().st_size // 2 if number % 2 else 0)
        for _, undo in reversed(self._undo):
            undo(copy)
        for log, size in self._lasting.items():
            if (there := self._in(copy, log)).exists():
                os.truncate(there, size)
                with self._true["open"](there, "ab") as file:
                    file.write(b"\x99" * 2000)

    def _in(self, copy: Path, path: str) -> Path:
        """Return where a file of the folder is in a copy of it."""
        return copy / self._short(path)

    def _is_ours(self, path: Any) -> bool:
        whole = str(Path(path).absolute())
        return whole == self.root or whole.startswith(self.root + os.sep)

    def _short(self, path: Any) -> str:
        return os.path.relpath(os.fspath(path), self.root)


class _Told:
    """A file opened to write that tells the disk of each write."""

    def __init__(self, file: Any, path: str, disk: Disk) -> None:
        self._file = file
        self._path = path
        self._disk = disk

    def write(self, data: Any) -> int:
        return self._disk.write(self._path, self._file.write, self._file.flush, data)

    def __enter__(self) -> "_Told":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)
