"""Tell when the engine holds more memory between two jobs than it should: something leaks, and a new process helps."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from modules.engine.models.devices import Device

# The first jobs with a model fill caches that stay: only then it is known what the model takes.
JOBS_TO_LEARN = 3
# Growth below this is not worth a restart, however many percent it is.
GROWTH_ALLOWED_BYTES = 256 * 1024**2


class Baseline:
    """What the engine holds when it draws nothing, for the model in memory.

    `measure` returns bytes: of the device, and of the process where that is another memory.
    """

    def __init__(self, measure: Callable[[], tuple[int, ...]]) -> None:
        self._measure = measure
        self._model: Hashable = None
        self._jobs = 0
        self._highest: tuple[int, ...] = ()

    @classmethod
    def of_device(cls, device: Device) -> Baseline:
        """Return the baseline of an engine that draws on `device`."""
        return cls(device.memories)

    def grown_beyond(self, limit_percent: int, model: Hashable) -> str | None:
        """Measure after a job; say in words by how much memory grew when that is over the limit, else None.

        Another model begins anew. A limit of 0 is none.
        """
        now = self._measure()
        if model != self._model:
            self._model, self._jobs, self._highest = model, 0, now
        self._jobs += 1
        if self._jobs <= JOBS_TO_LEARN:
            self._highest = tuple(map(max, self._highest, now))
            return None
        if limit_percent == 0:
            return None
        for usual, found in zip(self._highest, now, strict=True):
            if found > usual + max(usual * limit_percent / 100, GROWTH_ALLOWED_BYTES):
                return f"it holds {found / 1024**2:.0f} MB, where {usual / 1024**2:.0f} MB is usual"
        return None
