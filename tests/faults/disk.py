"""A disk that fails at a chosen write: the power goes, the process is killed, or there is no space left.

Every write under a folder that this process makes with Python or SQLite is a *point* with a number: making a folder,
opening a file to write, writing the first half of some bytes, the rest of them, fsync, rename, and the commit of a
transaction. Between two points nothing is written, so a fault at every point is a fault at every moment.
"""

import builtins
import errno
import io
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

Fault = Literal["none", "kill", "power", "full"]
EXIT_CODE = 77
TIMES_FULL = 3  # how many writes in a row fail before somebody frees space
_WRITING = frozenset("wax+")


class Disk:
    """The writes under `root` from `install` on. `points` names them; the fault comes at number `at`, counted from 1.

    "kill" ends the process and leaves what the system was given. "power" also takes back what was not synced: renames,
    new folders, the bytes of files. "full" refuses the write and the next two.
    """

    def __init__(self, root: Path, fault: Fault = "none", at: int = 0) -> None:
        self.root = str(root)
        self.points: list[str] = []
        self._fault = fault
        self._at = at
        self._lock = threading.RLock()
        self._unsynced: dict[str, None] = {}
        self._undo: list[tuple[str, Callable[[], None]]] = []
        self._committed: dict[str, int] = {}
        self._true: dict[str, Any] = {}

    def install(self) -> None:
        """Stand between this process and its disk from now on, for ever: it is a process made for that."""
        self._committed = {str(path): path.stat().st_size for path in Path(self.root).rglob("*-wal")}
        true_open, true_os_open = io.open, os.open
        self._true = {"open": true_open, "replace": os.replace, "fsync": os.fsync, "mkdir": os.mkdir}
        connect, disk = sqlite3.connect, self

        class Connection(sqlite3.Connection):
            """Tells the disk of its commits."""

            path = ""

            def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
                if sql != "COMMIT" or not self.in_transaction:
                    return super().execute(sql, *parameters)
                disk.commit(self.path, lambda: super(Connection, self).execute("ROLLBACK"))
                try:
                    return super().execute(sql)
                finally:
                    disk.committed(self.path)

        def connect_told(path: Any, *more: Any, **named: Any) -> Any:
            connection = connect(path, *more, **({"factory": Connection} | named))
            connection.path = os.fspath(path)
            return connection

        def open_told(file: Any, mode: str = "r", *more: Any, **named: Any) -> Any:
            if isinstance(file, int) or not _WRITING & set(mode) or not self._is_ours(file):
                return true_open(file, mode, *more, **named)
            return self._open(os.fspath(file), lambda: true_open(file, mode, *more, **named))

        def os_open_told(path: Any, flags: int, *more: Any, **named: Any) -> int:
            if flags & os.O_CREAT and self._is_ours(path):
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
            if self._fault in ("kill", "power") and number == self._at:
                if self._fault == "power":
                    self._lose()
                os._exit(EXIT_CODE)
            if self._fault == "full" and self._at <= number < self._at + TIMES_FULL:
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
        """What the database's log holds now stays."""
        log = f"{path}-wal"
        if Path(log).exists():
            self._committed[log] = Path(log).stat().st_size

    def write(self, path: str, write: Callable[[Any], int], flush: Callable[[], None], data: Any) -> int:
        """Write in two halves with a point before each."""
        self.point(f"write {self._short(path)}")
        half = len(data) // 2
        write(data[:half])
        flush()
        self.point(f"write the rest of {self._short(path)}")
        write(data[half:])
        return len(data)

    def _open(self, path: str, really: Callable[[], Any]) -> Any:
        self.point(f"open {self._short(path)}")
        self._unsynced[path] = None
        return _Told(really(), path, self)

    def _replace(self, source: Any, target: Any, **named: Any) -> None:
        replace = self._true["replace"]
        source, target = os.fspath(source), os.fspath(target)
        if not self._is_ours(target):
            replace(source, target, **named)
            return
        self.point(f"rename to {self._short(target)}")
        with self._lock:
            old = Path(target).read_bytes() if Path(target).is_file() else None
            replace(source, target, **named)
            if source in self._unsynced:
                del self._unsynced[source]
                self._unsynced[target] = None

            def undo() -> None:
                replace(target, source)
                if old is not None:
                    with self._true["open"](target, "wb") as file:
                        file.write(old)

            self._undo.append((str(Path(target).parent), undo))

    def _fsync(self, descriptor: int) -> None:
        path = str(Path(f"/proc/self/fd/{descriptor}").readlink())
        if not self._is_ours(path):
            self._true["fsync"](descriptor)
            return
        self.point(f"fsync {self._short(path)}")
        self._true["fsync"](descriptor)
        with self._lock:
            self._unsynced.pop(path, None)
            self._undo = [(folder, undo) for folder, undo in self._undo if folder != path]

    def _mkdir(self, path: Any, *more: Any, **named: Any) -> None:
        if not self._is_ours(path) or Path(path).is_dir() or not Path(path).parent.is_dir():
            self._true["mkdir"](path, *more, **named)
            return
        path = os.fspath(path)
        self.point(f"make folder {self._short(path)}")
        self._true["mkdir"](path, *more, **named)
        self._undo.append((str(Path(path).parent), lambda: shutil.rmtree(path, ignore_errors=True)))

    def _lose(self) -> None:
        """Take back what no fsync made lasting; of unsynced bytes keep half, and leave half a page in the log."""
        for path in self._unsynced:
            if Path(path).is_file():
                os.truncate(path, Path(path).stat().st_size // 2 if self._at % 2 else 0)
        for _, undo in reversed(self._undo):
            undo()
        for log, size in self._committed.items():
            if Path(log).exists():
                os.truncate(log, size)
                with self._true["open"](log, "ab") as file:
                    file.write(b"\x99" * 2000)

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
