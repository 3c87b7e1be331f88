"""How far a load is, counted in bytes of its files."""

from __future__ import annotations

from collections.abc import Callable

from modules.engine.stopping.cancel import Cancel


class ByteCounter:
    """Turns bytes read into a fraction, and is the cancel point between two tensors."""

    def __init__(self, total: int, cancel: Cancel, progress: Callable[[float], None]) -> None:
        self._total = max(total, 1)
        self._cancel = cancel
        self._progress = progress
        self._read = 0

    def add(self, read: int) -> None:
        """Count bytes; 0 says that something waits, which is no sign of life."""
        if read == 0:
            self._cancel.check_waiting()
            return
        self._cancel.check()
        self._read += read
        self._progress(min(self._read / self._total, 1.0))
