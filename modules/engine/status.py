"""What the engine is doing, for the page's status pill."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any, Literal

from modules.engine.models.devices import Device
from modules.link.topics import STATUS

EngineState = Literal["starting", "idle", "loading", "drawing", "stopping"]


class EngineStatus:
    """Publishes the topic STATUS on every change and whenever `refresh` is called."""

    def __init__(self, device: Device, publish: Callable[[str, Any], None]) -> None:
        self._device = device
        self._publish = publish
        self._lock = threading.Lock()
        self._status: EngineState = "starting"
        self._checkpoint: str | None = None
        self._memory_total = device.memory_total_bytes()

    def change(self, status: EngineState, checkpoint: str | None = None) -> None:
        """Say what the engine does now; `checkpoint` is the model in memory, None: as before."""
        with self._lock:
            if self._status == "stopping":
                return
            self._status = status
            self._checkpoint = checkpoint or self._checkpoint
        self.refresh()

    def forget_checkpoint(self) -> None:
        """Say that no model is in memory."""
        with self._lock:
            self._checkpoint = None

    def refresh(self) -> None:
        """Publish with the memory as it is now."""
        with self._lock:
            value = {
                "status": self._status,
                "device": self._device.label,
                "memory_bytes": self._device.memory_bytes(),
                "memory_total_bytes": self._memory_total,
                "checkpoint": self._checkpoint,
                "pid": os.getpid(),
            }
            # Under the lock, so that an older status does not go out after a newer one.
            self._publish(STATUS, value)
