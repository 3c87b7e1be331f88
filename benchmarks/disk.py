"""How long the disk itself took meanwhile: what is stored before it is answered can be no quicker."""

from __future__ import annotations

import math
import os
import threading
import time
from pathlib import Path
from types import TracebackType

SECONDS_BETWEEN = 0.1
BYTES = 4096
SHARES = (("median", 0.5), ("p99", 0.99), ("slowest", 1.0))


class DiskBeside:
    """Writes a page to a file of its own and has it put on the disk, again and again. Use it as a context manager.

    Where other programs, or other machines on the same disk, keep it busy, the slowest figures of a benchmark are its.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "disk-beside"
        self._seconds: list[float] = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> DiskBeside:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._thread.join()

    def __str__(self) -> str:
        took = sorted(self._seconds) or [math.nan]
        shares = ((f"{name} {1000 * took[min(int(len(took) * share), len(took) - 1)]:.1f}") for name, share in SHARES)
        return f"the disk beside it, {len(self._seconds)} pages: {', '.join(shares)} ms"

    def _run(self) -> None:
        sync = getattr(os, "fdatasync", os.fsync)
        with self._path.open("wb") as file:
            while not self._stopped.wait(SECONDS_BETWEEN):
                began = time.monotonic()
                os.pwrite(file.fileno(), os.urandom(BYTES), 0)
                sync(file.fileno())
                self._seconds.append(time.monotonic() - began)
